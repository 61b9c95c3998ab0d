import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors import CONNECTORS, connector_named
from connectors.conform import extract
from governance.schema import Extract, ExtractError
from governance.settings import ROOT, Settings

Take = Callable[..., Extract]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Write files and the source's part of gatebook.toml, and extract the source."""

    def extracted(told: str, **contents: str | bytes) -> Extract:
        for name, content in contents.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        config = tmp_path / "gatebook.toml"
        config.write_text(f'[sources.hr]\nconnector = "table"\n{told}', "utf-8")
        settings = Settings.read(config)
        source = settings.sources["hr"]
        connector = connector_named(source.connector)
        return extract(connector, connector.context("hr", settings, source))

    return extracted


def spec(table: str, columns: str, path: str = "a.csv", more: str = "") -> str:
    return (
        f'[[sources.hr.files]]\npath = "{path}"\n{more}\n'
        f"[sources.hr.files.{table}]\n{columns}\n"
    )


def only(extract: Extract, table: str, *columns: str) -> list[dict[str, Any]]:
    return extract.frames[table].select(columns).to_dicts()


ROSTER = """工号,姓名,部门,状态,入职日期,离职日期
00123,王伟,销售部,在职,2024/01/05,
00124,王伟,销售部,离职,2023/03/01,2024/6/30
"""
ROSTER_SPEC = spec(
    "identities",
    """
identity_id = "工号"
employee_number = "工号"
display_name = "姓名"
department_id = "部门"
employment_status = { column = "状态", values = { "在职" = "active", "离职" = "left" } }
start_date = { column = "入职日期", format = "%Y/%m/%d" }
end_date = { column = "离职日期", format = "%Y/%m/%d" }
""",
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_chinese_roster_is_read_in_the_encoding_it_came_in(
    take: Take, encoding: str
) -> None:
    taken = take(ROSTER_SPEC, a__csv=ROSTER.encode(encoding))
    assert only(
        taken,
        "identities",
        *("identity_id", "employee_number", "display_name", "department_id"),
        *("employment_status", "start_date", "end_date", "source_file", "source_row"),
    ) == [
        {
            "identity_id": "hr:00123",
            "employee_number": "00123",
            "display_name": "王伟",
            "department_id": "hr:销售部",
            "employment_status": "active",
            "start_date": date(2024, 1, 5),
            "end_date": None,
            "source_file": "a.csv",
            "source_row": 2,
        },
        {
            "identity_id": "hr:00124",
            "employee_number": "00124",
            "display_name": "王伟",
            "department_id": "hr:销售部",
            "employment_status": "left",
            "start_date": date(2023, 3, 1),
            "end_date": date(2024, 6, 30),
            "source_file": "a.csv",
            "source_row": 3,
        },
    ]
    assert taken.tie_outs[0].encoding == encoding


def test_what_no_column_tells_is_no_fact_of_the_source(take: Take) -> None:
    taken = take(ROSTER_SPEC, a__csv=ROSTER)
    assert "identities.end_date" in taken.facts
    assert "identities.manager_id" not in taken.facts
    row = taken.frames["identities"].row(0, named=True)
    assert row["manager_id"] is None
    assert row["employment_type"] == "unknown"


def test_one_file_feeds_several_tables_and_repeats_are_counted(take: Take) -> None:
    taken = take(
        ROSTER_SPEC
        + '[sources.hr.files.departments]\ndepartment_id = "部门"\nname = "部门"\n',
        a__csv=ROSTER,
    )
    assert only(taken, "departments", "department_id", "name") == [
        {"department_id": "hr:销售部", "name": "销售部"}
    ]
    tie_out = {tie.table_name: tie for tie in taken.tie_outs}["departments"]
    assert (tie_out.read, tie_out.accepted, tie_out.duplicate) == (2, 1, 1)


def test_an_unmapped_value_is_rejected_with_row_column_and_reason(take: Take) -> None:
    taken = take(ROSTER_SPEC, a__csv=ROSTER + "00125,李四,销售部,借调,2024/01/01,\n")
    assert taken.frames["identities"].height == 2
    rejected = taken.rejected.row(0, named=True)
    assert (rejected["file"], rejected["row"], rejected["column"]) == (
        "a.csv",
        4,
        "状态",
    )
    assert "状态 is '借调', which is none of active" in rejected["reason"]


def test_a_date_in_no_declared_format_is_rejected_as_it_was_written(
    take: Take,
) -> None:
    taken = take(ROSTER_SPEC, a__csv=ROSTER + "00125,李四,销售部,在职,05.01.24,\n")
    rejected = taken.rejected.row(0, named=True)
    assert (rejected["code"], rejected["value"]) == ("not_a_date", "05.01.24")


def test_an_explicit_default_takes_unmapped_values_but_not_empty_ones(
    take: Take,
) -> None:
    taken = take(
        spec(
            "accounts",
            'account_id = "id"\n'
            'is_enabled = { column = "s", values = { ON = true }, otherwise = false }\n'
            'account_type = { column = "t", values = { "" = "person" }, '
            'otherwise = "service" }',
        ),
        a__csv="id,s,t\n1,ON,\n2,odd,x\n3,,\n",
    )
    assert only(taken, "accounts", "is_enabled", "account_type") == [
        {"is_enabled": True, "account_type": "person"},
        {"is_enabled": False, "account_type": "service"},
        {"is_enabled": None, "account_type": "person"},
    ]


def test_values_are_compared_without_the_blanks_around_them(take: Take) -> None:
    taken = take(
        spec(
            "accounts",
            'account_id = "id"\n'
            'mfa_state = { column = "m", values = { " on " = "enabled" } }',
        ),
        a__csv="id,m\n1,  on\n",
    )
    assert only(taken, "accounts", "mfa_state") == [{"mfa_state": "enabled"}]


def test_true_and_false_need_no_map_and_anything_else_is_rejected(take: Take) -> None:
    taken = take(
        spec("accounts", 'account_id = "id"\nis_enabled = "on"'),
        a__csv="id,on\n1,TRUE\n2,false\n3,1\n",
    )
    assert only(taken, "accounts", "is_enabled") == [
        {"is_enabled": True},
        {"is_enabled": False},
    ]
    assert taken.rejected["code"].to_list() == ["not_a_flag"]


def test_ids_bear_the_source_unless_told_otherwise_and_empty_ones_stay_null(
    take: Take,
) -> None:
    taken = take(
        spec(
            "accounts",
            'account_id = { column = "user", prefix = "crm:" }\n'
            'sponsor_identity_id = "sponsor"',
        )
        + spec(
            "grants",
            'account_id = { column = "user", prefix = "crm:" }\n'
            'entitlement_id = { column = "role", prefix = "" }\n'
            'via = { constant = "direct" }\n'
            'granted_by = { column = "by", prefix = "crm:" }',
        ),
        a__csv="user,sponsor,role,by\n 7 ,P1,crm:admin,1\n8,,crm:user,\n",
    )
    assert only(
        taken, "accounts", "account_id", "native_id", "sponsor_identity_id"
    ) == [
        {"account_id": "crm:7", "native_id": "7", "sponsor_identity_id": "hr:P1"},
        {"account_id": "crm:8", "native_id": "8", "sponsor_identity_id": None},
    ]
    assert only(taken, "grants", "account_id", "entitlement_id", "granted_by") == [
        {"account_id": "crm:7", "entitlement_id": "crm:admin", "granted_by": "crm:1"},
        {"account_id": "crm:8", "entitlement_id": "crm:user", "granted_by": None},
    ]


def test_a_native_id_that_is_told_is_kept(take: Take) -> None:
    taken = take(
        spec("accounts", 'account_id = "id"\nnative_id = "guid"'),
        a__csv="id,guid\n1,abc\n",
    )
    assert only(taken, "accounts", "account_id", "native_id") == [
        {"account_id": "hr:1", "native_id": "abc"}
    ]


# Dates and times


def at(take: Take, value: str, written: str) -> object:
    taken = take(
        spec("accounts", f'account_id = "id"\ncreated_at = {written}'),
        a__csv=f'id,at\n0,2020-01-01\n1,"{value}"\n',
    )
    return taken.frames["accounts"]["created_at"][1]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("2024-03-01 08:00:00", '"at"'),
        ("2024-03-01T00:00:00Z", '"at"'),
        ("2024/3/1 8:00", '{ column = "at", format = "%Y/%m/%d %H:%M" }'),
        ("01.03.2024 08:00", '{ column = "at", format = ["%F", "%d.%m.%Y %H:%M"] }'),
        (
            "2024年3月1日 08时00分",
            '{ column = "at", format = "%Y年%m月%d日 %H时%M分" }',
        ),
        ("1709251200", '{ column = "at", format = "unix" }'),
        ("1709251200000", '{ column = "at", format = "unix_ms" }'),
        (
            "01/Mar/2024:02:00:00 +0200",
            '{ column = "at", format = "%d/%b/%Y:%H:%M:%S %z" }',
        ),
    ],
)
def test_times_without_a_zone_are_local_and_all_are_utc_in_the_end(
    take: Take, value: str, written: str
) -> None:
    # The zone of the settings is Asia/Shanghai, eight hours before UTC.
    assert at(take, value, written) == datetime(2024, 3, 1, tzinfo=UTC)


