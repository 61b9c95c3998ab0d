"""Campaigns: who is asked about what, what is left out, and when one may close."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from governance import attestations, audit_trail, campaigns, snapshots
from governance.app_roles import NotAllowedError
from governance.campaigns import CampaignError, Plan
from governance.campaigns.reasons import FIELDS
from governance.model import Decision
from governance.register import open_register
from tests.company import AS_OF, BEFORE, Company
from tests.review import BOSS, CEO, DUE, MANAGER, NOW, Review, opened, plan, staff


def previewed(company: Company, **changes: Any) -> dict[str, dict[str, Any]]:
    """Return the preview's items by login."""
    company.seal()
    shown = campaigns.preview(company.settings, plan(**changes))
    return {item["login"]: item for item in shown.items.to_dicts()}


# What is asked ------------------------------------------------------------------------


def test_one_grant_by_two_ways_is_one_item(company: Company) -> None:
    staff(company).grants("ada", "standard", via="group")
    items = previewed(company)
    assert items["ada"]["via"] == "direct, group"
    assert len(items) == 4


def test_an_account_without_grants_is_an_item_of_its_own(company: Company) -> None:
    staff(company).employs("cy")
    company.has_account("cy")
    item = previewed(company)["cy"]
    assert item["entitlement_id"] is None
    assert "holds no role" in item["reason_en"]


def test_risky_rows_come_first_then_changed_ones(company: Company) -> None:
    staff(company)
    company.seal(BEFORE)
    company.employs("zoe")
    company.has_account("zoe", email="zoe@example.com", mfa_state="enabled")
    company.rows["crm", "accounts"][-1] |= {
        name: company.rows["crm", "accounts"][1][name]
        for name in ("last_login_at", "last_login_basis", "password_changed_at")
    }
    company.grants("zoe", "standard")
    items = previewed(company)
    ordered = sorted(items.values(), key=lambda item: item["position"])
    assert [(one["login"], one["risk"], one["change"]) for one in ordered] == [
        ("eve", "critical", "same"),
        ("zoe", "none", "new"),
        ("ada", "none", "same"),
        ("bob", "none", "same"),
        ("boss", "none", "same"),
    ]


@pytest.mark.parametrize(
    ("reason", "spoil"),
    [
        (
            "disabled_without_access",
            lambda one: one.has_account("old", is_enabled=False),
        ),
        ("account_missing", lambda one: one.grants("old", "standard")),
        (
            "builtin_disabled",
            lambda one: (
                one.has_account("old", is_enabled=False, account_type="builtin"),
                one.grants("old", "standard"),
            ),
        ),
    ],
)
def test_what_is_left_out_is_listed_with_its_reason(
    company: Company, reason: str, spoil: Callable[[Company], object]
) -> None:
    spoil(staff(company))
    company.seal()
    shown = campaigns.preview(company.settings, plan())
    assert shown.excluded.select("account_id", "reason").rows() == [("crm:old", reason)]
    assert shown.tie_out.to_dicts() == [
        {"source": "crm", "accepted": 5, "in_review": 4, "excluded": 1}
    ]


def test_a_disabled_account_that_keeps_access_is_in_review(company: Company) -> None:
    staff(company).employs("old")
    company.has_account("old", is_enabled=False)
    company.grants("old", "standard")
    assert "disabled but keeps" in previewed(company)["old"]["reason_en"]


def test_a_source_outside_the_plan_is_left_out_by_name(company: Company) -> None:
    staff(company).has_account("ada", source="mail")
    company.seal()
    shown = campaigns.preview(company.settings, plan(sources=("crm",)))
    assert shown.excluded["reason"].to_list() == ["source_not_in_scope"]
    assert shown.tie_out.to_dicts()[1] == {
        "source": "mail",
        "accepted": 1,
        "in_review": 0,
        "excluded": 1,
    }


