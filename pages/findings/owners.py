"""Accounts that no key ties to a person: who may own each, and saying who does."""

import polars as pl
import streamlit as st

from governance.app_roles import Permission
from governance.model import GovernanceError
from governance.owner_confirmations import confirm_owner, confirmed_owners
from governance.owner_suggestions import suggest
from governance.reports import report
from governance.snapshots import Snapshot
from pages.elements.paging import page_number
from pages.session import visitor
from pages.session.language import words
from pages.session.plain import plain

_ROWS_PER_PAGE = 50
_OFFERED_AT_MOST = 20


def render() -> None:
    """List the accounts without an owner; take a person's word for one of them."""
    _ = words()
    visitor.require(Permission.CONFIRM_OWNERS)
    snapshot = visitor.snapshot_or_stop()
    st.title(_("Owners to confirm"))
    st.caption(
        _(
            "No employee number, e-mail, phone or directory id ties these accounts to "
            "one person. Names only suggest: what you confirm is recorded under your "
            "name and holds from the next snapshot on."
        )
    )
    waiting = dict(
        confirmed_owners(visitor.register()).select("account_id", "identity_id").rows()
    )
    accounts = report(snapshot, "accounts_without_owner").filter(
        visitor.scope(snapshot).of(), pl.col("identity_id").is_null()
    )
    people = report(snapshot, "people_to_match")
    if accounts.is_empty():
        st.success(_("Every enabled account belongs to somebody."))
        return
    names = dict(people.select("identity_id", "display_name").iter_rows())
    suggested = suggest(accounts, people)
    rows = _with_suggestions(accounts, suggested, names, waiting)
    page = page_number(rows.height, _ROWS_PER_PAGE, key="owners")
    shown = rows.slice(page * _ROWS_PER_PAGE, _ROWS_PER_PAGE)
    chosen = st.dataframe(
        shown.drop("account_id"),
        hide_index=True,
        placeholder="—",
        key="owners_rows",
        height="content",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "source": st.column_config.TextColumn(_("Source")),
            "login": st.column_config.TextColumn(_("Login")),
            "display_name": st.column_config.TextColumn(_("Account name")),
            "department_name": st.column_config.TextColumn(_("Department")),
            "likely": st.column_config.TextColumn(_("May belong to"), width=360),
            "confirmed": st.column_config.TextColumn(_("Confirmed for")),
        },
    )
    picked = chosen.selection.rows
    if not picked or not 0 <= picked[0] < shown.height:
        st.info(_("Choose a row to say whose account it is."))
        return
    account = shown.row(picked[0], named=True)
    _decide(snapshot, account, suggested, people)


def _with_suggestions(
    accounts: pl.DataFrame,
    suggested: pl.DataFrame,
    names: dict[str, str],
    waiting: dict[str, str],
) -> pl.DataFrame:
    likely: dict[str, list[str]] = {}
    for account_id, identity_id, because in suggested.select(
        "account_id", "identity_id", "because"
    ).iter_rows():
        told = f"{names[identity_id]} ({identity_id}, {_because(because)})"
        likely.setdefault(account_id, []).append(told)
    ids = accounts["account_id"].to_list()
    return accounts.select(
        "account_id",
        "source",
        "login",
        "display_name",
        "department_name",
        pl.Series("likely", ["; ".join(likely.get(one, [])) or None for one in ids]),
        pl.Series(
            "confirmed",
            [names.get(waiting.get(one, ""), waiting.get(one)) for one in ids],
            dtype=pl.String,
        ),
    ).with_columns(pl.col("likely").cast(pl.String))


def _because(reason: str) -> str:
    _ = words()
    return {
        "same_name": _("same name"),
        "pinyin": _("same in pinyin"),
        "fuzzy_name": _("similar name"),
        "email_local_part": _("similar address"),
    }.get(reason, reason)


def _decide(
    snapshot: Snapshot,
    account: dict[str, str],
    suggested: pl.DataFrame,
    people: pl.DataFrame,
) -> None:
    """Offer the suggested people first, then whoever the search finds."""
    _ = words()
    st.subheader(plain(account["login"] or account["account_id"]))
    likely = suggested.filter(pl.col("account_id") == account["account_id"])
    wanted = st.text_input(
        _("Search"),
        key="owners_search",
        placeholder=_("Name, e-mail or employee number"),
    ).strip()
    offered = people.join(
        likely.select("identity_id"), "identity_id", "semi", maintain_order="left"
    )
    if wanted:
        looked_in = ("display_name", "email", "employee_number", "identity_id")
        offered = people.filter(
            pl.any_horizontal(
                pl.col(name)
                .str.to_lowercase()
                .str.contains(wanted.lower(), literal=True)
                .fill_null(value=False)
                for name in looked_in
            )
        ).head(_OFFERED_AT_MOST)
    if offered.is_empty():
        st.caption(_("Nobody is suggested; search for the person."))
        return
    described = {
        row["identity_id"]: " · ".join(
            str(part)
            for part in (row["display_name"], row["identity_id"], row["job_title"])
            if part
        )
        for row in offered.iter_rows(named=True)
    }
    identity_id = st.radio(
        _("Belongs to"),
        list(described),
        format_func=lambda one: plain(described[one]),
        key=f"owners_choice_{account['account_id']}",
    )
    if st.button(_("Confirm the owner"), type="primary", key="owners_confirm"):
        someone = visitor.require(Permission.CONFIRM_OWNERS)
        try:
            confirm_owner(
                visitor.register(),
                snapshot,
                someone,
                account["account_id"],
                identity_id,
                visitor.now(),
            )
        except GovernanceError as error:
            st.error(plain(error))
        else:
            st.rerun()