def test_a_date_taken_from_a_time_is_the_local_day(take: Take) -> None:
    taken = take(
        spec(
            "identities",
            'identity_id = "id"\nend_date = { column = "at", format = "unix" }\n'
            'start_date = { column = "on", format = "%Y/%m/%d %H:%M:%S" }',
        ),
        a__csv="id,at,on\n1,1709226000,2024/02/29 23:59:59\n",
    )
    # 2024-02-29 17:00 UTC is already 1 March in Shanghai.
    assert only(taken, "identities", "start_date", "end_date") == [
        {"start_date": date(2024, 2, 29), "end_date": date(2024, 3, 1)}
    ]


# Lists


def test_each_element_of_a_list_is_a_row_and_an_empty_list_is_none(take: Take) -> None:
    users = [
        {"user": "1", "roles": ["admin", "user"]},
        {"user": "2", "roles": []},
        {"user": "3", "roles": None},
        {"user": "4", "roles": ["user", ""]},
    ]
    taken = take(
        spec(
            "grants",
            'account_id = "user"\nentitlement_id = { column = "roles", each = true }\n'
            'via = { constant = "role" }',
            path="a.json",
            more="total = 4",
        ),
        a__json=json.dumps(users),
    )
    assert only(taken, "grants", "account_id", "entitlement_id", "source_row") == [
        {"account_id": "hr:1", "entitlement_id": "hr:admin", "source_row": 1},
        {"account_id": "hr:1", "entitlement_id": "hr:user", "source_row": 1},
        {"account_id": "hr:4", "entitlement_id": "hr:user", "source_row": 4},
    ]
    assert taken.tie_outs[0].read == 3
    assert taken.tie_outs[0].stated is None
    assert taken.completeness == "full"