def test_unknown_last_login_is_said_and_not_taken_for_never(company: Company) -> None:
    staff(company).employs("cy")
    company.has_account("cy")
    item = previewed(company)["cy"]
    assert "does not tell the last login" in item["reason_en"]
    assert "来源未提供最近登录时间" in item["reason_zh"]


# Changes ------------------------------------------------------------------------------


def test_without_a_prior_snapshot_everything_is_a_first_review(
    company: Company,
) -> None:
    items = previewed(staff(company))
    assert {item["change"] for item in items.values()} == {"first_review"}


def test_a_source_that_is_new_is_a_first_review_and_not_all_new(
    company: Company,
) -> None:
    staff(company)
    company.seal(BEFORE)
    company.has_account("ada", source="mail")
    company.seal()
    shown = campaigns.preview(company.settings, plan())
    changes = dict(shown.items.group_by("source").agg("change").iter_rows())
    assert changes["mail"] == ["first_review"]
    assert set(changes["crm"]) == {"same"}


def test_a_new_role_on_an_old_account_is_new(company: Company) -> None:
    staff(company).has_role("admin", name="Administrator", is_privileged=True)
    company.seal(BEFORE)
    company.grants("ada", "admin")
    company.seal()
    shown = campaigns.preview(company.settings, plan())
    rows = shown.items.filter(pl.col("login") == "ada").select(
        "entitlement_id", "change"
    )
    assert dict(rows.iter_rows()) == {"crm:standard": "same", "crm:admin": "new"}


@pytest.mark.parametrize(
    ("field", "table", "key", "value"),
    [
        ("is_privileged", "entitlements", "crm:standard", True),
        ("name", "entitlements", "crm:standard", "Sales team"),
        ("abilities", "entitlements", "crm:standard", "export"),
        ("data_scope", "entitlements", "crm:standard", "all"),
        ("is_enabled", "accounts", "crm:ada", False),
        ("account_type", "accounts", "crm:ada", "shared"),
        ("job_title", "identities", "hr:ada", "Analyst"),
    ],
)
def test_a_changed_fact_is_changed_and_named(
    company: Company, field: str, table: str, key: str, value: object
) -> None:
    staff(company)
    company.seal(BEFORE)
    for (_, name), rows in company.rows.items():
        for row in rows:
            if name == table and key in row.values():
                row[field] = value
    item = previewed(company)["ada"]
    assert item["change"] == "changed"
    assert item["changed_fields"] == field
    assert FIELDS[field] in item["reason_en"]


def test_a_new_owner_is_a_change(company: Company) -> None:
    staff(company)
    company.seal(BEFORE)
    company.rows["crm", "accounts"][1]["email"] = "bob@example.com"
    item = previewed(company)["ada"]
    assert item["identity_id"] == "hr:bob"
    assert item["changed_fields"] == "owner"


def test_the_last_decision_stands_beside_the_question(company: Company) -> None:
    review = opened(staff(company))
    review.decide(review.answer("eve", Decision.REVOKE))
    company.seal(AS_OF + timedelta(days=90))
    later = campaigns.preview(
        company.settings, plan(due_on=date(2026, 12, 1), title="Fourth quarter")
    )
    told = {row["login"]: row["previous_decision"] for row in later.items.to_dicts()}
    assert told == {"eve": "revoke", "ada": None, "bob": None, "boss": None}


# Who is asked -------------------------------------------------------------------------


def asked(company: Company, login: str, **changes: Any) -> tuple[str, str]:
    item = previewed(company, **changes)[login]
    return item["reviewer_id"], item["why_reviewer"]


def test_the_head_of_the_owners_department_is_asked(company: Company) -> None:
    assert asked(staff(company), "ada") == ("hr:boss", "department_head")


def test_a_head_never_reviews_their_own_access(company: Company) -> None:
    assert asked(staff(company), "boss") == ("hr:ceo", "head_above")


def test_a_heads_second_account_is_not_theirs_to_review(company: Company) -> None:
    staff(company).has_account("boss2", email="boss@example.com")
    assert asked(company, "boss2") == ("hr:ceo", "head_above")


