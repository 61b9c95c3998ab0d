from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from connectors.conform import conform, extract
from connectors.connector import (
    Connector,
    Context,
    Draft,
    Normalised,
    Parameters,
    RawExport,
    RawTable,
)
from governance.schema import (
    ACCOUNTS,
    GRANTS,
    IDENTITIES,
    LOGIN_EVENTS,
    OPERATIONS,
    Extract,
    ExtractError,
    Table,
)
from governance.settings import Settings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    config = tmp_path / "gatebook.toml"
    config.write_text(
        'time_zone = "Asia/Shanghai"\n[sources.crm]\nconnector = "invented"\n'
        'title = "客户系统"\noperator = "ops@example.com"\n'
    )
    return Context(
        source="crm", settings=Settings.read(config), parameters=Parameters()
    )


def raw(file: str = "users.csv", stated: int | None = None) -> RawTable:
    return RawTable(
        name="users", file=file, rows=pl.DataFrame(), sha256="ab" * 32, stated=stated
    )


def draft(
    table: Table,
    *records: Mapping[str, object],
    file: str = "users.csv",
    stated: int | None = None,
    headers: Mapping[str, str] | None = None,
    rejected: pl.DataFrame | None = None,
) -> Draft:
    rows = pl.DataFrame(list(records)).with_row_index("source_row", 2)
    return Draft(
        table=table,
        raw=raw(file, stated),
        rows=rows,
        headers=headers or {},
        rejected=rejected,
    )


def conformed(context: Context, *drafts: Draft) -> Extract:
    export = RawExport(tables={}, extracted_at=NOON, method="file")
    normalised = Normalised(drafts=drafts, completeness="full", notes=("A note.",))

    def fetch(_: Context) -> RawExport:
        return export

    def normalise(_: Context, __: RawExport) -> Normalised:
        return normalised

    connector = Connector(
        name="invented",
        title="Invented",
        parameters=Parameters,
        fetch=fetch,
        normalise=normalise,
    )
    return extract(connector, context)


def account(number: int = 1, **facts: object) -> dict[str, object]:
    return {"account_id": f"crm:{number}", "native_id": str(number)} | facts


def test_every_accepted_row_has_the_schema_and_leads_back_to_its_line(
    context: Context,
) -> None:
    taken = conformed(context, draft(ACCOUNTS, account(login=" wang ")))
    frame = taken.frame(ACCOUNTS)
    assert dict(frame.schema) == ACCOUNTS.schema
    row = frame.row(0, named=True)
    assert (row["source"], row["source_file"], row["source_row"]) == (
        "crm",
        "users.csv",
        2,
    )
    assert row["login"] == "wang"


def test_the_extract_says_where_it_came_from(context: Context) -> None:
    taken = conformed(context, draft(ACCOUNTS, account()))
    assert (taken.source, taken.connector, taken.title) == (
        "crm",
        "invented",
        "客户系统",
    )
    assert (taken.operator, taken.extracted_at) == ("ops@example.com", NOON)
    assert (taken.completeness, taken.notes) == ("full", ("A note.",))
    assert taken.frame(GRANTS).is_empty()


def test_what_nobody_told_is_null_or_unknown_and_no_fact(context: Context) -> None:
    taken = conformed(context, draft(ACCOUNTS, account(mfa_state="")))
    row = taken.frame(ACCOUNTS).row(0, named=True)
    assert row["is_enabled"] is None
    assert row["mfa_state"] == "unknown"
    assert row["account_type"] == "unknown"
    assert "accounts.mfa_state" in taken.facts
    assert "accounts.account_type" not in taken.facts
    assert {"accounts", "accounts.account_id"} <= taken.facts


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2024-03-01 08:00:00", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01 08:00", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01", datetime(2024, 2, 29, 16, tzinfo=UTC)),
        ("2024-03-01T00:00:00Z", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01T00:00:00.5Z", datetime(2024, 3, 1, 0, 0, 0, 500_000, UTC)),
        ("2024-03-01T02:00:00+02:00", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01 02:00+02:00", datetime(2024, 3, 1, tzinfo=UTC)),
        ("2024-03-01T00:00:00.1234567Z", datetime(2024, 3, 1, 0, 0, 0, 123_456, UTC)),
    ],
)
def test_times_become_utc_and_those_without_a_zone_are_local(
    context: Context, given: str, meant: datetime
) -> None:
    taken = conformed(context, draft(ACCOUNTS, account(created_at=given)))
    assert taken.frame(ACCOUNTS)["created_at"].to_list() == [meant]


