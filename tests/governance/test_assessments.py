"""Checks run over a snapshot: their contract, their stored results, their pages."""

import shutil
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest

from governance import assessments, snapshots
from governance.assessments import (
    Assessment,
    CheckContractError,
    assess,
    assess_all,
    assess_once,
    findings,
    kept_policy,
    page_of,
)
from governance.catalog import Check, load_checks
from governance.model import Language, Severity, Status
from governance.policy import Policy, PolicyError
from governance.scope import NOTHING, Scope
from governance.settings import ROOT
from tests.company import AS_OF, Company, policy

EVERYTHING = Scope(None)
SALES = Scope(frozenset({"hr:sales"}))


def check(sql: str) -> Check:
    """Return a check of one column of its own, ``login``, with another query."""
    plain = load_checks(ROOT / "queries")["accounts_without_mfa"]
    text = dict.fromkeys(Language, "{login}")
    return replace(
        plain,
        id="sample",
        columns={"login": text},
        reasons={"good": text, "bad": text},
        parameters={},
        sql=sql,
    )


def asking(**columns: str) -> Check:
    """Return a check over the accounts; ``columns`` replaces what it selects."""
    plain = {
        "subject_id": "account_id",
        "source": "source",
        "account_id": "account_id",
        "identity_id": "identity_id",
        "department_id": "department_id",
        "display_name": "display_name",
        "login": "login",
        "status": "'pass'",
        "reason": "'good'",
    }
    selected = ", ".join(f"{sql} as {name}" for name, sql in (plain | columns).items())
    return check(f"select {selected} from snapshot.account_people order by account_id")  # noqa: S608


@pytest.fixture
def staffed(company: Company) -> Company:
    """Return a company of three: Ada and Bob in sales, Cy in finance; Zed unowned."""
    company.employs("ada")
    company.employs("bob", display_name="王伟")
    company.employs("cy", department_id="hr:finance")
    company.has_account("ada", mfa_state="disabled")
    company.has_account("bob", mfa_state="enabled")
    company.has_account("cy", mfa_state="disabled", login="100%_CY")
    company.has_account("zed", mfa_state="unknown", email="zed@example.net")
    return company


@pytest.fixture
def assessment(staffed: Company) -> Assessment:
    """Return the stored result of accounts_without_mfa."""
    staffed.seal()
    return assess_all(staffed.settings)["accounts_without_mfa"]


# The contract -------------------------------------------------------------------------


def test_a_check_that_keeps_its_contract_gets_lasting_ids(staffed: Company) -> None:
    rows = assess(asking(), staffed.open(), policy())
    assert rows["finding_id"].to_list()[0] == "sample/crm:ada"
    assert rows["check_id"].unique().to_list() == ["sample"]


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (check("select 1 as one"), r"returned columns \['one'\]"),
        (asking(extra="1"), "returned columns"),
        (asking(status="'bad'"), "returned status {'bad'}"),
        (asking(status="null"), "returned status {None}"),
        (asking(reason="'strange'"), "returned reason {'strange'}"),
        (asking(reason="null"), "returned reason {None}"),
        (asking(subject_id="'same'"), "subject_id is null or not unique"),
        (
            asking(subject_id="case when login = 'ada' then login end"),
            "subject_id is null or not unique",
        ),
        (asking(login="nowhere"), "could not be asked"),
    ],
)
def test_a_broken_contract_is_refused_by_the_checks_name(
    staffed: Company, broken: Check, sentence: str
) -> None:
    with pytest.raises(CheckContractError, match=f"^sample: .*{sentence}") as caught:
        assess(broken, staffed.open(), policy())
    assert "\n" not in str(caught.value)


def test_columns_in_another_order_are_refused(staffed: Company) -> None:
    turned = asking().sql.replace("login as login, 'pass' as status", "'pass' as x, x")
    with pytest.raises(CheckContractError, match="returned columns"):
        assess(check(turned), staffed.open(), policy())


def test_a_check_without_subjects_keeps_its_columns(company: Company) -> None:
    company.employs("ada")
    rows = assess(asking(), company.open(), policy())
    assert rows.is_empty()
    assert rows.columns[:-2] == list(asking().result_columns)


def test_a_threshold_nobody_set_stops_the_check(staffed: Company) -> None:
    leavers = load_checks(ROOT / "queries")["leaver_accounts"]
    bare = replace(policy(), thresholds={"time_zone": "UTC"})
    with pytest.raises(PolicyError, match="does not set leaver_grace_days"):
        assess(leavers, staffed.open(), bare)


def test_a_pattern_that_is_none_is_told_with_the_check(staffed: Company) -> None:
    with pytest.raises(CheckContractError, match=r"generic_names: could not .*policy"):
        staffed.assess("generic_names", generic_names="(")


