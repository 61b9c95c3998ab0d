"""Returned workbooks: exactly what would be recorded, and the confirmation."""

import polars as pl
import streamlit as st

from governance.app_roles import Actor, Permission
from governance.attestations import (
    DecisionError,
    Return,
    ReturnError,
    confirm_return,
    returned,
    returns,
)
from governance.campaigns import list_campaigns
from governance.model import GovernanceError
from pages.elements.paging import page_number
from pages.reviews.wording import decision_words
from pages.session import places, visitor
from pages.session.language import language, moment, number, words
from pages.session.plain import plain
from pages.session.wording import severity_word

_ROWS_PER_PAGE = 50
_DONE = "return_done"
_FAILED = "return_failed"


def render() -> None:
    """Show one returned workbook, or the list of those this person may see."""
    _ = words()
    actor = visitor.actor()
    if actor is not None and not may_open(actor):
        visitor.require(Permission.DECIDE_REVIEW_ITEMS)
    if actor is None:
        actor = visitor.require(Permission.DECIDE_REVIEW_ITEMS)
    st.title(_("Returned workbooks"))
    asked = st.query_params.get("return")
    if asked:
        _one(actor, asked)
    else:
        _all(actor)


def may_open(actor: Actor) -> bool:
    """Return whether a person has anything to do with returned workbooks."""
    return actor.may(Permission.DECIDE_REVIEW_ITEMS) or actor.may(
        Permission.READ_CAMPAIGNS
    )


def _may_see(actor: Actor, reviewer_id: str | None, received_by: str | None) -> bool:
    return (
        actor.may(Permission.READ_CAMPAIGNS)
        or (reviewer_id is not None and actor.identity_id == reviewer_id)
        or actor.actor_id == received_by
    )


def _all(actor: Actor) -> None:
    _ = words()
    register = visitor.register()
    frames = [
        returns(register, campaign.campaign_id).with_columns(
            title=pl.lit(campaign.title)
        )
        for campaign in list_campaigns(register)
    ]
    found = pl.concat(frames) if frames else pl.DataFrame()
    if not found.is_empty() and not actor.may(Permission.READ_CAMPAIGNS):
        found = found.filter(pl.col("reviewer_id") == (actor.identity_id or ""))
    address = f"/upload/workbook?language={language().value}"
    st.markdown("[" + _("Return a filled workbook") + f"]({address})")
    if found.is_empty():
        st.info(_("No workbook has come back yet."))
        return

    def open_return() -> None:
        row = st.session_state["returns_open"].row
        if 0 <= row < found.height:
            places.go("returned", **{"return": found["return_id"][row]})

    st.dataframe(
        found.select(
            "file_name",
            "title",
            "reviewer_id",
            "version",
            "received_at",
            "received_by_name",
            pl.Series(
                "state",
                [
                    _("Recorded") if value is not None else _("Not recorded")
                    for value in found["confirmed_at"]
                ],
                dtype=pl.String,
            ),
        ),
        hide_index=True,
        placeholder="—",
        key="returns_list",
        height="content" if found.height <= 20 else 700,
        column_config={
            "file_name": st.column_config.ButtonColumn(
                _("File"),
                width="large",
                type="tertiary",
                alignment="left",
                key="returns_open",
                on_click=open_return,
            ),
            "title": st.column_config.TextColumn(_("Review")),
            "reviewer_id": st.column_config.TextColumn(_("Reviewer")),
            "version": st.column_config.NumberColumn(_("Version")),
            "received_at": st.column_config.DatetimeColumn(
                _("Returned"),
                format="YYYY-MM-DD HH:mm",
                timezone=visitor.settings().time_zone,
            ),
            "received_by_name": st.column_config.TextColumn(_("By")),
            "state": st.column_config.TextColumn(_("State")),
        },
    )


def _one(actor: Actor, return_id: str) -> None:
    _ = words()
    try:
        back = returned(visitor.register(), return_id)
    except ReturnError:
        back = None
    if back is None or not _may_see(actor, back.reviewer_id, back.received_by):
        st.info(_("There is no such returned workbook, or it is not yours."))
        return
    settings = visitor.settings()
    st.markdown(
        f"**{plain(back.file_name)}** · "
        + _("returned by {name} on {moment}").format(
            name=plain(back.received_by_name), moment=moment(back.received_at, settings)
        )
    )
    if back.reviewer_name:
        st.caption(
            _("Workbook of {name}, version {version}").format(
                name=plain(back.reviewer_name), version=back.version
            )
        )
    if failed := st.session_state.pop(_FAILED, None):
        st.error(plain(failed))
    if back.confirmed_at is not None:
        st.success(
            _("Recorded on {moment} by {name}.").format(
                moment=moment(back.confirmed_at, settings),
                name=plain(back.confirmed_by_name),
            )
        )
    if back.problems:
        _problems(back)
    _preview(back)
    says_something = back.signs or any(
        back.counts.get(code) for code in decision_words()
    )
    if back.can_be_confirmed and says_something:
        _confirmation(actor, back)


