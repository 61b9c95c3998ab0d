"""Find a person or an account, and see everything it may do."""

from typing import Any

import polars as pl
import streamlit as st

from governance.app_roles import Permission
from governance.assessments import findings
from governance.changes import finding_history
from governance.owner_suggestions import suggest
from governance.people import (
    FOUND_AT_MOST,
    LOGINS_SHOWN,
    Holder,
    grant_history,
    grants_of,
    holder_of,
    logins_of,
    search_people,
)
from governance.reports import report
from governance.scope import Scope
from governance.snapshots import Snapshot
from pages.elements.finding_table import finding_table, open_holder
from pages.session import places, visitor
from pages.session.language import day, number, words
from pages.session.plain import plain
from pages.session.wording import ability_words, title_of, value_word

_GAINED = "gained"


def render() -> None:
    """Show the search, or the one person or account the address names."""
    _ = words()
    visitor.require(Permission.READ_PEOPLE)
    snapshot = visitor.snapshot_or_stop()
    scope = visitor.scope(snapshot)
    identity_id = st.query_params.get("person")
    account_id = st.query_params.get("account")
    if not identity_id and not account_id:
        _search(snapshot, scope)
        return
    if st.button(_("Search again"), icon=":material/arrow_back:", type="tertiary"):
        st.query_params.clear()
        st.rerun()
    holder = holder_of(snapshot, scope, identity_id=identity_id, account_id=account_id)
    if holder is None:
        st.info(_("No such person or account in this snapshot, or not one of yours."))
        return
    _show(snapshot, scope, holder)


def _search(snapshot: Snapshot, scope: Scope) -> None:
    _ = words()
    st.title(_("People and accounts"))
    wanted = st.text_input(
        _("Search"),
        key="people_search",
        placeholder=_("Name, login, e-mail or employee number"),
    )
    found = search_people(snapshot, scope, wanted)
    if found.is_empty():
        st.info(_("Nobody in your departments matches. Try a shorter text."))
        return
    total = int(found["found"][0])
    st.caption(
        _("{total} found").format(total=number(total))
        if total <= FOUND_AT_MOST
        else _("{total} found; the first {shown} are shown. Narrow the search.").format(
            total=number(total), shown=FOUND_AT_MOST
        )
    )

    def open_row() -> None:
        row = st.session_state["people_open"].row
        if 0 <= row < found.height:
            who = found.row(row, named=True)
            open_holder(who["identity_id"], who["account_id"])

    st.dataframe(
        found.select(
            pl.coalesce("display_name", "identity_id", "account_id").alias("who"),
            "logins",
            "department_name",
            "job_title",
            pl.Series(
                "employment_status",
                [
                    _("Nobody’s account") if identity_id is None else value_word(status)
                    for identity_id, status in found.select(
                        "identity_id", "employment_status"
                    ).iter_rows()
                ],
                dtype=pl.String,
            ),
            "account_count",
        ),
        hide_index=True,
        placeholder="—",
        key="people_found",
        height="content",
        column_config={
            "who": st.column_config.ButtonColumn(
                _("Name"),
                width=180,
                type="tertiary",
                alignment="left",
                key="people_open",
                on_click=open_row,
            ),
            "logins": st.column_config.TextColumn(_("Login names"), width=300),
            "department_name": st.column_config.TextColumn(_("Department")),
            "job_title": st.column_config.TextColumn(_("Job title")),
            "employment_status": st.column_config.TextColumn(_("Employment")),
            "account_count": st.column_config.NumberColumn(_("Accounts")),
        },
    )


def _show(snapshot: Snapshot, scope: Scope, holder: Holder) -> None:
    _ = words()
    st.title(plain(holder.display_name))
    _facts(holder)
    if not holder.facts and scope.departments is None:
        _possible_owners(snapshot, holder.account_ids[0])
    assessed = visitor.assessments()
    found = findings(
        assessed,
        scope,
        account_ids=holder.account_ids,
        identity_ids=[holder.identity_id] if holder.identity_id else [],
    )
    st.subheader(_("Findings") + f" · {number(found.height)}")
    checks = {check_id: assessment.check for check_id, assessment in assessed.items()}
    finding_table(found, checks, key="person_findings")
    st.subheader(_("Accounts") + f" · {number(holder.accounts.height)}")
    _accounts(holder)
    views = {
        "grants": _("What they may do"),
        "logins": _("Recent logins"),
        "history": _("History"),
    }
    view = st.segmented_control(
        _("Show"),
        list(views),
        format_func=views.__getitem__,
        default="grants",
        key="person_view",
        label_visibility="collapsed",
        required=True,
    )
    if view == "grants":
        _grants(snapshot, holder)
    elif view == "logins":
        _logins(snapshot, holder)
    else:
        _history(holder)