def test_time_is_the_snapshots_and_never_the_clocks(staffed: Company) -> None:
    timed = replace(
        asking(login="$as_of::varchar"), parameters={"as_of": "Moment, UTC."}
    )
    rows = assess(timed, staffed.open(), policy())
    assert rows["login"].unique().to_list() == ["2026-08-01 00:30:00+00"]


# Stored once --------------------------------------------------------------------------


def stored(company: Company) -> dict[Path, tuple[int, int]]:
    """Return inode and time of writing of every stored result."""
    files = [p for p in company.settings.assessments.rglob("*") if p.is_file()]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def test_a_result_is_stored_once_and_not_worked_out_again(staffed: Company) -> None:
    staffed.seal()
    first = assess_all(staffed.settings)
    before = stored(staffed)
    assert len(before) == 2 * len(first)  # rows and counts
    again = assess_all(staffed.settings)
    assert stored(staffed) == before
    assert {name: one.count() for name, one in again.items()} == {
        name: one.count() for name, one in first.items()
    }


def test_the_stored_rows_are_what_is_read(staffed: Company) -> None:
    snapshot = staffed.open()
    first = assess_once(staffed.settings, asking(), snapshot, policy())
    first.path.chmod(0o644)
    first.rows(EVERYTHING).collect().head(1).write_parquet(first.path)
    again = assess_once(staffed.settings, asking(), snapshot, policy())
    assert again.rows(EVERYTHING).collect().height == 1


def test_another_policy_query_or_snapshot_is_another_result(staffed: Company) -> None:
    one, settings = asking(), staffed.settings
    snapshot = staffed.open()
    paths = {
        assess_once(settings, one, snapshot, policy()).path,
        assess_once(
            settings, one, snapshot, replace(policy(), sha256="another" * 9)
        ).path,
        assess_once(
            settings, replace(one, sha256="another" * 9), snapshot, policy()
        ).path,
    }
    staffed.seal(AS_OF.replace(day=2))
    paths.add(assess_once(settings, one, staffed.open(), policy()).path)
    assert len(paths) == 4


def test_a_snapshot_taken_anew_under_its_old_name_is_assessed_anew(
    staffed: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    staffed.seal()
    assert assess_all(staffed.settings)["accounts_without_mfa"].count() == 4
    shutil.rmtree(staffed.settings.snapshots)
    monkeypatch.setattr(snapshots, "_kept", OrderedDict())  # as after a restart
    staffed.has_account("new")
    staffed.seal()
    assert assess_all(staffed.settings)["accounts_without_mfa"].count() == 5


def test_no_half_written_result_stays(staffed: Company) -> None:
    staffed.seal()
    assess_all(staffed.settings)
    assert not [p for p in stored(staffed) if p.suffix == ".new"]


def test_progress_names_every_check(staffed: Company) -> None:
    staffed.seal()
    told: list[str] = []
    assert list(assess_all(staffed.settings, progress=told.append)) == told


def test_checks_come_most_severe_first(staffed: Company) -> None:
    staffed.seal()
    found = [one.check.severity for one in assess_all(staffed.settings).values()]
    assert found == sorted(found, key=list(Severity).index)


# Counting -----------------------------------------------------------------------------


def test_what_was_tested_failed_and_stayed_unknown_is_counted(
    assessment: Assessment,
) -> None:
    assert assessment.count() == 4
    assert assessment.count(Status.FAIL) == 2
    assert assessment.count(Status.PASS) == 1
    assert assessment.count(Status.UNKNOWN) == 1


def test_counts_are_those_of_the_scope(assessment: Assessment) -> None:
    assert assessment.count(Status.FAIL, SALES) == 1
    assert assessment.count(scope=SALES) == 2
    assert assessment.count(scope=NOTHING) == 0


# Pages --------------------------------------------------------------------------------


def subjects(page: assessments.Page) -> list[str]:
    """Return the accounts of a page in order, without their source."""
    return [one.removeprefix("crm:") for one in page.rows["subject_id"]]


def test_a_page_is_a_slice_and_knows_how_long_the_list_is(
    assessment: Assessment,
) -> None:
    page = page_of(assessment, EVERYTHING, offset=1, limit=2)
    assert (subjects(page), page.total) == (["bob", "cy"], 4)
    last = page_of(assessment, EVERYTHING, offset=3, limit=2)
    assert (subjects(last), last.total) == (["zed"], 4)


@pytest.mark.parametrize(
    ("offset", "limit", "length"),
    [(99, 50, 0), (-2, 50, 4), (0, 0, 0), (0, -1, 0), (-99, 3, 3)],
)
def test_a_page_outside_the_list_is_no_error(
    assessment: Assessment, offset: int, limit: int, length: int
) -> None:
    page = page_of(assessment, EVERYTHING, offset=offset, limit=limit)
    assert (page.rows.height, page.total) == (length, 4)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"status": Status.FAIL}, ["ada", "cy"]),
        ({"source": "crm"}, ["ada", "bob", "cy", "zed"]),
        ({"source": "nowhere"}, []),
        ({"department_id": "hr:finance"}, ["cy"]),
        ({"department_id": ""}, ["zed"]),
        ({"status": Status.FAIL, "department_id": "hr:sales"}, ["ada"]),
    ],
)
def test_a_page_is_filtered(
    assessment: Assessment, asked: dict[str, str], found: list[str]
) -> None:
    page = page_of(assessment, EVERYTHING, **asked)  # type: ignore[arg-type]
    assert (subjects(page), page.total) == (found, len(found))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("ADA", ["ada"]),
        ("王", ["bob"]),
        ("hr:cy", ["cy"]),
        ("%_c", ["cy"]),
        ("%", ["cy"]),
        ("_", ["cy"]),
        (".*", []),
        ("[", []),
        ("' or 1=1 --", []),
        ("  zed  ", ["zed"]),
        ("   ", ["ada", "bob", "cy", "zed"]),
        ("hr:sales", []),  # a department is no name
    ],
)
def test_search_is_plain_text(
    assessment: Assessment, search: str, found: list[str]
) -> None:
    assert subjects(page_of(assessment, EVERYTHING, search=search)) == found


