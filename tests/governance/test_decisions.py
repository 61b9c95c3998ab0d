"""Decisions and signatures: the rules hold where the data is written."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from governance import attestations, audit_trail, campaigns
from governance.app_roles import Actor, AppRole, NotAllowedError
from governance.attestations import DecisionError, ItemDecision
from governance.campaigns import CampaignError
from governance.model import Decision, GovernanceError, Language
from tests.review import BOSS, CEO, DUE, MANAGER, NOW, Review


def codes(error: pytest.ExceptionInfo[DecisionError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


def test_a_decision_is_recorded_with_its_event(review: Review) -> None:
    assert review.decide(review.answer("ada", Decision.KEEP, "needs it")) == 1
    row = review.row("ada")
    assert (row["decision"], row["comment"], row["version"]) == ("keep", "needs it", 1)
    assert (row["decided_by"], row["decided_at"], row["channel"]) == (
        "hr:boss",
        NOW,
        "page",
    )
    newest = audit_trail.events(review.register, limit=1).to_dicts()[0]
    assert newest["seq"] == row["event_seq"]
    assert newest["action"] == "decision.record"


def test_a_decision_without_its_event_is_not_recorded(
    review: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(event: object) -> bytes:
        raise MemoryError(event)

    answer = review.answer("ada", Decision.KEEP)
    monkeypatch.setattr("governance.audit_trail.leaf_hash", broken)
    with pytest.raises(MemoryError):
        review.decide(answer)
    assert review.row("ada")["decision"] is None


def test_a_decision_that_cannot_be_stored_leaves_no_event(review: Review) -> None:
    before = audit_trail.count(review.register)
    answer = review.answer("ada", Decision.KEEP)
    with review.register.write() as connection:
        connection.exec_driver_sql("alter table decisions rename to gone")
    with pytest.raises(GovernanceError):
        review.decide(answer)
    assert audit_trail.count(review.register) == before


@pytest.mark.parametrize(
    ("login", "decision", "comment", "facts", "code"),
    [
        ("eve", Decision.KEEP, "", {}, "REASON_MISSING"),
        ("eve", Decision.KEEP, "   ", {}, "REASON_MISSING"),
        ("eve", Decision.KEEP, "handover until Friday", {}, None),
        (
            "eve",
            Decision.KEEP_UNTIL,
            "",
            {"keep_until": date(2026, 9, 1)},
            "REASON_MISSING",
        ),
        ("eve", Decision.REVOKE, "", {}, None),
        ("ada", Decision.KEEP, "", {}, None),
        ("ada", Decision.CHANGE, "", {}, "REASON_MISSING"),
        ("ada", Decision.CHANGE, "read only is enough", {}, None),
        ("ada", Decision.KEEP_UNTIL, "", {}, "DATE_MISSING"),
        # It is 3 August in Shanghai.
        ("ada", Decision.KEEP_UNTIL, "", {"keep_until": date(2026, 8, 3)}, "DATE_PAST"),
        ("ada", Decision.KEEP_UNTIL, "", {"keep_until": date(2026, 8, 4)}, None),
        (
            "ada",
            Decision.KEEP,
            "",
            {"keep_until": date(2026, 9, 1)},
            "DATE_WITHOUT_DECISION",
        ),
        ("ada", Decision.KEEP, "x" * 2000, {}, None),
        ("ada", Decision.KEEP, "x" * 2001, {}, "COMMENT_TOO_LONG"),
        ("ada", Decision.NOT_MINE, "", {}, None),
    ],
)
def test_an_answer_keeps_the_rules(
    review: Review,
    login: str,
    decision: Decision,
    comment: str,
    facts: dict[str, Any],
    code: str | None,
) -> None:
    answer = review.answer(login, decision, comment, **facts)
    if code is None:
        assert review.decide(answer) == 1
        return
    with pytest.raises(DecisionError) as error:
        review.decide(answer)
    assert codes(error) == [code]
    assert review.row(login)["decision"] is None


def test_one_bad_answer_stops_all_that_came_with_it(review: Review) -> None:
    good, bad = review.answer("ada", Decision.KEEP), review.answer("eve", Decision.KEEP)
    with pytest.raises(DecisionError):
        review.decide(good, bad)
    assert review.row("ada")["decision"] is None


def test_a_row_of_another_reviewer_is_refused(review: Review) -> None:
    with pytest.raises(DecisionError) as error:
        review.decide(review.answer("ada", Decision.KEEP), actor=CEO)
    assert codes(error) == ["NOT_YOURS"]
    assert "Ada" not in str(error.value)


def test_a_row_of_no_campaign_is_refused(review: Review) -> None:
    with pytest.raises(DecisionError) as error:
        review.decide(ItemDecision(item_id="x", decision=Decision.KEEP))
    assert codes(error) == ["NO_SUCH_ROW"]


def test_a_security_manager_does_not_decide_for_others(review: Review) -> None:
    with pytest.raises(DecisionError) as error:
        review.decide(review.answer("ada", Decision.KEEP), actor=MANAGER)
    assert codes(error) == ["NOT_YOURS"]


def test_an_auditor_decides_nothing(review: Review) -> None:
    auditor = Actor(
        actor_id="hr:boss", name="Boss", role=AppRole.AUDITOR, identity_id="hr:boss"
    )
    with pytest.raises(NotAllowedError):
        review.decide(review.answer("ada", Decision.KEEP), actor=auditor)


def test_nobody_decides_on_their_own_access_even_if_it_were_theirs(
    review: Review,
) -> None:
    # No way of the product hands a row to its owner; somebody with the file might.
    item_id = review.row("boss")["item_id"]
    with review.register.write() as connection:
        seq = audit_trail.record(
            connection,
            actor=MANAGER,
            action="test.done",
            subject="test",
            details={},
            now=NOW,
        )
        connection.exec_driver_sql(
            "insert into assignments (event_seq, item_id, campaign_id, reviewer_id, "
            "assigned_at, assigned_by) values (?, ?, ?, 'hr:boss', '2026-08-03', 'x')",
            (seq, item_id, review.campaign_id),
        )
    with pytest.raises(DecisionError) as error:
        review.decide(review.answer("boss", Decision.KEEP))
    assert codes(error) == ["SELF_REVIEW"]


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime.fromisoformat("2026-08-20T23:59:59+08:00"), True),
        (datetime.fromisoformat("2026-08-21T00:00:00+08:00"), False),
    ],
)
def test_the_due_date_is_a_day_where_the_company_is(
    review: Review, moment: datetime, is_open: bool
) -> None:
    assert review.campaign.due_on == DUE
    answers = [review.answer("ada", Decision.KEEP)]

    def decide() -> int:
        return attestations.decide(
            review.register, BOSS, review.campaign_id, answers, "page", moment
        )

    if is_open:
        assert decide() == 1
        return
    with pytest.raises(DecisionError) as error:
        decide()
    assert codes(error) == ["CAMPAIGN_OVERDUE"]


def test_nothing_is_decided_in_a_closed_campaign(review: Review) -> None:
    answer = review.answer("ada", Decision.KEEP)
    campaigns.close_campaign(
        review.register, MANAGER, review.campaign_id, NOW, accept_undecided=True
    )
    with pytest.raises(DecisionError) as error:
        review.decide(answer)
    assert codes(error) == ["CAMPAIGN_CLOSED"]


def test_an_answer_to_what_changed_meanwhile_is_refused(review: Review) -> None:
    late = review.answer("ada", Decision.REVOKE)
    review.decide(review.answer("ada", Decision.KEEP))
    with pytest.raises(DecisionError) as error:
        review.decide(late)
    assert codes(error) == ["ALREADY_DECIDED"]
    assert "Keep" in error.value.problems[0].sentence(Language.ENGLISH)
    assert "保留" in error.value.problems[0].sentence(Language.CHINESE)


def test_the_same_answer_again_records_nothing(review: Review) -> None:
    review.decide(review.answer("ada", Decision.KEEP))
    assert review.decide(review.answer("ada", Decision.KEEP)) == 0
    assert attestations.history(review.register, review.campaign_id).height == 1


def test_decisions_within_one_second_keep_their_order(review: Review) -> None:
    for decision in (Decision.KEEP, Decision.REVOKE, Decision.KEEP):
        review.decide(review.answer("ada", decision))
    history = attestations.history(review.register, review.campaign_id)
    assert history["decision"].to_list() == ["keep", "revoke", "keep"]
    assert history["version"].to_list() == [1, 2, 3]
    assert review.row("ada")["decision"] == "keep"


# Signing ------------------------------------------------------------------------------


def decide_all(review: Review) -> None:
    review.decide(
        review.answer("ada", Decision.KEEP),
        review.answer("bob", Decision.NOT_MINE),
        review.answer("eve", Decision.REVOKE),
    )


def attest(review: Review, actor: Actor = BOSS) -> int:
    return attestations.attest(
        review.register, actor, review.campaign_id, NOW, Language.CHINESE
    )


def signed_at(review: Review) -> datetime | None:
    status = campaigns.status(review.register, review.campaign_id).to_dicts()
    at = next(row for row in status if row["reviewer_id"] == "hr:boss")["attested_at"]
    assert at is None or isinstance(at, datetime)
    return at


def test_a_signature_covers_all_decided_rows(review: Review) -> None:
    decide_all(review)
    assert attest(review) == 2
    told = attestations.attestations(review.register, review.campaign_id).to_dicts()[0]
    assert told["counts"] == {
        "keep": 1,
        "revoke": 1,
        "change": 0,
        "keep_until": 0,
        "not_mine": 1,
    }
    assert told["statement"].startswith("本人")
    assert signed_at(review) == NOW


def test_a_signature_waits_for_the_last_row(review: Review) -> None:
    review.decide(review.answer("ada", Decision.KEEP))
    with pytest.raises(DecisionError) as error:
        attest(review)
    assert codes(error) == ["SIGN_OFF_INCOMPLETE"]


def test_who_has_no_rows_has_nothing_to_sign(review: Review) -> None:
    stranger = Actor(
        actor_id="hr:bob", name="Bob", role=AppRole.REVIEWER, identity_id="hr:bob"
    )
    with pytest.raises(DecisionError) as error:
        attest(review, stranger)
    assert codes(error) == ["NOTHING_TO_SIGN"]


def test_a_decision_changed_after_signing_has_to_be_signed_again(
    review: Review,
) -> None:
    decide_all(review)
    attest(review)
    first = attestations.attestations(review.register, review.campaign_id)
    review.decide(review.answer("ada", Decision.REVOKE))
    assert signed_at(review) is None
    attest(review)
    both = attestations.attestations(review.register, review.campaign_id)
    assert both.height == 2
    assert both[:1].equals(first)
    assert both["decisions_sha256"].n_unique() == 2
    assert signed_at(review) == NOW


def test_the_digest_signed_still_holds_after_closing(review: Review) -> None:
    decide_all(review)
    attest(review)
    own = campaigns.items(review.register, review.campaign_id, reviewer_id="hr:boss")
    told = attestations.attestations(review.register, review.campaign_id)
    assert campaigns.effective_decisions(own.to_dicts()) == (
        told["decisions_sha256"].item()
    )


@pytest.mark.parametrize("act", [attest, lambda review: review.issue(actor=MANAGER)])
def test_an_unknown_campaign_is_named(
    review: Review, act: Callable[[Review], object]
) -> None:
    lost = Review(
        review.register,
        review.settings,
        type(review.campaign)(**vars(review.campaign) | {"campaign_id": "nowhere"}),
    )
    with pytest.raises(CampaignError, match="no campaign is called nowhere"):
        act(lost)


def test_time_between_decisions_does_not_matter(review: Review) -> None:
    later = NOW + timedelta(days=3)
    attestations.decide(
        review.register,
        BOSS,
        review.campaign_id,
        [review.answer("ada", Decision.KEEP)],
        "page",
        later,
    )
    assert review.row("ada")["decided_at"] == later
