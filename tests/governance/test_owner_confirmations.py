"""A person says whose an account is; the next snapshot has it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from governance.app_roles import Actor, AppRole, NotAllowedError
from governance.audit_trail import events, verify_chain
from governance.owner_confirmations import (
    OwnerError,
    confirm_owner,
    confirmed_owners,
)
from governance.register import Register, open_register
from governance.reports import report
from governance.snapshots import kept_open, seal
from tests.company import AS_OF, Company

NOW = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)
SAM = Actor(actor_id="hr:sam", name="Sam", role=AppRole.SECURITY_MANAGER)
ANN = Actor(actor_id="hr:ann", name="Ann", role=AppRole.AUDITOR)


@pytest.fixture
def staffed(company: Company) -> Company:
    """Return a company in which nobody owns the account lisi."""
    company.employs("ada")
    company.employs("lisi_at_home", display_name="李四", email="lisi@example.net")
    company.has_account("ada")
    company.has_account("lisi", email=None)
    company.seal()
    return company


def owner_of(company: Company, account_id: str) -> tuple[str | None, str | None]:
    found = report(kept_open(company.settings), "account_owner", account_id=account_id)
    return found["identity_id"].item(), found["match_rule"].item()


def confirm(company: Company, account_id: str, identity_id: str | None) -> Register:
    register = open_register(company.settings)
    snapshot = kept_open(company.settings)
    confirm_owner(register, snapshot, SAM, account_id, identity_id, NOW)
    return register


def test_the_next_snapshot_has_the_owner_and_the_old_one_stays(
    staffed: Company,
) -> None:
    register = confirm(staffed, "crm:lisi", "hr:lisi_at_home")
    assert owner_of(staffed, "crm:lisi") == (None, None)
    later = AS_OF + timedelta(days=30)
    seal(
        staffed.settings,
        staffed.extracts(),
        later,
        sealed_at=later,
        confirmed=confirmed_owners(register),
    )
    assert owner_of(staffed, "crm:lisi") == ("hr:lisi_at_home", "confirmed")


def test_a_confirmation_can_be_taken_back(staffed: Company) -> None:
    confirm(staffed, "crm:lisi", "hr:lisi_at_home")
    register = confirm(staffed, "crm:lisi", None)
    assert confirmed_owners(register).is_empty()


def test_who_confirmed_is_in_the_audit_trail(staffed: Company) -> None:
    register = confirm(staffed, "crm:lisi", "hr:lisi_at_home")
    told = events(register, limit=10, offset=0, subject="crm:lisi")
    assert told.select("action", "actor_name").rows() == [("owner.confirm", "Sam")]
    assert verify_chain(register) == 1


@pytest.mark.parametrize(
    ("account_id", "identity_id", "problem"),
    [
        ("crm:nobody", "hr:ada", "no account"),
        ("crm:lisi", "hr:nobody", "no person"),
        ("crm:ada", "hr:lisi_at_home", "already belongs to hr:ada by its email"),
    ],
)
def test_what_cannot_be_is_refused_and_not_recorded(
    staffed: Company, account_id: str, identity_id: str, problem: str
) -> None:
    with pytest.raises(OwnerError, match=problem):
        confirm(staffed, account_id, identity_id)
    assert confirmed_owners(open_register(staffed.settings)).is_empty()


def test_only_who_may_confirm_owners_does(staffed: Company) -> None:
    register = open_register(staffed.settings)
    snapshot = kept_open(staffed.settings)
    with pytest.raises(NotAllowedError):
        confirm_owner(register, snapshot, ANN, "crm:lisi", "hr:ada", NOW)
    assert verify_chain(register) == 0


def test_what_was_confirmed_here_goes_before_the_file(
    staffed: Company, tmp_path: Path
) -> None:
    register = confirm(staffed, "crm:lisi", "hr:lisi_at_home")
    path = tmp_path / "owners.csv"
    path.write_text("account_id,identity_id,confirmed_by\ncrm:lisi,hr:ada,Ann\n")
    later = AS_OF + timedelta(days=30)
    seal(
        replace(staffed.settings, owners=path),
        staffed.extracts(),
        later,
        sealed_at=later,
        confirmed=confirmed_owners(register),
    )
    assert owner_of(staffed, "crm:lisi") == ("hr:lisi_at_home", "confirmed")
