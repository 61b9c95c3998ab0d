"""Accounts whose telephone, e-mail or number belong to more than one person."""

import pytest

from tests.company import Company

CHECK = "several_owners"
PHONE = "13800138000"


def test_one_telephone_on_the_accounts_of_two_people_fails_both(
    company: Company,
) -> None:
    company.employs("ada")
    company.employs("bob")
    company.has_account("ada", phone=PHONE)
    company.has_account("bob", phone=PHONE)
    rows = company.assess(CHECK).select(
        "account_id", "reason", "other_login", "other_name", "account_count"
    )
    assert rows.rows() == [
        ("crm:ada", "shared_phone", "bob", "Bob", 2),
        ("crm:bob", "shared_phone", "ada", "Ada", 2),
    ]


@pytest.mark.parametrize(
    "other",
    ["+86 138-0013-8000", "8613800138000", "008613800138000", "１３８００１３８０００"],
)
def test_one_telephone_written_differently_is_one_telephone(
    company: Company, other: str
) -> None:
    company.employs("ada")
    company.employs("bob")
    company.has_account("ada", phone=PHONE)
    company.has_account("bob", phone=other)
    assert set(company.statuses(CHECK).values()) == {"fail shared_phone"}


@pytest.mark.parametrize(
    ("phone", "answer"),
    [("123456", "pass one_person"), ("1234567", "fail shared_phone")],
)
def test_an_extension_is_no_telephone_of_ones_own(
    company: Company, phone: str, answer: str
) -> None:
    company.employs("ada")
    company.employs("bob")
    company.has_account("ada", phone=phone)
    company.has_account("bob", phone=phone)
    assert set(company.statuses(CHECK).values()) == {answer}


def test_one_address_on_the_accounts_of_two_people_fails_both(
    company: Company,
) -> None:
    company.employs("ada", employee_number="1")
    company.employs("bob", employee_number="2")
    company.has_account("ada", employee_number="1", email="tender@example.com")
    company.has_account("bob", employee_number="2", email=" Tender@Example.com")
    assert company.statuses(CHECK) == {
        "crm:ada": "fail shared_email",
        "crm:bob": "fail shared_email",
    }


def test_two_accounts_of_one_person_never_fail(company: Company) -> None:
    company.employs("ada", phone=PHONE)
    company.has_account("ada", phone=PHONE)
    company.has_account("ada2", phone=PHONE, email=None)
    assert company.statuses(CHECK) == {
        "crm:ada": "pass one_person",
        "crm:ada2": "pass one_person",
    }


def test_an_account_of_another_system_shares_nothing(company: Company) -> None:
    company.employs("ada")
    company.employs("bob")
    company.has_account("ada", phone=PHONE)
    company.has_account("bob", phone=PHONE, source="erp")
    assert set(company.statuses(CHECK).values()) == {"pass one_person"}


def test_a_disabled_account_shares_nothing_and_is_outside_the_population(
    company: Company,
) -> None:
    company.employs("ada")
    company.employs("bob")
    company.has_account("ada", phone=PHONE)
    company.has_account("bob", phone=PHONE, is_enabled=False)
    assert company.statuses(CHECK) == {"crm:ada": "pass one_person"}


@pytest.mark.parametrize(
    ("other_name", "answer"),
    [
        ("Exports East", "pass one_person"),
        ("exports east", "pass one_person"),
        ("Exports West", "fail shared_phone"),
        (None, "pass one_person"),
    ],
)
def test_unowned_accounts_are_several_people_only_if_their_names_differ(
    company: Company, other_name: str | None, answer: str
) -> None:
    company.has_account("x1", phone=PHONE, display_name="Exports East")
    company.has_account("x2", phone=PHONE, display_name=other_name)
    assert set(company.statuses(CHECK).values()) == {answer}


def test_an_owned_and_an_unowned_account_of_different_names_fail(
    company: Company,
) -> None:
    company.employs("ada")
    company.has_account("ada", phone=PHONE, display_name="Ada")
    company.has_account("desk", phone=PHONE, display_name="Desk")
    assert company.statuses(CHECK) == {
        "crm:ada": "fail shared_phone",
        "crm:desk": "fail shared_phone",
    }


def test_a_sharer_is_found_behind_several_accounts_of_ones_own(
    company: Company,
) -> None:
    company.employs("ada")
    company.employs("bob")
    company.has_account("ada", phone=PHONE)
    company.has_account("ada2", phone=PHONE, email="ada@example.com")
    company.has_account("bob", phone=PHONE)
    rows = company.assess(CHECK).select("account_id", "reason", "other_login")
    assert rows.rows() == [
        ("crm:ada", "shared_phone", "bob"),
        ("crm:ada2", "shared_phone", "bob"),
        ("crm:bob", "shared_phone", "ada"),
    ]


def test_keys_that_name_different_people_fail(company: Company) -> None:
    company.employs("ada")
    company.employs("bob", phone=PHONE)
    company.has_account("ada", phone=PHONE)
    rows = company.assess(CHECK).select("status", "reason", "people_named")
    assert rows.rows() == [("fail", "keys_disagree", "Ada, Bob")]


def test_keys_that_name_one_person_pass(company: Company) -> None:
    company.employs("ada", phone=PHONE, employee_number="1")
    company.has_account("ada", phone=PHONE, employee_number="1")
    assert company.statuses(CHECK) == {"crm:ada": "pass one_person"}


def test_the_contact_of_a_service_account_does_not_share_it(company: Company) -> None:
    company.employs("ada")
    company.has_account("ada", display_name="Ada")
    company.has_account(
        "sync", account_type="service", display_name="Sync", email="ada@example.com"
    )
    assert company.statuses(CHECK) == {
        "crm:ada": "pass one_person",
        "crm:sync": "pass contact_details",
    }


def test_an_account_that_states_nothing_of_its_user_is_unknown(
    company: Company,
) -> None:
    company.has_account("x", email=None)
    assert company.statuses(CHECK) == {"crm:x": "unknown no_keys"}


def test_an_employee_number_alone_is_enough_to_test(company: Company) -> None:
    company.employs("ada", employee_number="1")
    company.has_account("ada", email=None, employee_number="1")
    assert company.statuses(CHECK) == {"crm:ada": "pass one_person"}