@pytest.mark.parametrize(
    ("sort", "descending", "found"),
    [
        ("mfa_state", False, ["ada", "cy", "bob", "zed"]),
        ("mfa_state", True, ["zed", "bob", "ada", "cy"]),
        ("department_id", False, ["cy", "ada", "bob", "zed"]),  # null comes last
        ("department_id", True, ["ada", "bob", "cy", "zed"]),
        ("subject_id", True, ["zed", "cy", "bob", "ada"]),
        ("no such column", True, ["ada", "bob", "cy", "zed"]),
        (None, True, ["ada", "bob", "cy", "zed"]),
    ],
)
def test_rows_are_sorted_to_the_last_tie(
    assessment: Assessment, sort: str | None, descending: bool, found: list[str]
) -> None:
    page = page_of(assessment, EVERYTHING, sort=sort, descending=descending)
    assert subjects(page) == found


def test_no_filter_or_search_reaches_beyond_the_scope(assessment: Assessment) -> None:
    assert subjects(page_of(assessment, SALES)) == ["ada", "bob"]
    assert page_of(assessment, SALES, search="cy").total == 0
    assert page_of(assessment, SALES, department_id="hr:finance").total == 0
    assert page_of(assessment, SALES, department_id="").total == 0
    assert page_of(assessment, NOTHING).total == 0


# Findings -----------------------------------------------------------------------------


def test_findings_are_the_failed_rows_of_all_checks_in_scope(staffed: Company) -> None:
    staffed.seal()
    every = assess_all(staffed.settings)
    found = findings(every, SALES)
    assert set(found["status"]) == {"fail"}
    assert set(found["department_id"]) == {"hr:sales"}
    assert "accounts_without_mfa/crm:ada" in found["finding_id"].to_list()
    assert findings(every, NOTHING).is_empty()
    ranks = [list(Severity).index(Severity(one)) for one in found["severity"]]
    assert ranks == sorted(ranks)


def test_findings_of_named_accounts_and_people_only(staffed: Company) -> None:
    staffed.seal()
    every = assess_all(staffed.settings)
    by_account = findings(every, EVERYTHING, account_ids=["crm:ada"])
    assert set(by_account["account_id"]) == {"crm:ada"}
    by_person = findings(every, EVERYTHING, identity_ids=["hr:cy"])
    assert set(by_person["identity_id"]) == {"hr:cy"}
    assert findings(every, EVERYTHING, account_ids=[], identity_ids=[]).is_empty()
    assert findings(every, SALES, identity_ids=["hr:cy"]).is_empty()


def test_the_products_policy_is_the_one_that_counts(staffed: Company) -> None:
    staffed.seal()
    told = Policy.read(staffed.settings.policy)
    assert {one.policy_sha256 for one in assess_all(staffed.settings).values()} == {
        told.sha256
    }


def test_a_kept_policy_that_was_altered_is_refused(staffed: Company) -> None:
    staffed.seal()
    (assessment, *_) = assess_all(staffed.settings).values()
    sha256 = assessment.policy_sha256
    assert kept_policy(staffed.settings, sha256).sha256 == sha256
    kept = staffed.settings.data / "policies" / f"{sha256}.toml"
    kept.write_text(kept.read_text("utf-8") + "\ndormant_days_too = 1\n", "utf-8")
    with pytest.raises(PolicyError, match="altered since it was kept"):
        kept_policy(staffed.settings, sha256)
