"""A reviewer's own rows: what needs a look first, decided here or in Excel, signed.

The editor's answers are proposals from outside: of each only the row's id, decision,
date and comment are taken, and the service that records them checks everything again.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode

import polars as pl
import streamlit as st

from governance.app_roles import Permission
from governance.attestations import DecisionError, ItemDecision, attest, decide
from governance.attestations.decisions import STATEMENT
from governance.campaigns import Campaign, items, list_campaigns
from governance.model import Decision, GovernanceError, Language
from pages.elements.paging import page_number
from pages.elements.tiles import Tile, tiles
from pages.reviews.wording import change_word, decision_words
from pages.session import visitor
from pages.session.language import day, language, number, words
from pages.session.plain import plain
from pages.session.wording import ability_words, severity_word

ROWS_PER_PAGE = 50
_LINE_HEIGHT, _LINE_CELLS = 15, 54
"""Of the column that holds the reasons: pixels, and letters (Chinese ones are two)."""
_ROW_HEIGHTS = (44, 170)
"""Pixels of the lowest and the highest row."""
"""Four lines of text; Streamlit wraps a cell's text from 4 rem, 56 pixels, on."""
_DRAFTS = "my_drafts"
_SHOWN = "my_shown"
_TOLD = "my_problems"
_ROUND = "my_round"
_VIEW = "my_view"
_EDITOR = "my_editor"
_INCOMPLETE = frozenset({"REASON_MISSING", "DATE_MISSING", "DATE_PAST"})
"""Problems of an answer that is not finished: kept as a draft until it is."""
_LOOKED_AT = ("critical", "high", "medium")


def render() -> None:
    """Show the reviewer's campaign, its rows and the way to sign."""
    _ = words()
    actor = visitor.require(Permission.DECIDE_REVIEW_ITEMS)
    st.title(_("My items"))
    if actor.identity_id is None:
        st.info(
            _(
                "You hold no review items yourself. Follow the reviewers under "
                "Campaigns."
            )
        )
        return
    register = visitor.register()
    mine = {
        campaign.campaign_id: campaign
        for campaign in list_campaigns(register)
        if not items(
            register, campaign.campaign_id, reviewer_id=actor.identity_id
        ).is_empty()
    }
    if not mine:
        st.info(
            _(
                "Nothing to review. When a review is opened, the access of your people "
                "appears here."
            )
        )
        return
    campaign = mine[_campaign_choice(mine)]
    rows = items(register, campaign.campaign_id, reviewer_id=actor.identity_id)
    now = visitor.now()
    can_decide = campaign.is_open and not campaign.is_overdue(now)
    _about(campaign, actor.identity_id, can_decide=can_decide)
    shown = _view(campaign, rows)
    _list(campaign, rows, shown, can_decide=can_decide)
    _signing(campaign, rows, can_decide=can_decide)


def _campaign_choice(mine: Mapping[str, Campaign]) -> str:
    _ = words()
    asked = st.query_params.get("campaign")
    names = list(mine)
    if len(names) == 1:
        return names[0]
    chosen = st.selectbox(
        _("Review"),
        names,
        index=names.index(asked) if asked in names else 0,
        format_func=lambda name: (
            mine[name].title + ("" if mine[name].is_open else " · " + _("closed"))
        ),
    )
    return str(chosen)


def _about(campaign: Campaign, reviewer_id: str, *, can_decide: bool) -> None:
    _ = words()
    st.markdown(
        f"**{plain(campaign.title)}** · "
        + _("due on {day}").format(day=day(campaign.due_on))
    )
    if not campaign.is_open:
        st.info(_("This review is closed. Its answers can be read, not changed."))
    elif not can_decide:
        st.warning(_("The last day to decide is over. Ask the security manager."))
    else:
        address = f"/download/workbook/{quote(campaign.campaign_id)}/" + quote(
            reviewer_id, safe=""
        )
        english = urlencode({"language": Language.ENGLISH.value})
        chinese = urlencode({"language": Language.CHINESE.value})
        back = urlencode({"language": language().value})
        st.caption(
            _("Decide below; every answer is saved at once. Or in Excel:")
            + f" [English ⤓]({address}?{english}) · [中文 ⤓]({address}?{chinese}) · "
            + "["
            + _("return a filled workbook")
            + f"](/upload/workbook?{back})"
        )


def _is_undecided() -> pl.Expr:
    return pl.col("decision").is_null() | (pl.col("decision") == Decision.NOT_MINE)