def test_a_local_time_that_came_twice_is_the_first_and_one_that_never_came_is_rejected(
    context: Context,
) -> None:
    # New York, 2026: 01:30 on 1 November came twice, 02:30 on 8 March never.
    abroad = replace(
        context, settings=replace(context.settings, time_zone="America/New_York")
    )
    taken = conformed(
        abroad,
        draft(
            ACCOUNTS,
            account(1, created_at="2026-11-01 01:30:00"),
            account(2, created_at="2026-03-08 02:30:00"),
        ),
    )
    assert taken.frame(ACCOUNTS)["created_at"].to_list() == [
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    ]
    assert taken.rejected["code"].to_list() == ["not_a_time"]


def test_values_already_typed_are_taken_as_they_are(context: Context) -> None:
    facts = {"is_enabled": True, "created_at": NOON}
    taken = conformed(context, draft(ACCOUNTS, account(1, **facts)))
    row = taken.frame(ACCOUNTS).row(0, named=True)
    assert {name: row[name] for name in facts} == facts
    people = conformed(
        context,
        draft(IDENTITIES, {"identity_id": "hr:1", "end_date": date(2024, 1, 2)}),
    )
    assert people.frame(IDENTITIES)["end_date"].to_list() == [date(2024, 1, 2)]


@pytest.mark.parametrize(
    ("table", "good", "column", "value", "code", "reason"),
    [
        (ACCOUNTS, {}, "mfa_state", "2", "not_in_vocabulary", "none of enabled, dis"),
        (ACCOUNTS, {}, "is_enabled", "Y", "not_a_flag", "neither true nor false"),
        (ACCOUNTS, {}, "created_at", "1.3.24", "not_a_time", "not a date and time"),
        (ACCOUNTS, {}, "created_at", "2024-02-30", "not_a_time", "declare its format"),
        (IDENTITIES, {"identity_id": "i"}, "end_date", "n/a", "not_a_date", "not a da"),
        (
            OPERATIONS,
            {"at": "2024-01-01"},
            "object_count",
            "3.5",
            "not_a_number",
            "who",
        ),
        (GRANTS, {"entitlement_id": "r", "via": "x"}, "via", "x", "not_in_v", "direct"),
    ],
)
def test_a_value_without_meaning_rejects_its_row_in_a_sentence(
    context: Context,
    table: Table,
    good: dict[str, object],
    column: str,
    value: str,
    code: str,
    reason: str,
) -> None:
    key = {"account_id": "crm:1"} if "account_id" in table.columns else {}
    native = {"native_id": "1"} if table is ACCOUNTS else {}
    fine = good | key | native | ({"via": "direct"} if table is GRANTS else {})
    other = {
        name: f"{text}2" if name in table.key else text for name, text in fine.items()
    } | ({"via": "direct"} if table is GRANTS else {})
    taken = conformed(
        context,
        draft(table, other, fine | {column: value}, headers={column: "表头"}),
    )
    assert taken.frame(table).height == 1
    rejected = taken.rejected.row(0, named=True)
    assert rejected["source"] == "crm"
    assert rejected["table_name"] == table.name
    assert (rejected["file"], rejected["row"]) == ("users.csv", 3)
    assert (rejected["column"], rejected["value"]) == ("表头", value)
    assert rejected["code"].startswith(code)
    assert rejected["reason"].startswith(f"表头 is '{value}'")
    assert reason in rejected["reason"]


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_a_row_without_its_key_is_rejected(context: Context, empty: str | None) -> None:
    taken = conformed(
        context, draft(ACCOUNTS, account(1), account(2) | {"account_id": empty})
    )
    rejected = taken.rejected.row(0, named=True)
    assert (rejected["code"], rejected["value"]) == ("missing_value", None)
    assert rejected["reason"] == (
        "account_id is empty, and accounts cannot do without it"
    )


def test_a_long_value_is_quoted_in_part(context: Context) -> None:
    taken = conformed(
        context, draft(ACCOUNTS, account(1), account(2, is_enabled="y" * 500))
    )
    assert len(taken.rejected["reason"][0]) < 200


def test_only_the_first_fault_of_a_row_is_told(context: Context) -> None:
    taken = conformed(
        context,
        draft(ACCOUNTS, account(1), account(2, is_enabled="x", mfa_state="y")),
    )
    assert taken.rejected["code"].to_list() == ["not_a_flag"]


def test_a_row_equal_to_an_earlier_one_is_a_duplicate(context: Context) -> None:
    taken = conformed(context, draft(ACCOUNTS, account(1), account(1)))
    assert taken.frame(ACCOUNTS).height == 1
    assert taken.rejected.is_empty()
    assert taken.tie_outs[0].duplicate == 1


def test_a_repeated_key_with_other_values_is_rejected_and_the_first_stays(
    context: Context,
) -> None:
    taken = conformed(
        context, draft(ACCOUNTS, account(1, login="a"), account(1, login="b"))
    )
    assert taken.frame(ACCOUNTS)["login"].to_list() == ["a"]
    rejected = taken.rejected.row(0, named=True)
    assert (rejected["row"], rejected["code"]) == (3, "repeated_key")
    assert "account_id 'crm:1' stands in an earlier row" in rejected["reason"]