def _facts(holder: Holder) -> None:
    _ = words()
    facts = holder.facts
    if not facts:
        st.warning(_("Nobody is known to own this account."))
        return
    told = [
        (_("Employment"), value_word(facts["employment_status"])),
        (_("Type"), value_word(facts["employment_type"])),
        (_("Department"), facts["department_name"] or facts["department_id"]),
        (_("Job title"), facts["job_title"]),
        (_("Manager"), facts["manager_name"] or facts["manager_id"]),
        (_("Employee number"), facts["employee_number"]),
        (_("Started"), day(facts["start_date"])),
        (_("Last day"), day(facts["end_date"])),
        (_("E-mail"), facts["email"]),
        (_("Read from"), f"{facts['source_file']}:{facts['source_row']}"),
    ]
    columns = st.columns(5)
    for place, (label, value) in enumerate(told):
        with columns[place % 5].container(gap=None):
            st.caption(label)
            st.text("—" if value is None else str(value))


def _possible_owners(snapshot: Snapshot, account_id: str) -> None:
    """Suggest owners by name to those who see everybody; a person confirms."""
    _ = words()
    accounts = report(snapshot, "accounts_without_owner")
    people = report(snapshot, "people_to_match")
    found = suggest(accounts.filter(pl.col("account_id") == account_id), people).join(
        people.select("identity_id", "display_name"),
        "identity_id",
        "left",
        maintain_order="left",
    )
    st.subheader(_("Who may own it"))
    if found.is_empty():
        st.caption(_("No name in the snapshot is like this account's."))
        return
    st.caption(
        _(
            "Suggested by likeness of names alone; nothing is taken over until "
            "somebody confirms it. The next snapshot then has the owner."
        )
    )
    because = {
        "same_name": _("same name"),
        "pinyin": _("same in pinyin"),
        "fuzzy_name": _("similar name"),
        "email_local_part": _("similar address"),
    }
    for row in found.iter_rows(named=True):
        st.markdown(
            f"- **{plain(row['display_name'])}** · {plain(row['identity_id'])} · "
            f"{because.get(row['because'], row['because'])} · {row['score']}/100"
        )
    if places.exists("owners"):
        places.link(_("Owners to confirm"), "owners")


def _accounts(holder: Holder) -> None:
    _ = words()
    if holder.accounts.is_empty():
        st.caption(_("No account in any source belongs to this person."))
        return
    accounts = holder.accounts
    states = {True: _("Enabled"), False: _("Disabled"), None: _("Not known")}
    st.dataframe(
        accounts.select(
            "source",
            "login",
            "account_name",
            _worded(accounts, "account_type"),
            pl.Series(
                "is_enabled",
                [states[value] for value in accounts["is_enabled"]],
                dtype=pl.String,
            ),
            _worded(accounts, "mfa_state"),
            "last_login_at",
            "password_changed_at",
            "created_at",
            "match_rule",
            pl.format("{}:{}", "source_file", "source_row").alias("origin"),
        ),
        hide_index=True,
        placeholder="—",
        key="person_accounts",
        column_config={
            "source": st.column_config.TextColumn(_("Source")),
            "login": st.column_config.TextColumn(_("Login")),
            "account_name": st.column_config.TextColumn(_("Name there")),
            "account_type": st.column_config.TextColumn(_("Type")),
            "is_enabled": st.column_config.TextColumn(_("State")),
            "mfa_state": st.column_config.TextColumn(_("2FA")),
            "last_login_at": _moments(_("Last login")),
            "password_changed_at": _moments(_("Password changed")),
            "created_at": _moments(_("Created")),
            "match_rule": st.column_config.TextColumn(
                _("Owner matched by"),
                help=_("The exact rule that named this person as the owner."),
            ),
            "origin": st.column_config.TextColumn(_("Read from")),
        },
    )