@pytest.mark.parametrize(
    "facts",
    [
        {"employment_status": "left"},
        {"employment_status": "on_leave"},
        {"end_date": date(2026, 7, 31)},
    ],
)
def test_a_head_who_is_not_at_work_is_passed_over(
    company: Company, facts: dict[str, Any]
) -> None:
    staff(company)
    head = next(
        row
        for row in company.rows["hr", "identities"]
        if row["identity_id"] == "hr:boss"
    )
    head.update(facts)
    assert asked(company, "ada") == ("hr:ceo", "head_above")


def test_a_heads_last_day_still_counts(company: Company) -> None:
    staff(company)
    company.rows["hr", "identities"][1]["end_date"] = date(2026, 8, 1)
    assert asked(company, "ada") == ("hr:boss", "department_head")


def test_by_manager_the_manager_is_asked_else_the_head(company: Company) -> None:
    staff(company).employs("cy", manager_id="hr:bob")
    company.has_account("cy")
    company.employs("di", manager_id="hr:eve")  # eve has left
    company.has_account("di")
    items = previewed(company, reviewers="manager")
    assert items["cy"]["reviewer_id"] == "hr:bob"
    assert items["cy"]["why_reviewer"] == "manager"
    assert items["di"]["reviewer_id"] == "hr:boss"


def test_an_unowned_account_goes_to_the_head_above_its_sponsor(
    company: Company,
) -> None:
    staff(company).has_account(
        "robot", account_type="service", sponsor_identity_id="hr:boss"
    )
    assert asked(company, "robot") == ("hr:ceo", "sponsor_head")


def test_an_unowned_account_that_names_a_department_goes_to_its_head(
    company: Company,
) -> None:
    staff(company).has_account("desk", department_name="Sales")
    assert asked(company, "desk") == ("hr:boss", "account_department_head")


def test_what_nobody_can_review_goes_to_the_fallback(company: Company) -> None:
    staff(company).has_account("stray")
    assert asked(company, "stray", fallback_reviewer="hr:bob") == ("hr:bob", "fallback")


def test_without_a_fallback_it_forbids_opening(company: Company) -> None:
    staff(company).has_account("stray")
    company.seal()
    shown = campaigns.preview(company.settings, plan())
    assert "crm:stray" in shown.problems[0]
    with pytest.raises(CampaignError, match="nobody independent"):
        campaigns.open_campaign(
            open_register(company.settings), company.settings, MANAGER, plan(), NOW
        )


def test_a_fallback_never_reviews_their_own_access(company: Company) -> None:
    staff(company).has_account("ceo")
    company.seal()
    shown = campaigns.preview(company.settings, plan(fallback_reviewer="hr:ceo"))
    assert "nobody independent" in shown.problems[0]


# Opening ------------------------------------------------------------------------------


def test_an_equal_plan_opened_twice_is_one_campaign(company: Company) -> None:
    review = opened(staff(company))
    again = campaigns.open_campaign(
        review.register, review.settings, MANAGER, plan(), NOW + timedelta(hours=1)
    )
    assert again == review.campaign
    assert len(campaigns.list_campaigns(review.register)) == 1


def test_a_double_click_opens_one_campaign(company: Company) -> None:
    staff(company).seal()
    register = open_register(company.settings)
    found = []

    def open_it() -> None:
        found.append(
            campaigns.open_campaign(register, company.settings, MANAGER, plan(), NOW)
        )

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    with register.write():  # all look before any of them can write
        for thread in threads:
            thread.start()
        time.sleep(1.5)
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({one.campaign_id for one in found}) == 1
    events = audit_trail.events(register, limit=10)
    assert events["action"].to_list() == ["campaign.open"]


def test_only_who_may_open_campaigns_opens_one(company: Company) -> None:
    staff(company).seal()
    with pytest.raises(NotAllowedError):
        campaigns.open_campaign(
            open_register(company.settings), company.settings, BOSS, plan(), NOW
        )