def test_a_key_repeated_in_a_second_file_is_found_too(context: Context) -> None:
    taken = conformed(
        context,
        draft(ACCOUNTS, account(1, login="a"), file="one.csv"),
        draft(
            ACCOUNTS,
            account(1, login="a"),
            account(1, login="b"),
            account(2, login="c"),
            file="two.csv",
        ),
    )
    assert taken.frame(ACCOUNTS)["source_file"].to_list() == ["one.csv", "two.csv"]
    second = taken.tie_outs[1]
    assert (second.read, second.accepted, second.rejected, second.duplicate) == (
        3,
        1,
        1,
        1,
    )
    assert taken.rejected["file"].to_list() == ["two.csv"]


def test_a_grant_given_in_two_ways_is_two_rows(context: Context) -> None:
    grant = {"account_id": "crm:1", "entitlement_id": "crm:r"}
    taken = conformed(
        context, draft(GRANTS, grant | {"via": "direct"}, grant | {"via": "group"})
    )
    assert taken.frame(GRANTS).height == 2


def test_events_may_truly_repeat(context: Context) -> None:
    event = {"account_id": "crm:1", "at": "2024-01-01 08:00:00"}
    taken = conformed(context, draft(LOGIN_EVENTS, event, event))
    assert taken.frame(LOGIN_EVENTS).height == 2
    assert taken.tie_outs[0].duplicate == 0


def test_rows_set_aside_by_normalise_count_as_read_and_rejected(
    context: Context,
) -> None:
    aside = pl.DataFrame(
        {
            "source_row": [9],
            "column": ["login"],
            "code": ["odd"],
            "value": ["x"],
            "reason": ["login is odd"],
        }
    )
    taken = conformed(
        context,
        draft(ACCOUNTS, account(1), rejected=aside, headers={"login": "登录名"}),
    )
    assert taken.rejected.row(0, named=True) == {
        "source": "crm",
        "table_name": "accounts",
        "file": "users.csv",
        "row": 9,
        "column": "登录名",
        "code": "odd",
        "value": "x",
        "reason": "login is odd",
    }
    tie_out = taken.tie_outs[0]
    assert (tie_out.read, tie_out.accepted, tie_out.rejected) == (2, 1, 1)
    assert tie_out.is_balanced


@pytest.mark.parametrize(
    ("stated", "is_balanced"), [(None, True), (4, True), (5, False), (3, False)]
)
def test_read_is_accepted_and_rejected_and_duplicate(
    context: Context, stated: int | None, is_balanced: bool
) -> None:
    taken = conformed(
        context,
        draft(
            ACCOUNTS,
            account(1),
            account(1),
            account(2, is_enabled="x"),
            account(1, login="y"),
            stated=stated,
        ),
    )
    tie_out = taken.tie_outs[0]
    assert (tie_out.read, tie_out.accepted, tie_out.rejected, tie_out.duplicate) == (
        4,
        1,
        2,
        1,
    )
    assert tie_out.is_balanced == is_balanced
    assert tie_out.stated == stated
    assert tie_out.sha256 == "ab" * 32


def test_a_file_of_which_no_row_can_be_taken_is_refused(context: Context) -> None:
    with pytest.raises(ExtractError) as error:
        conformed(context, draft(ACCOUNTS, account(1, is_enabled="是")))
    assert str(error.value).startswith(
        "source crm: users.csv: not one of its rows can be read as accounts; row 2: "
        "is_enabled is '是'"
    )


def test_a_file_without_rows_is_an_empty_table(context: Context) -> None:
    empty = draft(ACCOUNTS, account(1))
    taken = conformed(context, replace(empty, rows=empty.rows.clear()))
    assert taken.frame(ACCOUNTS).is_empty()
    assert taken.tie_outs[0].read == 0


def test_a_column_the_table_does_not_know_is_refused(context: Context) -> None:
    with pytest.raises(ExtractError, match="accounts has no column full_name"):
        conformed(context, draft(ACCOUNTS, account(1, full_name="x")))


def test_conform_itself_names_no_source_twice(context: Context) -> None:
    export = RawExport(tables={}, extracted_at=NOON, method="file")
    normalised = Normalised(drafts=(draft(ACCOUNTS, account(1, odd="x")),))
    connector = Connector(
        name="invented",
        title="Invented",
        parameters=Parameters,
        fetch=lambda _: export,
        normalise=lambda _, __: normalised,
    )
    with pytest.raises(ExtractError, match=r"^users.csv: accounts has no column odd"):
        conform(connector, context, export, normalised)
