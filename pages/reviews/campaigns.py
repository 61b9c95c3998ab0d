"""Campaigns: planned with a preview, opened, followed, closed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import polars as pl
import streamlit as st

from governance.app_roles import Actor, Permission
from governance.campaigns import (
    Campaign,
    CampaignError,
    Plan,
    Preview,
    assign,
    campaign,
    close_campaign,
    excluded,
    items,
    list_campaigns,
    open_campaign,
    possible_reviewers,
    preview,
    status,
    tie_out,
)
from governance.model import Decision, GovernanceError, Language
from governance.register import Register
from governance.reports import report
from pages.elements.finding_table import open_holder
from pages.elements.paging import page_number
from pages.elements.tiles import Tile, tiles
from pages.reviews.wording import (
    change_word,
    decision_words,
    exclusion_word,
    reviewer_rule_words,
)
from pages.session import places, visitor
from pages.session.language import day, language, moment, number, words
from pages.session.plain import plain
from pages.session.wording import severity_word

_ROWS_PER_PAGE = 50
_PLAN = "campaign_plan"
_FAILED = "campaign_failed"
_DONE = "campaign_done"
_VIEW = "campaign_view"
_REVIEW_DAYS = 21
"""Days proposed between opening a review and its last day."""


def render() -> None:
    """Show the reviews, one of them, or the plan of a new one."""
    _ = words()
    actor = visitor.require(Permission.READ_CAMPAIGNS)
    visitor.snapshot_or_stop()
    register = visitor.register()
    asked = st.query_params.get("campaign")
    if asked:
        _one(actor, register, asked)
        return
    st.title(_("Campaigns"))
    _messages()
    _all(list_campaigns(register))
    if actor.may(Permission.OPEN_CAMPAIGNS):
        st.subheader(_("Open a review"))
        _planning()


def _messages() -> None:
    if failed := st.session_state.pop(_FAILED, None):
        st.error(plain(failed))
    if done := st.session_state.pop(_DONE, None):
        st.success(plain(done))


def _all(found: Sequence[Campaign]) -> None:
    _ = words()
    if not found:
        st.info(
            _(
                "No review has been opened yet. A review asks each department head "
                "about the access of their people, and records what they decide."
            )
        )
        return

    def open_one() -> None:
        row = st.session_state["campaigns_open"].row
        if 0 <= row < len(found):
            places.go("campaigns", campaign=found[row].campaign_id)

    now = visitor.now()
    st.dataframe(
        pl.DataFrame(
            [
                {
                    "title": one.title,
                    "state": _("Closed")
                    if not one.is_open
                    else _("Overdue")
                    if one.is_overdue(now)
                    else _("Open"),
                    "items": one.item_count,
                    "due_on": day(one.due_on),
                    "snapshot": one.snapshot_as_of,
                    "opened_by": one.opened_by_name,
                    "campaign_id": one.campaign_id,
                }
                for one in found
            ]
        ),
        hide_index=True,
        placeholder="—",
        key="campaigns_list",
        height="content",
        column_config={
            "title": st.column_config.ButtonColumn(
                _("Review"),
                width="large",
                type="tertiary",
                alignment="left",
                key="campaigns_open",
                on_click=open_one,
            ),
            "state": st.column_config.TextColumn(_("State")),
            "items": st.column_config.NumberColumn(_("Rows"), format="localized"),
            "due_on": st.column_config.TextColumn(_("Due")),
            "snapshot": _moments(_("Snapshot")),
            "opened_by": st.column_config.TextColumn(_("Opened by")),
            "campaign_id": st.column_config.TextColumn("ID"),
        },
    )


# Planning ---------------------------------------------------------------------------


def _planning() -> None:
    _ = words()
    settings = visitor.settings()
    snapshot = visitor.snapshot_or_stop()
    sources = [str(source["source"]) for source in snapshot.manifest.sources]
    titles = {str(s["source"]): str(s["title"]) for s in snapshot.manifest.sources}
    now = visitor.now()
    rules = reviewer_rule_words()
    with st.form("campaign_plan_form"):
        left, right = st.columns([3, 1])
        title = left.text_input(
            _("Title"),
            max_chars=120,
            placeholder=_("Access review, fourth quarter"),
            key="plan_title",
        )
        due_on = right.date_input(
            _("Last day to decide"),
            value=now.date() + timedelta(days=_REVIEW_DAYS),
            key="plan_due",
        )
        left, middle, right = st.columns([2, 1, 1])
        chosen = left.multiselect(
            _("Sources"),
            sources,
            format_func=lambda name: titles.get(name, name),
            placeholder=_("All sources"),
            key="plan_sources",
        )
        rule = middle.selectbox(
            _("Reviewer"),
            list(rules),
            format_func=rules.__getitem__,
            key="plan_rule",
        )
        heads = {
            str(row["identity_id"]): f"{row['display_name']} · {row['department_name']}"
            for row in report(snapshot, "department_heads").iter_rows(named=True)
        }
        fallback = right.selectbox(
            _("Fallback reviewer"),
            ["", *heads],
            format_func=lambda name: heads.get(name) or _("Nobody"),
            key="plan_fallback",
            help=_(
                "Who reviews what nobody else can: accounts without an owner, or of "
                "departments whose head has left."
            ),
        )
        shown = st.form_submit_button(_("Preview"), icon=":material/preview:")
    if shown:
        if not title.strip():
            st.error(_("Give the review a title."))
            return
        st.session_state[_PLAN] = Plan(
            title=title.strip(),
            due_on=due_on,
            sources=tuple(chosen) or None,
            reviewers="manager" if rule == "manager" else "department_head",
            fallback_reviewer=fallback or None,
        )
    plan = st.session_state.get(_PLAN)
    if plan is None:
        return
    try:
        with st.spinner(_("Working out who is asked about what"), show_time=True):
            told = preview(settings, plan, language=language())
    except GovernanceError as error:
        st.error(plain(error))
        return
    _previewed(plan, told)


def _previewed(plan: Plan, told: Preview) -> None:
    _ = words()
    st.markdown(
        f"**{plain(plan.title)}** · "
        + _("due on {day}").format(day=day(plan.due_on))
        + " · "
        + _("{rows} rows for {people} reviewers, {excluded} left out").format(
            rows=number(told.items.height),
            people=number(told.reviewers.height),
            excluded=number(told.excluded.height),
        )
    )
    for problem in told.problems:
        st.error(plain(problem), icon=":material/block:")
    for note in told.notes:
        st.warning(plain(note))
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.markdown("**" + _("Reviewers") + "**")
        st.dataframe(
            told.reviewers,
            hide_index=True,
            placeholder="—",
            key="plan_reviewers",
            height="content" if told.reviewers.height <= 15 else 480,
            column_config={
                "reviewer_id": st.column_config.TextColumn(_("Person id")),
                "reviewer_name": st.column_config.TextColumn(_("Reviewer")),
                "department_name": st.column_config.TextColumn(_("Department")),
                "items": _count(_("Rows")),
                "flagged": _count(_("At risk")),
                "changed": _count(_("New or changed")),
                "minutes": _count(_("Minutes")),
            },
        )
    with right:
        st.markdown("**" + _("Every row accounted for") + "**")
        _tie_out_table(told.tie_out, "plan_tie_out")
    _excluded_table(told.excluded, "plan_excluded")

    def open_it() -> None:
        someone = visitor.actor()
        if someone is None:
            return
        try:
            opened = open_campaign(
                visitor.register(), visitor.settings(), someone, plan, visitor.now()
            )
        except GovernanceError as error:
            st.session_state[_FAILED] = str(error)
            return
        st.session_state.pop(_PLAN, None)
        places.go("campaigns", campaign=opened.campaign_id)

    st.button(
        _("Open this review"),
        type="primary",
        disabled=bool(told.problems),
        on_click=open_it,
        icon=":material/play_arrow:",
        key="plan_open",
    )


def _tie_out_table(frame: pl.DataFrame, key: str) -> None:
    _ = words()
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="—",
        key=key,
        height="content",
        column_config={
            "source": st.column_config.TextColumn(_("Source")),
            "accepted": _count(_("Accepted")),
            "in_review": _count(_("In review")),
            "excluded": _count(_("Left out")),
        },
    )


def _excluded_table(frame: pl.DataFrame, key: str) -> None:
    _ = words()
    with st.expander(_("Left out") + f" · {number(frame.height)}"):
        if frame.is_empty():
            st.caption(_("Nothing is left out."))
            return
        page = page_number(frame.height, _ROWS_PER_PAGE, key=key)
        rows = frame.slice(page * _ROWS_PER_PAGE, _ROWS_PER_PAGE)
        st.dataframe(
            rows.select(
                "source",
                "display_name",
                "login",
                "account_id",
                "entitlement_id",
                pl.Series(
                    "reason",
                    [exclusion_word(reason) for reason in rows["reason"]],
                    dtype=pl.String,
                ),
            ),
            hide_index=True,
            placeholder="—",
            key=f"{key}_rows",
            column_config={
                "source": st.column_config.TextColumn(_("Source")),
                "display_name": st.column_config.TextColumn(_("Who")),
                "login": st.column_config.TextColumn(_("Login")),
                "account_id": st.column_config.TextColumn(_("Account")),
                "entitlement_id": st.column_config.TextColumn(_("Access")),
                "reason": st.column_config.TextColumn(_("Why"), width=380),
            },
        )


# Following ----------------------------------------------------------------------------


def _one(actor: Actor, register: Register, campaign_id: str) -> None:
    _ = words()
    if st.button(_("All campaigns"), icon=":material/arrow_back:", type="tertiary"):
        st.query_params.clear()
        st.rerun()
    try:
        chosen = campaign(register, campaign_id)
    except CampaignError:
        st.info(_("There is no such review."))
        return
    settings = visitor.settings()
    st.title(plain(chosen.title))
    _messages()
    st.caption(
        _("Opened {opened} by {name} over the snapshot of {snapshot}").format(
            opened=moment(chosen.opened_at, settings),
            name=plain(chosen.opened_by_name),
            snapshot=moment(chosen.snapshot_as_of, settings),
        )
        + " · "
        + _("due on {day}").format(day=day(chosen.due_on))
    )
    if not chosen.is_open:
        st.success(
            _("Closed {moment} by {name}.").format(
                moment=moment(chosen.closed_at, settings),
                name=plain(chosen.closed_by_name),
            )
        )
    elif chosen.is_overdue(visitor.now()):
        st.warning(_("The last day to decide is over."))
    rows = items(register, campaign_id)
    view = _progress(rows)
    _reviewers(chosen, status(register, campaign_id))
    _rows(actor, register, chosen, rows, view)
    with st.expander(_("Every row accounted for")):
        _tie_out_table(tie_out(register, campaign_id), "campaign_tie_out")
    _excluded_table(excluded(register, campaign_id), "campaign_excluded")
    if actor.may(Permission.EXPORT_EVIDENCE):
        address = f"/download/evidence/{quote(campaign_id)}"
        english = urlencode({"language": Language.ENGLISH.value})
        chinese = urlencode({"language": Language.CHINESE.value})
        st.markdown(
            _("Evidence workbook:")
            + f" [English ⤓]({address}?{english}) · [中文 ⤓]({address}?{chinese})"
        )
    if actor.may(Permission.OPEN_CAMPAIGNS) and chosen.is_open:
        _closing(chosen, rows)


def _views(rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    decision = pl.col("decision")
    return {
        "all": rows,
        "undecided": rows.filter(decision.is_null()),
        "not_mine": rows.filter(decision == Decision.NOT_MINE),
        "withdrawn": rows.filter(
            decision.is_in([Decision.REVOKE.value, Decision.CHANGE.value])
        ),
        "risk": rows.filter(pl.col("risk").is_in(["critical", "high"])),
    }


def _progress(rows: pl.DataFrame) -> str:
    _ = words()
    views = _views(rows)
    labels = {
        "all": (_("Rows"), "plain"),
        "undecided": (_("Undecided"), "unknown"),
        "not_mine": (_("Not mine"), "medium"),
        "withdrawn": (_("To be withdrawn or changed"), "fail"),
        "risk": (_("At risk"), "high"),
    }
    chosen = st.session_state.get(_VIEW, "undecided")
    if chosen not in views:
        chosen = "undecided"
    pressed = tiles(
        "campaign",
        [
            Tile(code=name, label=label, figure=views[name].height, tone=tone)
            for name, (label, tone) in labels.items()
        ],
        chosen,
    )
    if pressed is not None:
        st.session_state[_VIEW] = pressed
        st.session_state.pop("campaign_rows_page", None)
        st.rerun()
    return str(chosen)


def _reviewers(chosen: Campaign, counted: pl.DataFrame) -> None:
    _ = words()
    st.subheader(_("Reviewers"))
    told = language().value
    prefix = f"/download/workbook/{quote(chosen.campaign_id)}/"
    table = counted.with_columns(
        progress=pl.col("decided") / pl.col("items"),
        workbook=pl.Series(
            [
                f"{prefix}{quote(reviewer_id, safe='')}?{urlencode({'language': told})}"
                for reviewer_id in counted["reviewer_id"]
            ],
            dtype=pl.String,
        ),
    )
    shown = [
        "reviewer_name",
        "department_name",
        "progress",
        "items",
        "flagged",
        "decided",
        "undecided",
        "not_mine",
        "keep",
        "revoke",
        "change",
        "keep_until",
        "attested_at",
    ]
    someone = visitor.actor()
    if (
        someone is not None
        and someone.may(Permission.OPEN_CAMPAIGNS)
        and chosen.is_open
    ):
        shown.append("workbook")
    st.dataframe(
        table.select(shown),
        hide_index=True,
        placeholder="—",
        key="campaign_reviewers",
        height="content" if table.height <= 15 else 520,
        column_config={
            "reviewer_name": st.column_config.TextColumn(_("Reviewer")),
            "department_name": st.column_config.TextColumn(_("Department")),
            "progress": st.column_config.ProgressColumn(
                _("Done"), min_value=0, max_value=1, format="percent", width=110
            ),
            "items": _count(_("Rows")),
            "flagged": _count(_("At risk")),
            "decided": _count(_("Decided")),
            "undecided": _count(_("Undecided")),
            "not_mine": _count(_("Not mine")),
            "keep": _count(_("Keep")),
            "revoke": _count(_("Revoke")),
            "change": _count(_("Change")),
            "keep_until": _count(_("Keep until")),
            "attested_at": _moments(_("Signed")),
            "workbook": st.column_config.LinkColumn(
                _("Workbook"), display_text="Excel ⤓"
            ),
        },
    )


def _rows(
    actor: Actor,
    register: Register,
    chosen: Campaign,
    rows: pl.DataFrame,
    view: str,
) -> None:
    _ = words()
    st.subheader(_("Rows in review"))
    shown = _views(rows)[view]
    if shown.is_empty():
        st.caption(_("No row here."))
        return
    page = page_number(shown.height, _ROWS_PER_PAGE, key="campaign_rows")
    shown = shown.slice(page * _ROWS_PER_PAGE, _ROWS_PER_PAGE)
    offered = decision_words()
    is_chinese = language() is Language.CHINESE
    can_hand_on = chosen.is_open and actor.may(Permission.OPEN_CAMPAIGNS)

    def open_person() -> None:
        row = st.session_state["campaign_rows_open"].row
        if 0 <= row < shown.height:
            found = shown.row(row, named=True)
            open_holder(found["identity_id"], found["account_id"])

    event: Any = st.dataframe(
        pl.DataFrame(
            [
                {
                    "who": row["display_name"] or row["login"],
                    "entitlement": row["entitlement_name"] or _("No role"),
                    "source": row["source"],
                    "risk": severity_word(row["risk"]),
                    "change": change_word(row["change"]),
                    "decision": offered.get(row["decision"] or "", "—"),
                    "comment": row["comment"] or "",
                    "reviewer": row["reviewer_name"],
                    "decided_at": row["decided_at"],
                    "reason": row["reason_zh" if is_chinese else "reason_en"],
                }
                for row in shown.iter_rows(named=True)
            ],
            schema_overrides={"decided_at": pl.Datetime("us", "UTC")},
        ),
        hide_index=True,
        placeholder="—",
        key=f"campaign_rows_{view}_{page}",
        on_select="rerun" if can_hand_on else "ignore",
        selection_mode="multi-row",
        height="content" if shown.height <= 15 else 560,
        column_config={
            "who": st.column_config.ButtonColumn(
                _("Who"),
                width=130,
                type="tertiary",
                alignment="left",
                key="campaign_rows_open",
                on_click=open_person,
            ),
            "entitlement": st.column_config.TextColumn(_("May"), width=170),
            "source": st.column_config.TextColumn(_("Source")),
            "risk": st.column_config.TextColumn(_("Risk")),
            "change": st.column_config.TextColumn(_("Since last time")),
            "decision": st.column_config.TextColumn(_("Decision")),
            "comment": st.column_config.TextColumn(_("Comment"), width=180),
            "reviewer": st.column_config.TextColumn(_("Reviewer")),
            "decided_at": _moments(_("Decided on")),
            "reason": st.column_config.TextColumn(_("What to know"), width=420),
        },
    )
    if can_hand_on:
        picked = [
            shown["item_id"][row]
            for row in (event.selection.rows if event else [])
            if 0 <= row < shown.height
        ]
        _handing_on(register, chosen, picked)


def _handing_on(register: Register, chosen: Campaign, picked: Sequence[str]) -> None:
    """Offer to hand the rows picked to another reviewer."""
    _ = words()
    people = possible_reviewers(register, chosen.campaign_id)
    names = {
        reviewer_id: f"{name} · {department or '—'}"
        for reviewer_id, name, department in people.iter_rows()
    }
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    reviewer_id = left.selectbox(
        _("Hand the rows marked on the left to"),
        list(names),
        format_func=names.__getitem__,
        key="campaign_hand_to",
    )

    def hand_on() -> None:
        _ = words()
        someone = visitor.actor()
        if someone is None:
            return
        try:
            handed = assign(
                visitor.register(),
                someone,
                chosen.campaign_id,
                picked,
                reviewer_id,
                visitor.now(),
            )
        except GovernanceError as error:
            st.session_state[_FAILED] = str(error)
        else:
            st.session_state[_DONE] = _("{count} rows were handed on.").format(
                count=number(handed)
            )

    right.button(
        _("Hand on {count} rows").format(count=number(len(picked))),
        disabled=not picked,
        on_click=hand_on,
        width="stretch",
        key="campaign_hand_on",
    )


def _closing(chosen: Campaign, rows: pl.DataFrame) -> None:
    _ = words()
    st.subheader(_("Close"))
    decision = pl.col("decision")
    undecided = rows.filter(decision.is_null() | (decision == Decision.NOT_MINE))
    unsigned = rows.filter(
        decision.is_not_null()
        & (decision != Decision.NOT_MINE)
        & pl.col("attested_at").is_null()
    )
    accept = False
    if undecided.height or unsigned.height:
        st.warning(
            _(
                "{undecided} rows are undecided and {unsigned} are not signed. Closing "
                "over them names every one of them in the audit trail and the evidence."
            ).format(
                undecided=number(undecided.height), unsigned=number(unsigned.height)
            )
        )
        accept = st.checkbox(_("Close all the same"), key="campaign_accept")

    def close() -> None:
        someone = visitor.actor()
        if someone is None:
            return
        try:
            close_campaign(
                visitor.register(),
                someone,
                chosen.campaign_id,
                visitor.now(),
                accept_undecided=accept,
            )
        except GovernanceError as error:
            st.session_state[_FAILED] = str(error)

    st.button(
        _("Close this review for good"),
        on_click=close,
        disabled=bool(undecided.height or unsigned.height) and not accept,
        icon=":material/lock:",
        key="campaign_close",
    )


def _count(label: str) -> Any:  # noqa: ANN401 - Streamlit names no type for a column
    return st.column_config.NumberColumn(label, format="localized")


def _moments(label: str) -> Any:  # noqa: ANN401 - Streamlit names no type for a column
    return st.column_config.DatetimeColumn(
        label, format="YYYY-MM-DD HH:mm", timezone=visitor.settings().time_zone
    )
