"""Derived tables: each equal to a plain Python definition over the raw tables."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.catalog import QueryHeaderError, load_facts
from governance.schema import REVIEW_FACTS
from governance.settings import ROOT
from governance.snapshots import open_snapshot
from tests.company import AS_OF, Company

Row = dict[str, Any]
SMALL = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
NAMES = ("ada", "bob", "cy", "dee")


@dataclass(frozen=True)
class Tables:
    """Rows of a sealed snapshot by table."""

    rows: dict[str, list[Row]]

    def __getitem__(self, name: str) -> list[Row]:
        return self.rows[name]


def sealed(company: Company) -> Tables:
    """Seal a company and return every table, times in UTC."""
    manifest = company.seal()
    with open_snapshot(company.settings) as snapshot:
        return Tables(
            {
                name: snapshot.run(f'from snapshot."{name}"', {}).to_dicts()
                for name in manifest.counts
            }
        )


def company_of(folder: str) -> Company:
    """Return an empty company for one example."""
    return Company(Path(folder))


def in_order(rows: list[Row], *keys: str) -> list[Row]:
    """Return rows in the order the table promises, null last."""
    return sorted(rows, key=lambda row: [(row[k] is None, row[k] or "") for k in keys])


# account_activity ---------------------------------------------------------------------

events = st.lists(
    st.fixed_dictionaries(
        {
            "login": st.sampled_from(NAMES),
            "minutes": st.integers(-500, 0),
            "outcome": st.sampled_from(["success", "failure", "unknown"]),
            "device": st.sampled_from([None, "phone", "desk"]),
            "city": st.sampled_from([None, "Shanghai", "Lyon", "Lima"]),
        }
    ),
    max_size=12,
)


def recorded(folder: str, told: list[Row]) -> Tables:
    """Seal a company with these login events."""
    company = company_of(folder)
    for name in NAMES:
        company.has_account(name)
    for event in told:
        facts = {key: event[key] for key in ("outcome", "device", "city")}
        at = AS_OF + timedelta(minutes=event["minutes"])
        company.logs_in(event["login"], at, **facts)
    company.add("login_events", "crm", login="stranger", at=AS_OF, outcome="success")
    return sealed(company)


def activity(rows: list[Row]) -> Iterator[Row]:
    """Define account_activity."""
    for account in sorted({row["account_id"] for row in rows} - {None}):
        own = [row for row in rows if row["account_id"] == account]
        passed = [row for row in own if row["outcome"] == "success"]
        unproven = [row["at"] for row in own if row["outcome"] == "unknown"]
        yield {
            "account_id": account,
            "success_count": len(passed),
            "failure_count": sum(row["outcome"] == "failure" for row in own),
            "first_success_at": min((row["at"] for row in passed), default=None),
            "last_success_at": max((row["at"] for row in passed), default=None),
            "last_attempt_at": max(row["at"] for row in own),
            "last_unproven_at": max(unproven, default=None),
            "device_count": len({row["device"] for row in passed} - {None}),
            "city_count": len({row["city"] for row in passed} - {None}),
        }


@SMALL
@given(events)
def test_account_activity_sums_up_the_events_of_each_account(told: list[Row]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tables = recorded(folder, told)
    assert tables["account_activity"] == list(activity(tables["login_events"]))


# city_hops ----------------------------------------------------------------------------


def hops(rows: list[Row]) -> Iterator[Row]:
    """Define city_hops: consecutive successes of an account in different cities."""
    placed = [
        row
        for row in rows
        if row["account_id"] and row["city"] and row["outcome"] == "success"
    ]
    placed.sort(key=lambda row: (row["account_id"], row["at"], row["city"]))
    for first, second in pairwise(placed):
        is_same = first["account_id"] == second["account_id"]
        if is_same and first["city"] != second["city"]:
            yield {
                "account_id": second["account_id"],
                "at": second["at"],
                "city": second["city"],
                "previous_at": first["at"],
                "previous_city": first["city"],
            }


@SMALL
@given(events)
def test_city_hops_are_consecutive_logins_from_different_cities(
    told: list[Row],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        tables = recorded(folder, told)
    assert tables["city_hops"] == list(hops(tables["login_events"]))


# account_people -----------------------------------------------------------------------


def people(tables: Tables) -> list[Row]:
    """Define account_people."""
    owners = {row["account_id"]: row for row in tables["account_owners"]}
    identities = {row["identity_id"]: row for row in tables["identities"]}
    departments = {row["department_id"]: row for row in tables["departments"]}
    by_name = {}
    for name in {row["name"] for row in tables["departments"]} - {None}:
        bearers = [row for row in tables["departments"] if row["name"] == name]
        headed = [row for row in bearers if row["head_identity_id"] is not None]
        if len(headed) == 1 or len(bearers) == 1:
            by_name[name] = (headed or bearers)[0]["department_id"]
    rows = []
    for account in tables["accounts"]:
        owner = owners[account["account_id"]]
        person = identities.get(owner["identity_id"], {})
        place = departments.get(person.get("department_id"), {})
        department = person.get("department_id")
        if not person:
            department = by_name.get(account["department_name"])
        copied = ("account_id", "source", "native_id", "login", "account_type")
        rows.append(
            {name: account[name] for name in (*copied, "is_enabled", "email", "phone")}
            | {
                "account_name": account["display_name"],
                "identity_id": owner["identity_id"],
                "match_rule": owner["match_rule"],
                "person_name": person.get("display_name"),
                "display_name": person.get("display_name")
                or account["display_name"]
                or account["login"],
                "department_id": department,
                "department_name": place.get("name") or account["department_name"],
            }
            | {
                name: person.get(name)
                for name in (
                    *("job_title", "job_level", "employment_type"),
                    *("employment_status", "manager_id", "start_date", "end_date"),
                )
            }
        )
    return rows


person_facts = st.fixed_dictionaries(
    {
        "display_name": st.sampled_from([None, "王伟", "Ada"]),
        "department_id": st.sampled_from([None, "hr:east", "hr:west", "hr:gone"]),
        "until": st.sampled_from([None, date(2026, 6, 30)]),
        "job_title": st.sampled_from([None, "Cook"]),
    }
)
account_facts = st.fixed_dictionaries(
    {
        "login": st.sampled_from([None, "x"]),
        "display_name": st.sampled_from([None, "Desk"]),
        "email": st.sampled_from([None, "ada@example.com", "bob@example.com"]),
        "department_name": st.sampled_from([None, "East", "Twin", "Led", "Elsewhere"]),
    }
)


@SMALL
@given(
    st.lists(person_facts, max_size=3),
    st.lists(account_facts, min_size=1, max_size=4),
)
def test_account_people_puts_each_account_beside_its_person(
    staff: list[Row], accounts: list[Row]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        company = company_of(folder)
        for name, told in (
            ("east", "East"),
            ("west", "West"),
            ("twin1", "Twin"),
            ("twin2", "Twin"),
            ("led1", "Led"),
        ):
            company.has_department(name, name=told)
        company.has_department("led2", name="Led", head_identity_id="hr:ada")
        for name, facts in zip(NAMES, staff, strict=False):
            company.employs(name, **facts)
        for number, facts in enumerate(accounts):
            company.has_account(f"a{number}", **facts)
        tables = sealed(company)
    wanted = in_order(people(tables), "department_id", "account_id")
    assert tables["account_people"] == wanted


# entitlement_closure ------------------------------------------------------------------

links = st.sets(
    st.tuples(st.sampled_from(NAMES), st.sampled_from((*NAMES, "lost"))), max_size=9
)


def closure(entitlements: list[Row], members: list[Row]) -> list[tuple[str, str]]:
    """Define entitlement_closure: everything reached from an entitlement."""
    pairs = []
    for entitlement in entitlements:
        start = entitlement["entitlement_id"]
        held, ahead = {start}, [start]
        while ahead:
            parent = ahead.pop()
            for member in members:
                child = member["child_id"]
                if member["parent_id"] == parent and child not in held:
                    held.add(child)
                    ahead.append(child)
        pairs += [(start, child) for child in held]
    return sorted(pairs)


@SMALL
@given(links)
def test_entitlement_closure_is_everything_reached(
    nested: set[tuple[str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        company = company_of(folder)
        for name in NAMES:
            company.has_role(name)
        for parent, child in sorted(nested):
            company.add(
                "entitlement_members",
                "crm",
                parent_id=f"crm:{parent}",
                child_id=f"crm:{child}",
            )
        tables = sealed(company)
    found = [
        (row["holder_id"], row["held_id"]) for row in tables["entitlement_closure"]
    ]
    assert found == closure(tables["entitlements"], tables["entitlement_members"])


def test_groups_that_nest_each_other_in_a_circle_end(company: Company) -> None:
    circle = ("ada", "bob", "cy")
    for name in circle:
        company.has_role(name)
    for parent, child in pairwise((*circle, "ada")):
        company.add(
            "entitlement_members",
            "crm",
            parent_id=f"crm:{parent}",
            child_id=f"crm:{child}",
        )
    found = {
        (row["holder_id"], row["held_id"])
        for row in sealed(company)["entitlement_closure"]
    }
    assert found == {
        (f"crm:{one}", f"crm:{other}") for one in circle for other in circle
    }


# source_facts -------------------------------------------------------------------------


def known(fact: str, tables: Tables, source: str) -> tuple[int, int]:
    """Define for how many of how many rows a source tells a fact."""
    table, _, column = fact.partition(".")
    if table == "login_events" or fact == "grants":
        own = [row for row in tables["accounts"] if row["source"] == source]
        return len(own), len(own)
    own = [row for row in tables[table] if row["source"] == source]
    if fact == "identities.end_date":
        own = [row for row in own if row["employment_status"] == "left"]
    if fact == "entitlements.data_scope":
        own = [row for row in own if row["kind"] not in ("permission", "directory")]
    told = [row for row in own if row[column] not in (None, "unknown")]
    if fact == "accounts.last_login_at":
        told = [row for row in own if row[column] or row["never_logged_in"]]
    return len(told), len(own)


def facts_told(tables: Tables) -> list[Row]:
    """Define source_facts."""
    declared = {(row["source"], row["fact"]) for row in tables["declared_facts"]}
    rows = []
    for fact in (*REVIEW_FACTS, "grants"):
        table = fact.split(".")[0]
        asked = "accounts" if fact in ("login_events", "grants") else table
        for source in {row["source"] for row in tables[asked]}:
            known_count, row_count = known(fact, tables, source)
            is_told = (source, fact) in declared
            rows.append(
                {
                    "source": source,
                    "fact": fact,
                    "is_told": is_told,
                    "row_count": row_count,
                    "known_count": known_count if is_told else 0,
                }
            )
    return in_order(rows, "source", "fact")


some_accounts = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "is_enabled": st.sampled_from([True, None]),
            "mfa_state": st.sampled_from(["enabled", "disabled", "unknown", None]),
            "last_login_at": st.sampled_from([AS_OF, None]),
            "never_logged_in": st.sampled_from([True, False, None]),
            "created_at": st.sampled_from([AS_OF, None]),
            "account_type": st.sampled_from(["person", "unknown", None]),
        },
    ),
    max_size=4,
)
some_roles = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "abilities": st.sampled_from(["export", "", None]),
            "kind": st.sampled_from(["role", "permission", "directory", None]),
            "data_scope": st.sampled_from(["all", "unknown"]),
            "is_privileged": st.sampled_from([True, False, None]),
        },
    ),
    max_size=3,
)
some_people = st.lists(
    st.fixed_dictionaries(
        {
            "employment_status": st.sampled_from(["active", "left", "unknown"]),
            "until": st.sampled_from([None, date(2026, 6, 30)]),
        },
        optional={"manager_id": st.sampled_from(["hr:ada", None])},
    ),
    max_size=4,
)


@SMALL
@given(some_accounts, some_roles, some_people, st.booleans())
def test_source_facts_counts_what_each_source_tells(
    accounts: list[Row], roles: list[Row], staff: list[Row], is_logged: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        company = company_of(folder)
        company.has_account("desk", source="other")
        for number, facts in enumerate(accounts):
            company.has_account(f"a{number}", **facts)
        for number, facts in enumerate(roles):
            company.has_role(f"r{number}", **facts)
            company.grants("a0", f"r{number}")
        for number, facts in enumerate(staff):
            company.employs(f"p{number}", **facts)
        if is_logged:
            # Delivered by another source than the accounts it speaks of.
            company.logs_in("a0", AS_OF, source="crm")
            rows = company.rows.pop(("crm", "login_events"))
            company.rows[("logs", "login_events")] = rows
        tables = sealed(company)
    assert tables["source_facts"] == facts_told(tables)


def test_a_column_the_source_cannot_tell_counts_for_nothing(company: Company) -> None:
    company.has_account("ada", created_at=AS_OF)
    told = {row["fact"]: row for row in sealed(company)["source_facts"]}
    assert told["accounts.created_at"]["known_count"] == 1
    assert told["accounts.password_changed_at"] == {
        "source": "crm",
        "fact": "accounts.password_changed_at",
        "is_told": False,
        "row_count": 1,
        "known_count": 0,
    }


# All of them --------------------------------------------------------------------------


def test_every_derived_table_has_a_definition_here() -> None:
    assert {fact.id for fact in load_facts(ROOT / "queries")} == {
        "account_activity",
        "account_people",
        "city_hops",
        "entitlement_closure",
        "source_facts",
    }


def test_derived_tables_of_an_empty_company_are_empty(company: Company) -> None:
    company.add("departments", "hr", department_id="hr:sales")
    tables = sealed(company)
    for fact in load_facts(ROOT / "queries"):
        assert tables[fact.id] == []


def test_facts_that_need_each_other_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "facts"
    folder.mkdir()
    for one, other in (("hen", "egg"), ("egg", "hen")):
        text = f'/*\npurpose = "x"\nneeds = ["{other}"]\n*/\nselect 1 as one\n'
        (folder / f"{one}.sql").write_text(text)
    with pytest.raises(QueryHeaderError, match="need each other: egg, hen"):
        load_facts(tmp_path)


def test_a_fact_comes_after_what_it_needs(tmp_path: Path) -> None:
    folder = tmp_path / "facts"
    folder.mkdir()
    for name, needs in (("a", '["b"]'), ("b", '["c"]'), ("c", "[]")):
        text = f'/*\npurpose = "x"\nneeds = {needs}\n*/\nselect 1 as one\n'
        (folder / f"{name}.sql").write_text(text)
    assert [fact.id for fact in load_facts(tmp_path)] == ["c", "b", "a"]


def test_times_of_events_are_utc(company: Company) -> None:
    company.has_account("ada")
    company.logs_in("ada", datetime(2026, 7, 31, 23, 30, tzinfo=UTC))
    (row,) = sealed(company)["account_activity"]
    assert row["last_success_at"].isoformat() == "2026-07-31T23:30:00+00:00"
