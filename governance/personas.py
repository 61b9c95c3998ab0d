"""The people a demo can be tried as: chosen from the invented company itself."""

from dataclasses import dataclass

from governance.app_roles import Actor, AppRole
from governance.assessments import assess_all
from governance.model import Status
from governance.reports import report
from governance.scope import scope_of
from governance.settings import Settings
from governance.snapshots import current_id, kept_open

MANAGER = Actor(
    actor_id="demo:security-manager",
    name="Security manager 安全负责人",
    role=AppRole.SECURITY_MANAGER,
)
AUDITOR = Actor(actor_id="demo:auditor", name="Auditor 审计员", role=AppRole.AUDITOR)


@dataclass(frozen=True, kw_only=True)
class Persona:
    """One person a visitor of the demo may be."""

    actor: Actor
    department_name: str | None = None
    account_count: int | None = None
    """Accounts the person sees; None for those who see all."""
    finding_count: int | None = None


def personas(settings: Settings) -> tuple[Persona, ...]:
    """Return the demo's people; none in an installation that is not a demo.

    The department heads are the head of the division with the most findings and the
    heads of the two teams with the most, each a different person, so that everybody
    who opens the same snapshot meets the same three.
    """
    if not settings.demo:
        return ()
    return (
        Persona(actor=MANAGER),
        *_department_heads(settings),
        Persona(actor=AUDITOR),
    )


def _department_heads(settings: Settings) -> list[Persona]:
    if current_id(settings) is None:
        return []
    snapshot = kept_open(settings)
    heads = report(snapshot, "department_heads")
    assessed = assess_all(settings)
    found: list[tuple[Persona, int, bool]] = []
    for row in heads.iter_rows(named=True):
        actor = Actor(
            actor_id=row["identity_id"],
            name=row["display_name"] or row["identity_id"],
            role=AppRole.REVIEWER,
            identity_id=row["identity_id"],
        )
        scope = scope_of(actor, snapshot)
        accounts = report(snapshot, "accounts_per_department").filter(scope.of())
        persona = Persona(
            actor=actor,
            department_name=row["department_name"],
            account_count=int(accounts["accounts"].sum()),
            finding_count=sum(a.count(Status.FAIL, scope) for a in assessed.values()),
        )
        found.append((persona, row["depth"], row["has_parts"]))
    divisions = [p for p, depth, has_parts in found if depth > 0 and has_parts]
    teams = [p for p, depth, has_parts in found if depth > 0 and not has_parts]
    chosen: list[Persona] = []
    for persona in (
        *_most_findings(divisions)[:1],
        *_most_findings(teams),
        *_most_findings([p for p, _, _ in found]),
    ):
        if persona.actor.actor_id not in {p.actor.actor_id for p in chosen}:
            chosen.append(persona)
    return chosen[:3]


def _most_findings(people: list[Persona]) -> list[Persona]:
    return sorted(people, key=lambda p: (-(p.finding_count or 0), p.actor.actor_id))