def _problems(back: Return) -> None:
    _ = words()
    st.error(
        _("Nothing of this workbook can be recorded until this is mended:"),
        icon=":material/block:",
    )
    st.dataframe(
        pl.DataFrame(
            [
                {
                    "cell": problem.cell or _("the file"),
                    "sentence": problem.sentence(language()),
                    "code": problem.code,
                }
                for problem in back.problems
            ]
        ),
        hide_index=True,
        placeholder="—",
        key="return_problems",
        height="content" if len(back.problems) <= 12 else 430,
        column_config={
            "cell": st.column_config.TextColumn(_("Cell"), width=110),
            "sentence": st.column_config.TextColumn(_("What is wrong"), width=700),
            "code": st.column_config.TextColumn(_("Code"), width=140),
        },
    )


def _preview(back: Return) -> None:
    _ = words()
    for notice in back.notices:
        st.warning(plain(notice.sentence(language())))
    if back.preview.is_empty():
        return
    offered = decision_words()
    recorded = back.preview.filter(pl.col("outcome") == "record")
    heading = (
        _("What is recorded")
        if back.confirmed_at is not None
        else _("What would be recorded")
    )
    st.subheader(heading + f" · {number(recorded.height)}")
    told = [
        f"{offered[code]} {number(count)}"
        for code, count in back.counts.items()
        if code in offered and count
    ]
    told += [
        f"{label} {number(back.counts.get(code, 0))}"
        for code, label in (
            ("undecided", _("Undecided")),
            ("unchanged", _("Unchanged")),
            ("left_out", _("Left out")),
        )
    ]
    st.caption(" · ".join(told))
    outcomes = {
        "record": _("Recorded")
        if back.confirmed_at is not None
        else _("Will be recorded"),
        "same": _("In force already"),
        "blank": _("No answer"),
        "conflict": _("Another decision stands"),
        "not_yours": _("Handed to another reviewer"),
    }
    page = page_number(back.preview.height, _ROWS_PER_PAGE, key="return_rows")
    shown = back.preview.with_columns(
        rank=pl.col("outcome").replace_strict(
            {"conflict": 0, "not_yours": 1, "record": 2}, default=3
        )
    ).sort("rank", "row")[page * _ROWS_PER_PAGE : (page + 1) * _ROWS_PER_PAGE]
    st.dataframe(
        pl.DataFrame(
            [
                {
                    "row": row["row"],
                    "who": row["display_name"] or row["login"],
                    "entitlement": row["entitlement_name"],
                    "source": row["source"],
                    "risk": severity_word(row["risk"]),
                    "before": offered.get(row["decision_before"] or "", "—"),
                    "decision": offered.get(row["decision"] or "", "—"),
                    "keep_until": row["keep_until"],
                    "comment": row["comment"],
                    "outcome": outcomes.get(row["outcome"], row["outcome"]),
                }
                for row in shown.iter_rows(named=True)
            ],
            schema_overrides={"keep_until": pl.Date, "entitlement": pl.String},
        ),
        hide_index=True,
        placeholder="—",
        key="return_preview",
        height="content" if shown.height <= 20 else 700,
        column_config={
            "row": st.column_config.NumberColumn(_("Row"), width=60),
            "who": st.column_config.TextColumn(_("Who"), width=130),
            "entitlement": st.column_config.TextColumn(_("May"), width=170),
            "source": st.column_config.TextColumn(_("Source")),
            "risk": st.column_config.TextColumn(_("Risk")),
            "before": st.column_config.TextColumn(_("Stood")),
            "decision": st.column_config.TextColumn(_("Decision")),
            "keep_until": st.column_config.DateColumn(_("Until"), format="YYYY-MM-DD"),
            "comment": st.column_config.TextColumn(_("Comment"), width=220),
            "outcome": st.column_config.TextColumn(_("What happens")),
        },
    )


def _confirmation(actor: Actor, back: Return) -> None:
    _ = words()
    st.markdown(
        _("Confirming also signs for these decisions, as {name}.").format(
            name=f"**{plain(back.signed_name)}**"
        )
        if back.signs
        else _("The workbook is not signed: the decisions are recorded without it.")
    )
    if actor.identity_id != back.reviewer_id:
        if not actor.may(Permission.RETURN_FOR_OTHERS):
            return
        st.caption(_("You record this on the reviewer’s behalf; both names are kept."))

    def confirm() -> None:
        someone = visitor.actor()
        if someone is None:
            return
        try:
            confirm_return(
                visitor.register(),
                visitor.settings(),
                someone,
                back.return_id,
                visitor.now(),
            )
        except DecisionError as error:
            st.session_state[_FAILED] = error.sentence(language())
        except ReturnError as error:
            st.session_state[_FAILED] = " ".join(
                problem.sentence(language()) for problem in error.problems
            )
        except GovernanceError as error:
            st.session_state[_FAILED] = str(error)

    st.button(
        _("Record these answers"),
        type="primary",
        icon=":material/task_alt:",
        on_click=confirm,
        key="return_confirm",
    )