def _needs_a_look() -> pl.Expr:
    return pl.col("risk").is_in(_LOOKED_AT) | pl.col("change").is_in(["new", "changed"])


def _view(campaign: Campaign, rows: pl.DataFrame) -> list[str]:
    """Show how far one is; return the rows of the view chosen, by id.

    The list is drawn up when a view is chosen and then stands still: a row that has
    just been decided must not slip away under the hand.
    """
    _ = words()
    undecided = rows.filter(_is_undecided())
    views = {
        "look": (_("Need a look"), undecided.filter(_needs_a_look()), "high"),
        "rest": (_("Undecided, as before"), undecided.filter(~_needs_a_look()), "low"),
        "decided": (_("Decided"), rows.filter(~_is_undecided()), "pass"),
        "all": (_("All rows"), rows, "plain"),
    }
    chosen = st.session_state.get(_VIEW)
    if chosen not in views:
        chosen = next(
            (name for name in ("look", "rest") if not views[name][1].is_empty()), "all"
        )
        st.session_state[_VIEW] = chosen
    pressed = tiles(
        "my",
        [
            Tile(code=name, label=label, figure=frame.height, tone=tone)
            for name, (label, frame, tone) in views.items()
        ],
        chosen,
    )
    if pressed is not None:
        st.session_state[_VIEW] = pressed
        st.session_state.pop(_SHOWN, None)
        st.session_state.pop("my_rows_page", None)
        _start_over()
        st.rerun()
    key = (campaign.campaign_id, chosen)
    kept = st.session_state.get(_SHOWN)
    if kept is None or kept[0] != key:
        kept = (key, views[chosen][1]["item_id"].to_list())
        st.session_state[_SHOWN] = kept
    mine = set(rows["item_id"])
    return [item_id for item_id in kept[1] if item_id in mine]


def _list(
    campaign: Campaign, rows: pl.DataFrame, shown: Sequence[str], *, can_decide: bool
) -> None:
    _ = words()
    if not shown:
        st.info(_("Nothing here. Choose another view above, or sign below."))
        return
    page = page_number(len(shown), ROWS_PER_PAGE, key="my_rows")
    wanted = shown[page * ROWS_PER_PAGE : (page + 1) * ROWS_PER_PAGE]
    place = {item_id: index for index, item_id in enumerate(wanted)}
    here = (
        rows.filter(pl.col("item_id").is_in(wanted))
        .with_columns(place=pl.col("item_id").replace_strict(place, default=0))
        .sort("place")
    )
    for sentence in st.session_state.pop(_TOLD, []):
        st.error(plain(sentence))
    if can_decide:
        _keep_plain_rows(campaign, here)
    _editor(campaign, here, can_decide=can_decide)


def _row_height(reasons: pl.Series) -> int:
    """Return the height at which the longest reason of the page is read whole."""
    longest = max(
        (sum(2 if ord(one) > 0x2E80 else 1 for one in text or "") for text in reasons),
        default=0,
    )
    lowest, highest = _ROW_HEIGHTS
    # One line more than the letters fill: words are not broken.
    lines = longest // _LINE_CELLS + 2
    return min(highest, max(lowest, lines * _LINE_HEIGHT + 8))


