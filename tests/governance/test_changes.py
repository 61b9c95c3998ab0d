"""Findings that came, stayed and went; and how many there were each time."""

from datetime import date

from governance.app_roles import Actor, AppRole
from governance.assessments import assess_all
from governance.changes import finding_changes, finding_history, finding_trend
from governance.model import Status
from governance.scope import NOTHING, Scope
from governance.tallies import tally
from tests.company import AS_OF, BEFORE, Company

ALL = Scope(None)
MANAGER = Actor(actor_id="mia", name="Mia", role=AppRole.SECURITY_MANAGER)
LONG_AGO = date(2026, 6, 1)


def two_months(company: Company) -> None:
    """Ada's account is closed in July, Kim's appears, Leo's stays."""
    for name in ("ada", "kim", "leo"):
        company.employs(name, until=LONG_AGO)
    company.has_account("ada")
    company.has_account("leo")
    company.seal(BEFORE)
    accounts = company.rows[("crm", "accounts")]
    accounts[:] = [row for row in accounts if row["login"] != "ada"]
    company.has_account("kim")
    company.seal(AS_OF)


def test_findings_are_new_persisting_or_resolved(company: Company) -> None:
    two_months(company)
    prior = company.open().manifest.prior
    changes = finding_changes(
        assess_all(company.settings), assess_all(company.settings, prior), ALL, ALL
    )
    leavers = changes.filter(changes["check_id"] == "leaver_accounts")
    assert dict(leavers.select("account_id", "change").iter_rows()) == {
        "crm:ada": "resolved",
        "crm:kim": "new",
        "crm:leo": "persisting",
    }


def test_without_a_prior_snapshot_nothing_is_called_new(company: Company) -> None:
    company.employs("ada", until=LONG_AGO)
    company.has_account("ada")
    company.seal()
    assessed = assess_all(company.settings)
    assert finding_changes(assessed, None, ALL, ALL).is_empty()


def test_changes_stay_within_the_scope(company: Company) -> None:
    two_months(company)
    prior = company.open().manifest.prior
    changes = finding_changes(
        assess_all(company.settings),
        assess_all(company.settings, prior),
        NOTHING,
        NOTHING,
    )
    assert changes.is_empty()


def test_trend_counts_every_severity_at_every_snapshot(company: Company) -> None:
    two_months(company)
    trend = finding_trend(company.settings, MANAGER)
    assert trend.height == 2 * 4
    newest = tally(assess_all(company.settings), ALL)
    failed = newest.filter(newest["status"] == Status.FAIL)["rows"].sum()
    assert trend.filter(trend["as_of"] == AS_OF)["rows"].sum() == failed
    assert finding_trend(company.settings, None)["rows"].sum() == 0


def test_history_says_since_when_and_whether_still(company: Company) -> None:
    two_months(company)
    told = finding_history(
        company.settings,
        MANAGER,
        account_ids=["crm:ada", "crm:leo"],
        identity_ids=[],
    )
    leavers = told.filter(told["check_id"] == "leaver_accounts")
    rows = {row["finding_id"]: row for row in leavers.to_dicts()}
    ada = rows["leaver_accounts/crm:ada"]
    leo = rows["leaver_accounts/crm:leo"]
    assert (ada["first_seen"], ada["is_open"]) == (BEFORE, False)
    assert (leo["first_seen"], leo["is_open"]) == (BEFORE, True)