def test_a_list_written_as_text_is_taken_apart_at_its_separator(take: Take) -> None:
    taken = take(
        spec(
            "grants",
            'account_id = "user"\nvia = { constant = "role" }\n'
            'entitlement_id = { column = "roles", each = true, separator = ";" }',
        ),
        a__csv="user,roles\n1,admin; user\n2,\n",
    )
    assert only(taken, "grants", "entitlement_id") == [
        {"entitlement_id": "hr:admin"},
        {"entitlement_id": "hr:user"},
    ]


def test_lists_side_by_side_are_taken_apart_together(take: Take) -> None:
    columns = (
        'entitlement_id = { column = "r.id", each = true }\n'
        'name = { column = "r.name", each = true }'
    )
    taken = take(
        spec("entitlements", columns, path="a.json"),
        a__json='[{"r": [{"id": 1, "name": "管理员"}, {"id": 2}]}]',
    )
    assert only(taken, "entitlements", "entitlement_id", "native_id", "name") == [
        {"entitlement_id": "hr:1", "native_id": "1", "name": "管理员"},
        {"entitlement_id": "hr:2", "native_id": "2", "name": None},
    ]


def test_lists_of_different_lengths_are_refused(take: Take) -> None:
    with pytest.raises(ExtractError, match=r"a.json: row 2 has lists of different"):
        take(
            spec(
                "entitlements",
                'entitlement_id = { column = "a", each = true }\n'
                'name = { column = "b", each = true }',
                path="a.json",
            ),
            a__json='[{"a": [1], "b": [2]}, {"a": [1, 2], "b": [3]}]',
        )