def _editor(campaign: Campaign, here: pl.DataFrame, *, can_decide: bool) -> None:
    _ = words()
    offered = decision_words()
    drafts: dict[str, ItemDecision] = st.session_state.setdefault(_DRAFTS, {})
    is_chinese = language() is Language.CHINESE
    table = []
    for row in here.iter_rows(named=True):
        draft = drafts.get(row["item_id"])
        decision = row["decision"] if draft is None else draft.decision.value
        table.append(
            {
                "decision": offered.get(decision or ""),
                "who": row["display_name"] or row["login"],
                "entitlement": row["entitlement_name"] or _("No role"),
                "risk": severity_word(row["risk"]),
                "reason": row["reason_zh" if is_chinese else "reason_en"],
                "comment": (row["comment"] if draft is None else draft.comment) or "",
                "keep_until": row["keep_until"] if draft is None else draft.keep_until,
                "missing": "" if draft is None else _missing(draft),
                "change": change_word(row["change"]),
                "login": row["login"],
                "source": row["source"],
                "abilities": ability_words(row["abilities"]),
                "last_login_at": row["last_login_at"],
                "job_title": row["job_title"],
                "before": offered.get(row["previous_decision"] or "", "—"),
            }
        )
    ids = here["item_id"].to_list()
    versions = dict(zip(ids, here["version"].to_list(), strict=True))
    in_force = {
        row["item_id"]: (row["decision"], row["comment"] or "", row["keep_until"])
        for row in here.iter_rows(named=True)
    }
    number_of_round = st.session_state.setdefault(_ROUND, 0)
    key = f"{_EDITOR}_{number_of_round}_{hash(tuple(ids))}"

    def save() -> None:
        _save(campaign.campaign_id, ids, versions, in_force, key)

    typed: dict[str, Any] = {
        "keep_until": pl.Date,
        "last_login_at": pl.Datetime("us", "UTC"),
    }
    frame = pl.DataFrame(
        table, schema={name: typed.get(name, pl.String) for name in table[0]}
    )
    locked = [
        name
        for name in frame.columns
        if name not in ("decision", "comment", "keep_until")
    ]
    row_height = _row_height(frame["reason"])
    st.data_editor(
        frame,
        key=key,
        on_change=save,
        hide_index=True,
        num_rows="fixed",
        disabled=locked if can_decide else True,
        height=min(38 + row_height * frame.height, 860),
        row_height=row_height,
        placeholder="",
        column_config={
            "decision": st.column_config.SelectboxColumn(
                _("Decision"), options=list(offered.values()), width=95, pinned=True
            ),
            "who": st.column_config.TextColumn(_("Who"), width=85),
            "entitlement": st.column_config.TextColumn(_("May"), width=110),
            "risk": st.column_config.TextColumn(_("Risk"), width=65),
            "reason": st.column_config.TextColumn(_("What to know"), width=430),
            "comment": st.column_config.TextColumn(
                _("Comment"), width=130, max_chars=2000
            ),
            "keep_until": st.column_config.DateColumn(
                _("Until"), width=85, format="YYYY-MM-DD"
            ),
            "missing": st.column_config.TextColumn(_("Still missing"), width=75),
            "change": st.column_config.TextColumn(_("Since last time"), width=95),
            "login": st.column_config.TextColumn(_("Login")),
            "source": st.column_config.TextColumn(_("Source")),
            "abilities": st.column_config.TextColumn(_("Effective abilities")),
            "last_login_at": st.column_config.DatetimeColumn(
                _("Last login"),
                format="YYYY-MM-DD HH:mm",
                timezone=visitor.settings().time_zone,
            ),
            "job_title": st.column_config.TextColumn(_("Job title")),
            "before": st.column_config.TextColumn(_("Decided last time")),
        },
    )
    st.caption(
        _(
            "A row at risk that stays, and a change, need a comment. “Not mine” sends "
            "the row back to the security manager."
        )
    )


def _missing(draft: ItemDecision) -> str:
    _ = words()
    if draft.decision is Decision.KEEP_UNTIL and draft.keep_until is None:
        return _("A date")
    if not draft.comment.strip():
        return _("A comment")
    return _("A later date")


def _save(
    campaign_id: str,
    ids: Sequence[str],
    versions: Mapping[str, int],
    in_force: Mapping[str, tuple[Any, Any, Any]],
    key: str,
) -> None:
    """Record what was edited, row by row; what is not finished stays a draft."""
    _ = words()
    actor = visitor.actor()
    if actor is None:
        return
    drafts: dict[str, ItemDecision] = st.session_state.setdefault(_DRAFTS, {})
    problems = []
    for index, change in _edited(key, len(ids)).items():
        item_id = ids[index]
        if "decision" in change and change["decision"] is None:
            problems.append(_("A decision is changed by another one, not taken back."))
            continue
        answer = _answer(
            item_id, change, drafts.get(item_id), in_force[item_id], versions[item_id]
        )
        if answer is None or _says(answer) == in_force[item_id]:
            continue
        try:
            decide(
                visitor.register(),
                actor,
                campaign_id,
                [answer],
                "page",
                visitor.now(),
            )
            drafts.pop(item_id, None)
        except DecisionError as error:
            if {problem.code for problem in error.problems} <= _INCOMPLETE:
                drafts[item_id] = answer
            else:
                drafts.pop(item_id, None)
                problems.append(error.sentence(language()))
        except GovernanceError as error:
            problems.append(str(error))
    if problems:
        # The editor begins afresh from what is recorded: what was refused is gone.
        st.session_state[_TOLD] = problems
        _start_over()


def _says(answer: ItemDecision) -> tuple[str, str, date | None]:
    return answer.decision.value, answer.comment, answer.keep_until


