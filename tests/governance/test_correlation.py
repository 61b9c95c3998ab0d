"""Matching accounts to identities."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from governance.correlation import (
    CorrelationError,
    confirmed_for_nobody,
    keys_naming_others,
    match_owners,
    read_confirmed,
)
from governance.schema import ACCOUNTS, IDENTITIES

ADA = {
    "identity_id": "ada",
    "employee_number": "1001",
    "email": "ada@example.com",
    "phone": "13800000001",
    "directory_id": "dir-ada",
    "display_name": "李四",
}
BOB = {
    "identity_id": "bob",
    "employee_number": "1002",
    "email": "bob@example.com",
    "phone": "13800000002",
    "directory_id": "dir-bob",
    "display_name": "王伟",
}


def accounts(*rows: dict[str, Any]) -> pl.DataFrame:
    filled = [{"account_id": "a", "account_type": "person"} | row for row in rows]
    return pl.DataFrame(filled, schema=ACCOUNTS.schema)


def identities(*rows: dict[str, Any]) -> pl.DataFrame:
    filled = [{"employment_status": "active"} | row for row in rows]
    return pl.DataFrame(filled, schema=IDENTITIES.schema)


def confirmed(account: str, identity: str, by: str = "Carol") -> dict[str, str]:
    return {"account_id": account, "identity_id": identity, "confirmed_by": by}


def owner(account: dict[str, Any], *people: dict[str, Any]) -> tuple[Any, ...]:
    (row,) = match_owners(accounts(account), identities(*people)).rows()
    return row[1:3]


def test_every_account_stands_once_and_in_order() -> None:
    owners = match_owners(
        accounts(
            {"account_id": "z", "email": "ada@example.com"},
            {"account_id": "m"},
            {"account_id": "b", "phone": "13800000002"},
        ),
        identities(ADA, BOB),
    )
    assert owners.rows() == [
        ("z", "ada", "email", None),
        ("m", None, None, None),
        ("b", "bob", "phone", None),
    ]


def test_no_accounts_and_no_identities_give_no_owners() -> None:
    assert match_owners(ACCOUNTS.empty(), IDENTITIES.empty()).is_empty()
    assert match_owners(accounts({}), IDENTITIES.empty())["identity_id"].to_list() == [
        None
    ]


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        ("employee_number", "email"),
        ("email", "phone"),
        ("phone", "directory_id"),
    ],
)
def test_a_stronger_rule_beats_a_weaker_one(stronger: str, weaker: str) -> None:
    account = {stronger: ADA[stronger], weaker: BOB[weaker]}
    assert owner(account, ADA, BOB) == ("ada", stronger)


def test_a_confirmation_beats_email_but_not_the_employee_number() -> None:
    told = pl.DataFrame([confirmed("a", "bob"), confirmed("b", "bob")])
    owners = match_owners(
        accounts(
            {"account_id": "a", "email": "ada@example.com"},
            {"account_id": "b", "employee_number": "1001"},
        ),
        identities(ADA, BOB),
        told,
    )
    assert owners.rows() == [
        ("a", "bob", "confirmed", "Carol"),
        ("b", "ada", "employee_number", None),
    ]


def test_a_confirmation_for_nobody_known_leaves_the_other_rules() -> None:
    told = pl.DataFrame([confirmed("a", "nobody")])
    owners = match_owners(accounts({"email": "ada@example.com"}), identities(ADA), told)
    assert owners.rows() == [("a", "ada", "email", None)]


def test_two_confirmations_that_differ_match_nobody() -> None:
    told = pl.DataFrame([confirmed("a", "ada"), confirmed("a", "bob")])
    owners = match_owners(accounts({}), identities(ADA, BOB), told)
    assert owners.rows() == [("a", None, None, None)]


def test_a_value_two_identities_share_matches_neither_and_the_next_rule_is_tried() -> (
    None
):
    people = (
        ADA | {"email": "Sales@example.com"},
        BOB | {"email": "sales@example.com"},
    )
    assert owner({"email": "SALES@example.com"}, *people) == (None, None)
    assert owner({"email": "SALES@example.com", "phone": "13800000002"}, *people) == (
        "bob",
        "phone",
    )


def test_two_people_of_one_name_are_never_merged() -> None:
    other = BOB | {"identity_id": "bob2", "employee_number": "1003", "phone": None}
    assert owner({"display_name": "王伟"}, BOB, other) == (None, None)


def test_case_blanks_and_full_width_letters_are_ignored() -> None:
    assert owner({"email": " ADA＠Example.com "}, ADA) == ("ada", "email")
    person = ADA | {"employee_number": " e１００ "}
    assert owner({"employee_number": "E100"}, person) == ("ada", "employee_number")


def test_an_empty_value_names_nobody() -> None:
    assert owner({"email": " "}, ADA | {"email": ""}) == (None, None)


@pytest.mark.parametrize(
    "written",
    ["+86 138-0000-0001", "008613800000001", "8613800000001", "138 0000 0001"],
)
def test_phones_are_compared_by_digits_without_the_country_code(written: str) -> None:
    assert owner({"phone": written}, ADA) == ("ada", "phone")


def test_a_landline_is_the_same_with_trunk_zero_and_with_country_code() -> None:
    person = ADA | {"phone": "010-5550 0199"}
    assert owner({"phone": "+86 10 55500199"}, person) == ("ada", "phone")


def test_a_foreign_number_is_not_a_chinese_one() -> None:
    assert owner({"phone": "+44 13800000001"}, ADA) == (None, None)


@pytest.mark.parametrize(("phone", "rule"), [("123456", None), ("1234567", "phone")])
def test_an_extension_of_six_digits_names_nobody(phone: str, rule: str | None) -> None:
    assert owner({"phone": phone}, ADA | {"phone": phone})[1] == rule


@pytest.mark.parametrize("account_type", ["service", "builtin"])
@pytest.mark.parametrize("key", ["email", "phone", "directory_id"])
def test_a_contact_does_not_own_a_service_account(account_type: str, key: str) -> None:
    account = {"account_type": account_type, key: ADA[key]}
    assert owner(account, ADA) == (None, None)


def test_a_service_account_is_owned_by_employee_number_or_confirmation() -> None:
    robot = {"account_type": "service", "employee_number": "1001"}
    assert owner(robot, ADA) == ("ada", "employee_number")
    told = pl.DataFrame([confirmed("a", "ada")])
    owners = match_owners(accounts({"account_type": "service"}), identities(ADA), told)
    assert owners.rows() == [("a", "ada", "confirmed", "Carol")]


def test_a_shared_or_unknown_account_is_matched_like_a_persons() -> None:
    for account_type in ("shared", "guest", "unknown", None):
        account = {"account_type": account_type, "phone": "13800000001"}
        assert owner(account, ADA) == ("ada", "phone")


OLD = ADA | {
    "identity_id": "ada-old",
    "employee_number": "0007",
    "employment_status": "left",
    "email": "ada@example.com",
}


def test_whatever_names_the_old_record_of_a_rehired_person_means_the_current_one() -> (
    None
):
    for account in (
        {"phone": "13800000001"},
        {"email": "ada@example.com"},
        {"employee_number": "0007"},
    ):
        assert owner(account, OLD, ADA)[0] == "ada"
    told = pl.DataFrame([confirmed("a", "ada-old")])
    owners = match_owners(accounts({}), identities(OLD, ADA), told)
    assert owners["identity_id"].to_list() == ["ada"]


def test_two_records_of_one_employee_number_mean_the_current_one() -> None:
    old = {"identity_id": "old", "employee_number": "1001", "employment_status": "left"}
    assert owner({"employee_number": "1001"}, old, ADA)[0] == "ada"


def test_a_record_of_unknown_status_has_ended_if_it_has_an_end_date() -> None:
    old = OLD | {"employment_status": "unknown", "end_date": date(2025, 1, 31)}
    assert owner({"phone": "13800000001"}, old, ADA)[0] == "ada"
    lasting = OLD | {"employment_status": "unknown"}
    assert owner({"phone": "13800000001"}, lasting, ADA) == (None, None)


def test_two_current_or_two_ended_records_stay_ambiguous() -> None:
    both_active = OLD | {"employment_status": "active"}
    assert owner({"phone": "13800000001"}, both_active, ADA) == (None, None)
    gone = ADA | {"employment_status": "left"}
    assert owner({"phone": "13800000001"}, OLD, gone) == (None, None)


def test_an_ended_record_with_two_current_ones_of_its_name_stays_itself() -> None:
    namesake = ADA | {"identity_id": "ada2", "employee_number": "1009"}
    told = owner({"employee_number": "0007"}, OLD, ADA, namesake)
    assert told == ("ada-old", "employee_number")


def test_a_number_handed_to_somebody_else_does_not_make_them_one_person() -> None:
    other = OLD | {"display_name": "赵六", "email": None}
    assert owner({"phone": "13800000001"}, other, ADA) == (None, None)
    reused = {"employee_number": "1001", "phone": None}
    assert owner({"employee_number": "1001"}, other | reused, ADA) == (None, None)


def test_keys_that_name_different_people_are_all_told() -> None:
    claims = keys_naming_others(
        accounts({"employee_number": "1001", "phone": "13800000002", "email": "x"}),
        identities(ADA, BOB),
    )
    assert claims.columns == ["account_id", "rule", "identity_id"]
    assert claims.rows() == [("a", "employee_number", "ada"), ("a", "phone", "bob")]


def test_keys_of_a_rehired_person_agree() -> None:
    claims = keys_naming_others(
        accounts({"employee_number": "0007", "phone": "13800000001"}),
        identities(OLD, ADA),
    )
    assert set(claims["identity_id"]) == {"ada"}


HEADER = "account_id,identity_id,confirmed_by,confirmed_at\n"


def written(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "owners.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_confirmed_owners_are_read_in_any_usual_encoding(
    tmp_path: Path, encoding: str
) -> None:
    text = HEADER + "crm:1,hr:1,安全员,2026-10-31\n\ncrm:2,hr:1,安全员,\n"
    told = read_confirmed(written(tmp_path, text, encoding))
    assert told.rows() == [
        ("crm:1", "hr:1", "安全员", "2026-10-31", 2),
        ("crm:2", "hr:1", "安全员", None, 4),
    ]


def test_the_time_of_a_confirmation_may_be_left_out(tmp_path: Path) -> None:
    text = "account_id,identity_id,confirmed_by\ncrm:1,hr:1,Carol\n"
    assert read_confirmed(written(tmp_path, text))["confirmed_at"].to_list() == [None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "row 1: column account_id is missing"),
        ("account_id,identity_id\n", "row 1: column confirmed_by is missing"),
        ("account_id,owner\n", "row 1: column 'owner' is not known"),
        ("account_id,account_id\n", "row 1: column 'account_id' stands twice"),
        (HEADER + "crm:1,,Carol,\n", "row 2: identity_id is empty"),
        (HEADER + "crm:1,hr:1,,\n", "row 2: confirmed_by is empty"),
        (HEADER + "crm:1,hr:1,Carol\n", "row 2: 3 cells under 4 columns"),
        (HEADER + "crm:1,hr:1,Carol,soon\n", "row 2: confirmed_at 'soon'"),
        (HEADER + 'crm:1,"hr:1,Carol,\n', "not CSV"),
        (
            HEADER + "crm:1,hr:1,Carol,\ncrm:1,hr:2,Carol,\n",
            "rows 2 and 3: account crm:1 is confirmed for hr:1 and for hr:2",
        ),
    ],
)
def test_a_broken_file_is_refused_with_file_and_row(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(CorrelationError) as refused:
        read_confirmed(written(tmp_path, text))
    assert "owners.csv" in str(refused.value)
    assert said in str(refused.value)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorrelationError, match=r"owners\.csv: cannot be read"):
        read_confirmed(tmp_path / "owners.csv")
    path = tmp_path / "owners.csv"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(CorrelationError, match="neither UTF-8 nor GB18030"):
        read_confirmed(path)


def test_a_confirmation_for_nobody_is_listed_and_matches_nobody(
    tmp_path: Path,
) -> None:
    path = tmp_path / "owners.csv"
    path.write_text("account_id,identity_id,confirmed_by\na,eve,ann\nb,ada,ann\n")
    told = read_confirmed(path)
    listed = confirmed_for_nobody(told, identities(ADA), path.name)
    assert listed.select("file", "row", "column", "value").rows() == [
        ("owners.csv", 2, "identity_id", "eve")
    ]
    assert "no source delivers" in listed["reason"].item()
    everybody = identities(ADA, BOB | {"identity_id": "eve"})
    assert confirmed_for_nobody(told, everybody, path.name).is_empty()