def _grants(snapshot: Snapshot, holder: Holder) -> None:
    _ = words()
    grants = grants_of(snapshot, holder)
    if grants.is_empty():
        st.caption(_("No source tells of anything granted."))
        return
    known = {True: _("Yes"), False: _("No"), None: _("Not known")}
    st.dataframe(
        grants.select(
            "source",
            "login",
            "entitlement_name",
            pl.Series(
                "is_privileged",
                [known[value] for value in grants["is_privileged"]],
                dtype=pl.String,
            ),
            pl.Series(
                "abilities",
                [ability_words(value) for value in grants["abilities"]],
                dtype=pl.String,
            ),
            _worded(grants, "data_scope"),
            pl.Series(
                "via",
                [
                    ", ".join(str(value_word(part)) for part in value.split(","))
                    for value in grants["via"]
                ],
                dtype=pl.String,
            ),
            "granted_at",
            "valid_until",
        ),
        hide_index=True,
        placeholder="—",
        key="person_grants",
        height="content",
        column_config={
            "source": st.column_config.TextColumn(_("Source")),
            "login": st.column_config.TextColumn(_("Login")),
            "entitlement_name": st.column_config.TextColumn(
                _("Role or permission"), width=240
            ),
            "is_privileged": st.column_config.TextColumn(_("Privileged")),
            "abilities": st.column_config.TextColumn(
                _("Effective abilities"),
                width=260,
                help=_(
                    "With everything the role holds; a dash: the source tells none."
                ),
            ),
            "data_scope": st.column_config.TextColumn(_("Data scope")),
            "via": st.column_config.TextColumn(_("Granted via")),
            "granted_at": _moments(_("Granted")),
            "valid_until": _moments(_("Until")),
        },
    )


def _logins(snapshot: Snapshot, holder: Holder) -> None:
    _ = words()
    logins = logins_of(snapshot, holder)
    if logins.is_empty():
        st.caption(_("No source tells of logins by these accounts."))
        return
    st.caption(_("The last {count} at most.").format(count=LOGINS_SHOWN))
    st.dataframe(
        logins.select(
            "at",
            "source",
            "login",
            _worded(logins, "outcome"),
            "failure_reason",
            "ip",
            "city",
            "country",
            "device",
        ),
        hide_index=True,
        placeholder="—",
        key="person_logins",
        height="content",
        column_config={
            "at": _moments(_("When")),
            "source": st.column_config.TextColumn(_("Source")),
            "login": st.column_config.TextColumn(_("Login")),
            "outcome": st.column_config.TextColumn(_("Outcome")),
            "failure_reason": st.column_config.TextColumn(_("Why it failed")),
            "ip": st.column_config.TextColumn("IP"),
            "city": st.column_config.TextColumn(_("City")),
            "country": st.column_config.TextColumn(_("Country")),
            "device": st.column_config.TextColumn(_("Device")),
        },
    )


def _history(holder: Holder) -> None:
    _ = words()
    settings = visitor.settings()
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**" + _("Grants gained and lost") + "**")
        with st.spinner(_("Comparing the snapshots")):
            changes = grant_history(settings, holder)
        if changes.is_empty():
            st.caption(_("No grant changed between the snapshots."))
        else:
            st.dataframe(
                changes.select(
                    "as_of",
                    pl.Series(
                        "change",
                        [
                            _("Gained") if value == _GAINED else _("Lost")
                            for value in changes["change"]
                        ],
                        dtype=pl.String,
                    ),
                    "entitlement_name",
                    "account_id",
                ),
                hide_index=True,
                placeholder="—",
                key="person_grant_history",
                column_config={
                    "as_of": _moments(_("Seen in the snapshot of")),
                    "change": st.column_config.TextColumn(_("Change")),
                    "entitlement_name": st.column_config.TextColumn(
                        _("Role or permission")
                    ),
                    "account_id": st.column_config.TextColumn(_("Account")),
                },
            )
    with right:
        st.markdown("**" + _("Findings since") + "**")
        past = finding_history(
            settings,
            visitor.actor(),
            account_ids=holder.account_ids,
            identity_ids=[holder.identity_id] if holder.identity_id else [],
        )
        checks = {c: a.check for c, a in visitor.assessments().items()}
        if past.is_empty():
            st.caption(_("No finding in any snapshot."))
            return
        st.dataframe(
            past.select(
                pl.Series(
                    "check",
                    [
                        title_of(checks[value]) if value in checks else value
                        for value in past["check_id"]
                    ],
                    dtype=pl.String,
                ),
                pl.Series(
                    "state",
                    [
                        _("Open") if value else _("Resolved")
                        for value in past["is_open"]
                    ],
                    dtype=pl.String,
                ),
                "first_seen",
                "last_seen",
            ),
            hide_index=True,
            placeholder="—",
            key="person_finding_history",
            column_config={
                "check": st.column_config.TextColumn(_("Check"), width=230),
                "state": st.column_config.TextColumn(_("State")),
                "first_seen": _moments(_("First seen")),
                "last_seen": _moments(_("Last seen")),
            },
        )


def _worded(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column of canonical codes in words."""
    return pl.Series(name, [value_word(value) for value in frame[name]], pl.String)


def _moments(label: str) -> Any:  # noqa: ANN401 - Streamlit names no type for a column
    return st.column_config.DatetimeColumn(
        label, format="YYYY-MM-DD HH:mm", timezone=visitor.settings().time_zone
    )