def test_a_list_in_one_cell_is_mapped_sorted_and_joined(take: Take) -> None:
    taken = take(
        spec(
            "entitlements",
            'entitlement_id = "id"\n'
            'abilities = { column = "a", separator = "/", '
            'values = { "导出" = "export", "删除" = "delete" } }',
        ),
        a__csv="id,a\n1,导出/ 删除/导出\n2,\n",
    )
    assert only(taken, "entitlements", "abilities") == [
        {"abilities": "delete,export"},
        {"abilities": None},
    ]


# Totals


@pytest.mark.parametrize(
    ("total", "completeness", "is_balanced"),
    [
        ("", "unknown", True),
        ("total = 2", "full", True),
        ("total = 3", "unknown", False),
    ],
)
def test_a_stated_total_is_met_or_the_tie_out_says_so(
    take: Take, total: str, completeness: str, is_balanced: bool
) -> None:
    columns = 'identity_id = "工号"'
    taken = take(spec("identities", columns, more=total), a__csv=ROSTER)
    assert taken.completeness == completeness
    assert taken.tie_outs[0].is_balanced == is_balanced
    assert bool(taken.notes) != is_balanced
    if taken.notes:
        assert taken.notes == ("a.csv holds 2 rows where its source states 3.",)


def test_a_total_inside_the_file_counts(take: Take) -> None:
    taken = take(
        spec(
            "accounts",
            'account_id = "id"',
            path="a.json",
            more='rows = "value"\ntotal_from = "meta.0.count"',
        ),
        a__json='{"value": [{"id": 1}], "meta": [{"count": 1}]}',
    )
    assert taken.tie_outs[0].stated == 1
    assert taken.completeness == "full"


def test_a_file_of_headers_alone_is_an_empty_table_and_noted(take: Take) -> None:
    taken = take(spec("identities", 'identity_id = "工号"'), a__csv="工号\n")
    assert taken.tie_outs[0].read == 0
    assert taken.notes == ("a.csv holds headers and not one row.",)
    assert taken.frames["identities"].is_empty()


def test_the_moment_of_a_file_is_when_it_was_written(
    take: Take, tmp_path: Path
) -> None:
    older, newer = tmp_path / "a.csv", tmp_path / "b.csv"
    for path, moment in ((older, 1_700_000_000), (newer, 1_700_003_600)):
        path.write_text("id\n1\n")
        os.utime(path, (moment, moment))
    taken = take(
        spec("identities", 'identity_id = "id"')
        + spec("accounts", 'account_id = "id"', path="b.csv")
    )
    assert taken.extracted_at == datetime.fromtimestamp(1_700_003_600, UTC)
    assert taken.method == "file"


# What cannot be meant


