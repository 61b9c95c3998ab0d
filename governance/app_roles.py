"""Who may do what in this app. Not to be confused with the roles under review."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from governance.model import GovernanceError


class Permission(StrEnum):
    """One thing a person may do here, named verb_object."""

    READ_FINDINGS = "read_findings"
    READ_PEOPLE = "read_people"
    READ_SNAPSHOTS = "read_snapshots"
    READ_CAMPAIGNS = "read_campaigns"
    DECIDE_REVIEW_ITEMS = "decide_review_items"
    OPEN_CAMPAIGNS = "open_campaigns"
    RETURN_FOR_OTHERS = "return_for_others"
    SEAL_SNAPSHOTS = "seal_snapshots"
    EXPORT_EVIDENCE = "export_evidence"
    CONFIRM_OWNERS = "confirm_owners"
    READ_AUDIT_TRAIL = "read_audit_trail"


class AppRole(StrEnum):
    """What a person is to this app."""

    SECURITY_MANAGER = "security_manager"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    OPERATOR = "operator"


_READS = frozenset(
    {
        Permission.READ_FINDINGS,
        Permission.READ_PEOPLE,
        Permission.READ_SNAPSHOTS,
        Permission.READ_CAMPAIGNS,
        Permission.READ_AUDIT_TRAIL,
        Permission.EXPORT_EVIDENCE,
    }
)
ROLES: Mapping[AppRole, frozenset[Permission]] = MappingProxyType(
    {
        AppRole.SECURITY_MANAGER: _READS
        | {
            Permission.OPEN_CAMPAIGNS,
            Permission.RETURN_FOR_OTHERS,
            Permission.SEAL_SNAPSHOTS,
            Permission.CONFIRM_OWNERS,
            Permission.DECIDE_REVIEW_ITEMS,
        },
        AppRole.REVIEWER: frozenset(
            {
                Permission.READ_FINDINGS,
                Permission.READ_PEOPLE,
                Permission.DECIDE_REVIEW_ITEMS,
            }
        ),
        AppRole.AUDITOR: _READS,
        AppRole.OPERATOR: frozenset(
            {Permission.READ_SNAPSHOTS, Permission.SEAL_SNAPSHOTS}
        ),
    }
)
"""The permission matrix: what is not named here is refused."""

SEES_EVERYTHING = frozenset({AppRole.SECURITY_MANAGER, AppRole.AUDITOR})
"""Roles whose rows are all rows. Everybody else sees their own departments."""


class NotAllowedError(GovernanceError):
    """The actor may not do this. The interface shows it; it is never swallowed."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The person doing something now, in the page, by workbook or by command."""

    actor_id: str
    """Stable name in the audit trail: an identity id, or ``cli:<login>``."""
    name: str
    role: AppRole
    identity_id: str | None = None
    """The actor's own identity, where the app knows it: scope and self-review."""

    def may(self, permission: Permission) -> bool:
        """Return whether the actor's role allows it."""
        return permission in ROLES.get(self.role, frozenset())

    def must(self, permission: Permission) -> None:
        """Raise ``NotAllowedError`` unless the actor's role allows it."""
        if not self.may(permission):
            raise NotAllowedError(
                f"{self.name} ({self.role.replace('_', ' ')}) may not "
                f"{permission.replace('_', ' ')}"
            )