@pytest.mark.parametrize(
    ("due_on", "is_opened"), [(date(2026, 8, 3), True), (date(2026, 8, 2), False)]
)
def test_the_due_date_may_be_today_but_not_yesterday(
    company: Company, due_on: date, is_opened: bool
) -> None:
    staff(company).seal()
    register = open_register(company.settings)
    wanted = plan(due_on=due_on)
    if is_opened:
        campaigns.open_campaign(register, company.settings, MANAGER, wanted, NOW)
        return
    with pytest.raises(CampaignError, match="is over"):
        campaigns.open_campaign(register, company.settings, MANAGER, wanted, NOW)


def test_a_source_that_does_not_balance_forbids_opening(
    company: Company,
) -> None:
    staff(company)
    unbalanced = next(one for one in company.extracts() if one.source == "crm")
    tie_outs = unbalanced.tie_outs
    object.__setattr__(tie_outs[0], "stated", tie_outs[0].read + 1)
    others = [one for one in company.extracts() if one.source != "crm"]
    snapshots.seal(company.settings, [unbalanced, *others], AS_OF, sealed_at=AS_OF)
    shown = campaigns.preview(company.settings, plan())
    assert "crm: the rows read are not all accounted for" in shown.problems[0]


def test_an_unknown_source_forbids_opening(company: Company) -> None:
    staff(company).seal()
    shown = campaigns.preview(company.settings, plan(sources=("crm", "erp")))
    assert "no source called erp" in shown.problems[0]


def test_facts_stay_as_they_were_shown_after_a_later_snapshot(
    company: Company,
) -> None:
    review = opened(staff(company))
    before = campaigns.items(review.register, review.campaign_id)
    for row in company.rows["crm", "entitlements"]:
        row["name"] = "Renamed"
    company.seal(AS_OF + timedelta(days=1))
    after = campaigns.items(review.register, review.campaign_id)
    assert after.equals(before)


def test_a_campaign_keeps_what_was_left_out_and_the_tie_out(company: Company) -> None:
    staff(company).grants("ghost", "standard")
    review = opened(company)
    left_out = campaigns.excluded(review.register, review.campaign_id)
    assert left_out["reason"].to_list() == ["account_missing"]
    assert campaigns.tie_out(review.register, review.campaign_id).to_dicts() == [
        {"source": "crm", "accepted": 5, "in_review": 4, "excluded": 1}
    ]


def test_a_campaign_is_found_by_its_id_alone(company: Company) -> None:
    review = opened(staff(company))
    assert campaigns.campaign(review.register, review.campaign_id) == review.campaign
    with pytest.raises(CampaignError, match="no campaign is called nowhere"):
        campaigns.campaign(review.register, "nowhere")


# Handing on and closing ---------------------------------------------------------------


def test_a_row_handed_on_is_undecided_again(company: Company) -> None:
    review = opened(staff(company))
    review.decide(review.answer("ada", Decision.KEEP))
    campaigns.assign(
        review.register,
        MANAGER,
        review.campaign_id,
        [review.row("ada")["item_id"]],
        "hr:ceo",
        NOW,
    )
    row = review.row("ada")
    assert (row["reviewer_id"], row["decision"], row["version"]) == ("hr:ceo", None, 1)
    assert (row["original_reviewer_id"], row["why_reviewer"]) == (
        "hr:boss",
        "reassigned",
    )
    history = attestations.history(review.register, review.campaign_id)
    assert history["decision"].to_list() == ["keep"]


def test_a_row_is_not_handed_to_its_owner(company: Company) -> None:
    review = opened(staff(company))
    with pytest.raises(CampaignError, match="own access"):
        campaigns.assign(
            review.register,
            MANAGER,
            review.campaign_id,
            [review.row("boss")["item_id"]],
            "hr:boss",
            NOW,
        )