def test_a_missing_column_is_refused_with_those_there_are(take: Take) -> None:
    with pytest.raises(ExtractError) as error:
        take(ROSTER_SPEC, a__csv="编号,姓名\n1,王伟\n")
    assert str(error.value) == (
        "source hr: a.csv: has no column '工号' for identities.identity_id; "
        "its columns are 编号, 姓名"
    )


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("", "files: Field required"),
        ("files = []", "files: "),
        ('[[sources.hr.files]]\npath = "a.csv"', "a.csv feeds no table; add one of id"),
        (spec("users", 'id = "id"'), "files.0.users: Extra inputs"),
        (
            spec("identities", 'identity_id = "id"\nfull_name = "n"'),
            "identities.full_name: there is no such column; identities has identity_id",
        ),
        (spec("identities", 'email = "e"'), "say where identity_id comes from"),
        (
            spec("grants", 'account_id = "a"\nentitlement_id = "e"'),
            "grants: say where via comes from",
        ),
        (
            spec("accounts", 'account_id = "id"\nis_enabled = { constant = "on" }'),
            "accounts.is_enabled: 'on' is none of true, false",
        ),
        (
            spec(
                "accounts",
                'account_id = "id"\nmfa_state = { column = "m", otherwise = "yes" }',
            ),
            "accounts.mfa_state: 'yes' is none of enabled, disabled, unknown",
        ),
        (
            spec(
                "accounts",
                'account_id = "id"\nmfa_state = { column = "m", values = { a = "b" } }',
            ),
            "accounts.mfa_state: 'b' is none of",
        ),
        (
            spec("accounts", 'account_id = { column = "id", constant = "1" }'),
            "files.0.accounts.account_id: name either column or constant",
        ),
        (
            spec("accounts", "account_id = { }"),
            "files.0.accounts.account_id: name either column or constant",
        ),
        (
            spec("accounts", 'account_id = { column = "id", maps = 1 }'),
            "files.0.accounts.account_id.maps: Extra inputs",
        ),
        (
            spec(
                "accounts", 'account_id = "id"\nlogin = { column = "l", format = "%Y" }'
            ),
            "accounts.login: format is for dates and times",
        ),
        (
            spec("accounts", 'account_id = { constant = "x", each = true }'),
            "accounts.account_id: each needs a column",
        ),
        (
            spec("accounts", 'account_id = "i"', more='total = 1\ntotal_from = "a"'),
            "name either total or total_from",
        ),
        (spec("accounts", 'account_id = "i"', more="header = 0"), "files.0.header"),
    ],
)
def test_a_key_that_cannot_be_meant_is_named_before_any_file_is_read(
    take: Take, told: str, message: str
) -> None:
    with pytest.raises(ExtractError) as error:
        take(told)
    assert "gatebook.toml: sources.hr." in str(error.value)
    assert message in str(error.value)


def test_a_missing_file_names_source_and_file(take: Take) -> None:
    with pytest.raises(ExtractError, match=r"^source hr: a.csv: no such file"):
        take(ROSTER_SPEC)


def test_an_unknown_connector_is_refused_with_those_there_are() -> None:
    with pytest.raises(ExtractError, match=r"no connector 'tabel'; .*table"):
        connector_named("tabel")
    assert connector_named("table") is CONNECTORS["table"]


def test_every_connector_is_known_by_its_own_name() -> None:
    assert all(name == connector.name for name, connector in CONNECTORS.items())


# Foreign data, in the shapes that other systems write


RBAC_SPEC = (
    spec(
        "accounts",
        'account_id = "user_id"\nlogin = "username"\n'
        'is_enabled = { column = "status", values = { ACTIVE = true }, '
        "otherwise = false }\n"
        'mfa_state = { column = "mfa_enabled", '
        'values = { true = "enabled", false = "disabled" } }',
        path="users.json",
    )
    + spec(
        "entitlements",
        'entitlement_id = "role_id"\nname = "role_name"',
        path="roles.json",
    )
    + spec(
        "grants",
        'account_id = "user_id"\nentitlement_id = "role_id"\n'
        'via = { constant = "role" }\nvalid_until = "expires_on"',
        path="user_roles.json",
    )
)


def keyed(name: str, *records: dict[str, object]) -> str:
    return json.dumps({str(record[name]): record for record in records})


def user(number: int, status: str, mfa: bool) -> dict[str, object]:
    return {
        "user_id": f"U-{number}",
        "username": f"user{number}",
        "status": status,
        "mfa_enabled": mfa,
    }


def grant(number: int, holder: int, expires: str | None = None) -> dict[str, object]:
    return {
        "user_role_id": f"UR-{number}",
        "user_id": f"U-{holder}",
        "role_id": "ROL-1",
        "expires_on": expires,
    }