def _edited(key: str, length: int) -> dict[int, dict[str, Any]]:
    """Return the changed cells of rows that exist, and of no other."""
    state = st.session_state.get(key) or {}
    edited = state.get("edited_rows", {})
    found = {}
    for index, change in edited.items():
        if str(index).isdigit() and int(index) < length and isinstance(change, dict):
            found[int(index)] = change
    return found


def _answer(
    item_id: str,
    change: Mapping[str, Any],
    draft: ItemDecision | None,
    in_force: tuple[Any, Any, Any],
    version: int,
) -> ItemDecision | None:
    """Return what the changed cells say of a row, on top of what stood there.

    None while there is no decision: a comment alone is not an answer.
    """
    before = (
        in_force
        if draft is None
        else (draft.decision.value, draft.comment, draft.keep_until)
    )
    codes = {word: code for code, word in decision_words().items()}
    decision = codes.get(str(change["decision"])) if "decision" in change else before[0]
    if decision is None:
        return None
    comment = change["comment"] if "comment" in change else before[1]
    until = change["keep_until"] if "keep_until" in change else before[2]
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until[:10])
        except ValueError:
            until = None
    return ItemDecision(
        item_id=item_id,
        decision=Decision(decision),
        comment=str(comment or ""),
        keep_until=until if decision == Decision.KEEP_UNTIL else None,
        version=version,
    )


def _start_over() -> None:
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _keep_plain_rows(campaign: Campaign, here: pl.DataFrame) -> None:
    """Offer to keep, in one go, the undecided rows of this page that are as before."""
    _ = words()
    plain_rows = here.filter(
        pl.col("decision").is_null() & ~_needs_a_look() & (pl.col("change") == "same")
    )
    if plain_rows.is_empty():
        return

    def keep() -> None:
        actor = visitor.actor()
        if actor is None:
            return
        answers = [
            ItemDecision(item_id=item_id, decision=Decision.KEEP, version=version)
            for item_id, version in plain_rows.select("item_id", "version").iter_rows()
        ]
        try:
            decide(
                visitor.register(),
                actor,
                campaign.campaign_id,
                answers,
                "page",
                visitor.now(),
            )
        except GovernanceError as error:
            st.session_state[_TOLD] = [str(error)]
        _start_over()

    st.button(
        _("Keep the {count} rows on this page that are as before").format(
            count=number(plain_rows.height)
        ),
        icon=":material/done_all:",
        on_click=keep,
        key="my_keep_plain",
    )


def _signing(campaign: Campaign, rows: pl.DataFrame, *, can_decide: bool) -> None:
    _ = words()
    st.subheader(_("Sign"))
    counted = rows.group_by("decision").agg(pl.len()).drop_nulls("decision")
    by_decision = dict(counted.iter_rows())
    told = [
        f"{word} {number(by_decision[code])}"
        for code, word in decision_words().items()
        if code in by_decision
    ]
    undecided = rows["decision"].null_count()
    st.caption(" · ".join([*told, _("Undecided") + f" {number(undecided)}"]))
    unsigned = rows.filter(
        pl.col("decision").is_not_null()
        & (pl.col("decision") != Decision.NOT_MINE)
        & pl.col("attested_at").is_null()
    )
    if unsigned.is_empty() and undecided == 0:
        st.success(_("All your decisions are signed. Thank you."))
        return
    if not can_decide:
        return
    if undecided:
        st.info(
            _("{count} rows are still undecided. You can sign when none is.").format(
                count=number(undecided)
            )
        )
        return
    statement = _(STATEMENT)
    st.markdown(f"> {statement}")
    if st.session_state.pop("my_sign_problem", None) is not None:
        st.error(_("This could not be signed. Look at your rows again."))

    def sign() -> None:
        actor = visitor.actor()
        if actor is None:
            return
        try:
            attest(
                visitor.register(),
                actor,
                campaign.campaign_id,
                visitor.now(),
                language(),
            )
        except GovernanceError as error:
            st.session_state[_TOLD] = [str(error)]
            st.session_state["my_sign_problem"] = True

    agreed = st.checkbox(
        _("This is my statement for {count} decisions.").format(
            count=number(unsigned.height)
        ),
        key="my_agreed",
    )
    st.button(
        _("Sign"),
        type="primary",
        disabled=not agreed,
        on_click=sign,
        icon=":material/draw:",
        key="my_sign",
    )