def test_a_row_is_handed_only_to_people_who_may_review(company: Company) -> None:
    review = opened(staff(company))
    with pytest.raises(CampaignError, match="possible reviewers"):
        campaigns.assign(
            review.register,
            MANAGER,
            review.campaign_id,
            [review.row("ada")["item_id"]],
            "hr:eve",
            NOW,
        )
    known = campaigns.possible_reviewers(review.register, review.campaign_id)
    assert known["reviewer_id"].to_list() == ["hr:boss", "hr:ceo"]


def finish(review: Review) -> None:
    review.decide(
        review.answer("ada", Decision.KEEP),
        review.answer("bob", Decision.KEEP),
        review.answer("eve", Decision.REVOKE),
    )
    review.decide(review.answer("boss", Decision.KEEP), actor=CEO)


def test_a_campaign_does_not_close_over_undecided_rows(company: Company) -> None:
    review = opened(staff(company))
    with pytest.raises(CampaignError, match=r"4 rows are undecided: .*eve"):
        campaigns.close_campaign(review.register, MANAGER, review.campaign_id, NOW)


def test_not_mine_is_no_decision(company: Company) -> None:
    review = opened(staff(company))
    finish(review)
    review.decide(review.answer("ada", Decision.NOT_MINE))
    status = campaigns.status(review.register, review.campaign_id).to_dicts()
    boss = next(row for row in status if row["reviewer_id"] == "hr:boss")
    assert (boss["items"], boss["decided"], boss["undecided"]) == (3, 2, 1)
    assert boss["not_mine"] == 1
    with pytest.raises(CampaignError, match="1 rows are undecided"):
        campaigns.close_campaign(review.register, MANAGER, review.campaign_id, NOW)


def test_a_campaign_does_not_close_unsigned(company: Company) -> None:
    review = opened(staff(company))
    finish(review)
    with pytest.raises(CampaignError, match="not signed yet by Boss, Ceo"):
        campaigns.close_campaign(review.register, MANAGER, review.campaign_id, NOW)


def test_accepted_undecided_rows_are_named_in_the_closing(company: Company) -> None:
    review = opened(staff(company))
    review.decide(review.answer("eve", Decision.REVOKE))
    closed = campaigns.close_campaign(
        review.register, MANAGER, review.campaign_id, NOW, accept_undecided=True
    )
    assert not closed.is_open
    details = audit_trail.events(review.register, limit=1)["details"].item()
    for name in ("crm:ada", "crm:bob", "crm:boss"):
        assert name in details


def test_a_closed_campaign_stays_as_it_is(company: Company) -> None:
    review = opened(staff(company))
    first = campaigns.close_campaign(
        review.register, MANAGER, review.campaign_id, NOW, accept_undecided=True
    )
    later = datetime(2026, 8, 10, tzinfo=UTC)
    again = campaigns.close_campaign(
        review.register, MANAGER, review.campaign_id, later
    )
    assert again == first
    with pytest.raises(CampaignError, match="closed"):
        campaigns.assign(
            review.register, MANAGER, review.campaign_id, ["x"], "hr:ceo", NOW
        )


def test_the_forecast_counts_rows_and_minutes(company: Company) -> None:
    staff(company).seal()
    shown = campaigns.preview(company.settings, Plan(title="x", due_on=DUE))
    boss = shown.reviewers.to_dicts()[0]
    assert (boss["reviewer_name"], boss["items"], boss["flagged"]) == ("Boss", 3, 1)
    assert boss["minutes"] == 1
    assert shown.notes == ()


def test_a_reviewer_with_too_many_rows_is_a_fault_of_the_plan(
    company: Company,
) -> None:
    staff(company)
    for number in range(398):
        company.has_role(f"r{number}", name=f"Sales user {number}")
        company.grants("ada", f"r{number}")
    company.seal()
    assert (
        "Boss would have 401 rows"
        in campaigns.preview(company.settings, plan()).notes[0]
    )
