"""The Streamlit script: who is here, and so which pages exist for them."""

from collections.abc import Callable

import streamlit as st

from governance.app_roles import Actor, Permission
from governance.model import GovernanceError, Language
from governance.snapshots import current_id, kept_open
from pages.elements import look
from pages.findings import check, overview, owners, people
from pages.records import audit_trail, evidence, snapshots
from pages.reviews import campaigns, my_items, returned
from pages.session import places, visitor
from pages.session.language import CHOICE, NAMES, language, moment, words
from pages.session.plain import plain
from pages.session.wording import role_word


def signed_out() -> None:
    """Say that nobody is signed in, and where to do so."""
    _ = words()
    st.title("Gatebook 权鉴")
    st.info(_("You are signed out, or your session has ended."))
    st.link_button(_("Sign in"), "/sign-in", type="primary")


def navigation(actor: Actor | None) -> dict[str, list[st.Page]]:
    """Return the pages a person may open, by section; nobody has the way in alone."""
    _ = words()
    if actor is None:
        return {"": [st.Page(signed_out, title=_("Sign in"), url_path="signed-out")]}
    findings, reviews, records = _("Findings"), _("Reviews"), _("Records")
    may = actor.may
    reads_findings = may(Permission.READ_FINDINGS)
    decides = may(Permission.DECIDE_REVIEW_ITEMS) and actor.identity_id is not None
    offered: list[tuple[str, str, bool, str, str, Callable[[], None]]] = [
        (
            findings,
            "overview",
            reads_findings,
            _("Overview"),
            "monitoring",
            overview.render,
        ),
        (findings, "check", reads_findings, _("Checks"), "rule", check.render),
        (
            findings,
            "people",
            may(Permission.READ_PEOPLE),
            _("People and accounts"),
            "badge",
            people.render,
        ),
        (
            findings,
            "owners",
            may(Permission.CONFIRM_OWNERS),
            _("Owners to confirm"),
            "how_to_reg",
            owners.render,
        ),
        (reviews, "my-items", decides, _("My items"), "checklist", my_items.render),
        (
            reviews,
            "campaigns",
            may(Permission.READ_CAMPAIGNS),
            _("Campaigns"),
            "campaign",
            campaigns.render,
        ),
        (
            reviews,
            "returned",
            returned.may_open(actor),
            _("Returned workbooks"),
            "assignment_return",
            returned.render,
        ),
        (
            records,
            "snapshots",
            may(Permission.READ_SNAPSHOTS),
            _("Snapshots"),
            "photo_library",
            snapshots.render,
        ),
        (
            records,
            "evidence",
            may(Permission.EXPORT_EVIDENCE),
            _("Evidence"),
            "folder_zip",
            evidence.render,
        ),
        (
            records,
            "audit-trail",
            may(Permission.READ_AUDIT_TRAIL),
            _("Audit trail"),
            "history",
            audit_trail.render,
        ),
    ]
    sections: dict[str, list[st.Page]] = {}
    pages: dict[str, st.Page] = {}
    for section, name, is_offered, title, icon, render in offered:
        if is_offered:
            page = st.Page(
                render, title=title, icon=f":material/{icon}:", url_path=name
            )
            sections.setdefault(section, []).append(page)
            pages[name] = page
    places.remember(pages)
    return sections


def masthead(actor: Actor) -> None:
    """Say whose installation this is, which moment is shown, and who is looking."""
    _ = words()
    try:
        settings = visitor.settings()
        sealed = current_id(settings)
        told = (
            _("no snapshot yet")
            if sealed is None
            else _("Snapshot of {moment}").format(
                moment=moment(kept_open(settings, sealed).as_of, settings)
            )
        )
        organisation = settings.organisation
    except GovernanceError as error:
        organisation, told = "Gatebook", plain(error)
    with st.container(key="masthead", horizontal=True):
        st.markdown(f"**{plain(organisation)}** · {told}", width="stretch")
        st.markdown(
            role_word(actor.role)
            if actor.identity_id is None
            else f"{plain(actor.name)} · {role_word(actor.role)}",
            width="content",
        )


def sidebar() -> None:
    """Offer the language and the way out."""
    _ = words()
    with st.sidebar:
        st.segmented_control(
            "Language 语言",
            list(Language),
            format_func=NAMES.__getitem__,
            key=CHOICE,
            label_visibility="collapsed",
            default=None if CHOICE in st.session_state else language(),
            required=True,
        )
        st.button(_("Sign out"), on_click=visitor.sign_out, icon=":material/logout:")


def main() -> None:
    """Draw the page asked for."""
    st.set_page_config(page_title="Gatebook 权鉴", page_icon="🗝️", layout="wide")
    look.apply()
    actor = visitor.actor()
    # Reached on every run, signed in or not: until st.navigation has run once in the
    # process, Streamlit would serve a pages/ folder by itself.
    page = st.navigation(navigation(actor))
    if actor is not None:
        sidebar()
        masthead(actor)
    page.run()


main()
