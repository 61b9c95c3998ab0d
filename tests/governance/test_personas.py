"""The demo's people come from the demo's own company, always the same ones."""

from dataclasses import replace
from datetime import date

from governance.app_roles import AppRole
from governance.personas import personas
from tests.company import Company


def staffed(company: Company) -> None:
    """Fill a division with two teams; east has more findings than west."""
    company.has_department("group", head_identity_id="hr:boss")
    company.has_department("sales", parent_id="hr:group", head_identity_id="hr:dora")
    for team, head in (("east", "hr:eve"), ("west", "hr:wim"), ("idle", "hr:left")):
        company.has_department(team, parent_id="hr:sales", head_identity_id=head)
    company.employs("boss", department_id="hr:group")
    company.employs("dora", department_id="hr:sales")
    company.employs("eve", department_id="hr:east")
    company.employs("wim", department_id="hr:west")
    company.employs("left", department_id="hr:idle", until=date(2026, 6, 1))
    for name, team in (("ada", "east"), ("kim", "east"), ("zoe", "west")):
        company.employs(name, department_id=f"hr:{team}", until=date(2026, 6, 1))
        company.has_account(name)
    company.seal()


def test_only_a_demo_has_personas(company: Company) -> None:
    staffed(company)
    assert personas(company.settings) == ()


def test_heads_are_a_division_and_the_worst_teams(company: Company) -> None:
    staffed(company)
    people = personas(replace(company.settings, demo=True))
    assert [p.actor.role for p in people] == [
        AppRole.SECURITY_MANAGER,
        AppRole.REVIEWER,
        AppRole.REVIEWER,
        AppRole.REVIEWER,
        AppRole.AUDITOR,
    ]
    assert [p.actor.identity_id for p in people[1:4]] == [
        "hr:dora",
        "hr:eve",
        "hr:wim",
    ]
    assert [p.account_count for p in people[1:4]] == [3, 2, 1]


def test_somebody_who_left_is_no_persona(company: Company) -> None:
    staffed(company)
    people = personas(replace(company.settings, demo=True))
    assert "hr:left" not in {p.actor.identity_id for p in people}


def test_before_the_first_snapshot_there_are_no_heads(company: Company) -> None:
    people = personas(replace(company.settings, demo=True))
    assert [p.actor.identity_id for p in people] == [None, None]
