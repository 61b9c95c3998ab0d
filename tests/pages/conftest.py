"""A visitor of one page: signed in by a real session, in a chosen language."""

from dataclasses import dataclass
from typing import Any

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from governance.app_roles import Actor, AppRole
from governance.app_sessions import COOKIE, SESSIONS
from governance.settings import CONFIG_VARIABLE
from pages.session.visitor import now
from tests.company import Company

MANAGER = Actor(actor_id="mia", name="Mia", role=AppRole.SECURITY_MANAGER)
AUDITOR = Actor(actor_id="ann", name="Ann", role=AppRole.AUDITOR)
OPERATOR = Actor(actor_id="ops", name="Ops", role=AppRole.OPERATOR)
HEAD = Actor(actor_id="hr:eve", name="Eve", role=AppRole.REVIEWER, identity_id="hr:eve")
"""Heads sales in ``staffed``."""
STRANGER = Actor(
    actor_id="hr:sam", name="Sam", role=AppRole.REVIEWER, identity_id="hr:sam"
)
"""Heads nothing."""


@dataclass(frozen=True)
class Visit:
    """Opens pages of one installation."""

    monkeypatch: pytest.MonkeyPatch

    def __call__(
        self,
        module: str,
        actor: Actor | None,
        *,
        locale: str = "en-GB",
        session: dict[str, Any] | None = None,
        **asked: str,
    ) -> AppTest:
        """Run one page's ``render`` as a person whose browser speaks a language."""
        token = None if actor is None else SESSIONS.start(actor, now())
        cookies = {} if token is None else {COOKIE: token}
        # What a browser sends; Streamlit's test client has no way to say it.
        self.monkeypatch.setattr(ContextProxy, "cookies", property(lambda _: cookies))
        self.monkeypatch.setattr(ContextProxy, "locale", property(lambda _: locale))

        def page(module: str) -> None:
            from importlib import import_module

            import_module(module).render()

        app = AppTest.from_function(page, args=(module,), default_timeout=60)
        for name, value in asked.items():
            app.query_params[name] = value
        for name, value in (session or {}).items():
            app.session_state[name] = value
        return app.run()


@pytest.fixture
def visit(company: Company, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """Return the way to the pages of the company's installation."""
    config = company.folder / "gatebook.toml"
    config.write_text('organisation = "Example Trading"\ndata = "data"\n', "utf-8")
    monkeypatch.setenv(CONFIG_VARIABLE, str(config))
    return Visit(monkeypatch)


@pytest.fixture
def staffed(company: Company) -> Company:
    """Return a company of two departments: Eve heads sales, Bob heads finance."""
    company.has_department("group", head_identity_id="hr:boss")
    for name, head in (("sales", "hr:eve"), ("finance", "hr:bob")):
        company.has_department(name, parent_id="hr:group", head_identity_id=head)
    company.employs("boss", department_id="hr:group")
    company.employs("eve")
    company.employs("bob", department_id="hr:finance")
    return company


def everything(app: AppTest) -> str:
    """Return all text a page shows, tables included."""
    told: list[Any] = [
        getattr(element, "value", "") for kind in _TEXTS for element in app.get(kind)
    ]
    told += [button.label for button in app.button]
    told += [frame.value.to_csv() for frame in app.dataframe]
    return "\n".join(str(text) for text in told)


_TEXTS = (
    *("title", "subheader", "markdown", "caption", "text"),
    *("info", "error", "warning", "success"),
)
