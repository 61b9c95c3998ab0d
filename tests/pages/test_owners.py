"""Accounts without an owner: suggested by name, confirmed by a person."""

import pytest

from governance.app_roles import Actor
from governance.owner_confirmations import confirmed_owners
from governance.register import open_register
from tests.company import Company
from tests.pages.conftest import AUDITOR, HEAD, MANAGER, Visit, everything

OWNERS = "pages.findings.owners"
FIRST_ROW = {"owners_rows": {"selection": {"rows": [0], "columns": [], "cells": []}}}


@pytest.fixture
def unowned(staffed: Company) -> Company:
    """Return the company with an account that only a name ties to somebody."""
    staffed.employs("home", display_name="李四", email="home@example.net")
    staffed.has_account("lisi", email=None)
    staffed.seal()
    return staffed


@pytest.mark.parametrize("actor", [None, AUDITOR, HEAD])
def test_only_who_may_confirm_sees_the_page(
    visit: Visit, unowned: Company, actor: Actor | None
) -> None:
    app = visit(OWNERS, actor)
    assert not app.exception
    assert "lisi" not in everything(app)


def test_a_name_suggests_and_nothing_is_taken_over(
    visit: Visit, unowned: Company
) -> None:
    app = visit(OWNERS, MANAGER)
    assert not app.exception
    shown = everything(app)
    assert "lisi" in shown
    assert "李四 (hr:home, same in pinyin)" in shown
    assert confirmed_owners(open_register(unowned.settings)).is_empty()


def test_the_page_speaks_chinese(visit: Visit, unowned: Company) -> None:
    app = visit(OWNERS, MANAGER, locale="zh-CN")
    assert app.title[0].value == "待确认归属"
    assert "拼音相同" in everything(app)


def test_a_confirmed_owner_is_recorded_and_shown(
    visit: Visit, unowned: Company
) -> None:
    app = visit(OWNERS, MANAGER, session=FIRST_ROW)
    assert not app.exception
    app.button(key="owners_confirm").click().run()
    assert not app.exception
    told = confirmed_owners(open_register(unowned.settings))
    assert told.select("account_id", "identity_id", "confirmed_by").rows() == [
        ("crm:lisi", "hr:home", "Mia")
    ]


def test_nothing_to_confirm_is_said(visit: Visit, staffed: Company) -> None:
    staffed.has_account("eve")
    staffed.seal()
    assert "belongs to somebody" in visit(OWNERS, MANAGER).success[0].value