def test_objects_keyed_by_id_as_an_rbac_service_dumps_them(take: Take) -> None:
    taken = take(
        RBAC_SPEC,
        users__json=keyed(
            "user_id",
            user(1, "ACTIVE", False),
            user(2, "SUSPENDED", True),
            user(3, "ACTIVE", True),
        ),
        roles__json=keyed("role_id", {"role_id": "ROL-1", "role_name": "base"}),
        user_roles__json=keyed(
            "user_role_id",
            grant(1, 1),
            grant(2, 2, "2024-05-15 16:00:00+00:00"),
        ),
    )
    accounts, grants = taken.frames["accounts"], taken.frames["grants"]
    assert accounts["is_enabled"].to_list() == [True, False, True]
    assert accounts["mfa_state"].to_list() == ["disabled", "enabled", "enabled"]
    assert accounts.join(grants, on="account_id", how="anti")[
        "account_id"
    ].to_list() == ["hr:U-3"]
    assert grants["valid_until"].to_list() == [
        None,
        datetime(2024, 5, 15, 16, tzinfo=UTC),
    ]
    assert all(tie.is_balanced for tie in taken.tie_outs)


def tenant_user(
    name: str, *roles: str, mfa: str = "Unknown", last: str | None = None
) -> dict[str, object]:
    return {
        "id": name,
        "accountEnabled": True,
        "roles": roles,
        "activity": {"lastSignInDateTime": last, "neverSignedIn": last is None},
        "mfa": {"state": mfa},
    }


def test_a_tenant_report_with_people_in_two_lists(take: Take) -> None:
    report = {
        "collectionMetadata": [{"name": "Directory users", "recordCount": 3}],
        "privilegedAccounts": [
            tenant_user(
                "admin-1",
                "Global Administrator",
                mfa="Registered",
                last="2026-07-10T14:30:00Z",
            ),
            tenant_user("admin-2", "Global Administrator", mfa="NotRegistered"),
        ],
        "guests": [tenant_user("guest-1")],
    }
    taken = take(
        spec(
            "accounts",
            'account_id = "id"\nis_enabled = "accountEnabled"\n'
            'account_type = { column = "@rows", values = { guests = "guest" }, '
            'otherwise = "unknown" }\n'
            'last_login_at = "activity.lastSignInDateTime"\n'
            'last_login_basis = { constant = "attempt" }\n'
            'never_logged_in = "activity.neverSignedIn"\n'
            'mfa_state = { column = "mfa.state", values = { Registered = "enabled", '
            'NotRegistered = "disabled" }, otherwise = "unknown" }\n'
            "[sources.hr.files.entitlements]\n"
            'entitlement_id = { column = "roles", each = true }\n'
            'name = { column = "roles", each = true }\n'
            "[sources.hr.files.grants]\n"
            'account_id = "id"\nvia = { constant = "role" }\n'
            'entitlement_id = { column = "roles", each = true }',
            path="tenant.json",
            more='rows = ["privilegedAccounts", "guests"]\n'
            'total_from = "collectionMetadata.0.recordCount"',
        ),
        tenant__json=json.dumps(report),
    )
    assert only(
        taken, "accounts", "native_id", "account_type", "mfa_state", "never_logged_in"
    ) == [
        {"native_id": "admin-1", "account_type": "unknown", "mfa_state": "enabled"}
        | {"never_logged_in": False},
        {"native_id": "admin-2", "account_type": "unknown", "mfa_state": "disabled"}
        | {"never_logged_in": True},
        {"native_id": "guest-1", "account_type": "guest", "mfa_state": "unknown"}
        | {"never_logged_in": True},
    ]
    assert only(taken, "entitlements", "entitlement_id", "name") == [
        {"entitlement_id": "hr:Global Administrator", "name": "Global Administrator"}
    ]
    assert taken.frames["grants"].height == 2
    assert taken.completeness == "full"
    assert (
        taken.frames["accounts"].filter(pl.col("last_login_at").is_null()).height == 2
    )


def test_the_example_configuration_says_only_what_the_connectors_know() -> None:
    settings = Settings.read(ROOT / "data" / "gatebook.example.toml")
    named = {source.connector for source in settings.sources.values()}
    for name, source in settings.sources.items():
        connector = connector_named(source.connector)
        assert connector.context(name, settings, source).source == name
    assert named == set(CONNECTORS)
