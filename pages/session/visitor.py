"""Who is looking now, and what of the snapshot they may see.

Every function asks the session store again: a person signed out elsewhere is nobody at
the next click, in callbacks too.
"""

from datetime import UTC, datetime

import streamlit as st

from governance.app_roles import Actor, NotAllowedError, Permission
from governance.app_sessions import SESSIONS, AppSession, token_in
from governance.assessments import Assessment, assess_all
from governance.model import GovernanceError
from governance.register import Register, open_register
from governance.scope import NOTHING, Scope, scope_of
from governance.settings import Settings
from governance.snapshots import Snapshot, current_id, kept_open
from pages.session.language import words


def now() -> datetime:
    """Return the caller's clock, in UTC."""
    return datetime.now(UTC)


def session() -> AppSession | None:
    """Return the session this browser's cookie opens, or None."""
    return SESSIONS.find(token_in(st.context.cookies), now())


def actor() -> Actor | None:
    """Return the person signed in, or None."""
    found = session()
    return None if found is None else found.actor


def sign_out() -> None:
    """End this browser's session at once."""
    SESSIONS.end(token_in(st.context.cookies))


def require(permission: Permission) -> Actor:
    """Return the person signed in, or stop the page if they may not do this.

    Every page begins with it, although the navigation already chose the pages: a page
    must not depend on how it was reached.
    """
    _ = words()
    someone = actor()
    if someone is None:
        st.info(_("You are signed out."))
        st.markdown("[" + _("Sign in") + "](/sign-in)")
        st.stop()
    try:
        someone.must(permission)
    except NotAllowedError:
        st.error(_("Your role does not open this page."))
        st.stop()
    return someone


def settings() -> Settings:
    """Return the installation's settings.

    Raises:
        SettingsError: gatebook.toml is missing or cannot be meant.
    """
    return Settings.read()


def snapshot_or_stop() -> Snapshot:
    """Return the snapshot in force; without one, say what to do and stop the page."""
    _ = words()
    try:
        here = settings()
        if current_id(here) is not None:
            return kept_open(here)
    except GovernanceError as error:
        st.error(str(error))
        st.stop()
    st.info(
        _(
            "No snapshot is sealed yet. Take the first one with "
            "`python cli.py snapshot take`, then open this page again."
        )
    )
    return st.stop()


def scope(snapshot: Snapshot) -> Scope:
    """Return what the person may see of a snapshot; nobody sees nothing."""
    someone = actor()
    return NOTHING if someone is None else scope_of(someone, snapshot)


def assessments(snapshot_id: str | None = None) -> dict[str, Assessment]:
    """Return every check's stored result, running what was never run.

    Raises:
        GovernanceError: a check or the policy is broken.
    """
    _ = words()
    with st.spinner(_("Reading the checks’ results"), show_time=True):
        return assess_all(settings(), snapshot_id)


def register() -> Register:
    """Return the installation's register.

    Raises:
        RegisterError: it cannot be reached.
    """
    return open_register(settings())
