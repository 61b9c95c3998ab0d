"""The canonical tables every source is normalised to. Connectors meet this contract.

Keys are text, times are UTC, dates are dates. A fact nobody told is null, or the word
``unknown`` where the column has a vocabulary; it is never a guessed default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import polars as pl

from governance.model import GovernanceError

UTC_TIMESTAMP = pl.Datetime("us", "UTC")
UNKNOWN = "unknown"

DataType = pl.DataType | type[pl.DataType]


class ExtractError(GovernanceError):
    """A source's export cannot be taken in. Names source, file, row, column, remedy."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One canonical column."""

    type: DataType = pl.String
    words: tuple[str, ...] = ()
    """The only values allowed; with ``unknown`` among them it stands for null."""
    required: bool = False
    """A row without it is rejected: nothing could be said about it."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One canonical table: its key and its columns in order.

    Every table also has ``source``, ``source_file`` and ``source_row``, so that each
    row leads back to the line it was read from (``ORIGIN``).
    """

    name: str
    key: tuple[str, ...]
    """Columns that name a row. Empty for events, which may truly repeat."""
    columns: Mapping[str, Column]
    references: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def schema(self) -> dict[str, DataType]:
        """Return column types by name, origin included."""
        return {name: column.type for name, column in self.columns.items()} | ORIGIN

    def empty(self) -> pl.DataFrame:
        """Return the table with no rows."""
        return pl.DataFrame(schema=self.schema)


ORIGIN: dict[str, DataType] = {
    "source": pl.String,
    "source_file": pl.String,
    "source_row": pl.Int64,
}

_ID = Column(required=True)
_TEXT = Column()
_FLAG = Column(type=pl.Boolean)
_TIME = Column(type=UTC_TIMESTAMP)
_DATE = Column(type=pl.Date)
_NUMBER = Column(type=pl.Int64)


def _words(*words: str) -> Column:
    return Column(words=words)


IDENTITIES = Table(
    name="identities",
    key=("identity_id",),
    columns={
        "identity_id": _ID,
        "employee_number": _TEXT,
        "directory_id": _TEXT,
        "display_name": _TEXT,
        "email": _TEXT,
        "phone": _TEXT,
        "department_id": _TEXT,
        "job_title": _TEXT,
        "job_level": _TEXT,
        "employment_type": _words(
            "employee", "contractor", "intern", "vendor", UNKNOWN
        ),
        "employment_status": _words(
            "active", "on_leave", "notice", "left", "pending", UNKNOWN
        ),
        "manager_id": _TEXT,
        "start_date": _DATE,
        "end_date": _DATE,
    },
)
DEPARTMENTS = Table(
    name="departments",
    key=("department_id",),
    columns={
        "department_id": _ID,
        "name": _TEXT,
        "parent_id": _TEXT,
        "head_identity_id": _TEXT,
    },
)
ACCOUNTS = Table(
    name="accounts",
    key=("account_id",),
    columns={
        "account_id": _ID,
        "native_id": _ID,
        "login": _TEXT,
        "display_name": _TEXT,
        "email": _TEXT,
        "phone": _TEXT,
        "employee_number": _TEXT,
        "directory_id": _TEXT,
        "department_name": _TEXT,
        "job_title": _TEXT,
        "account_type": _words(
            "person", "shared", "service", "guest", "builtin", UNKNOWN
        ),
        "is_enabled": _FLAG,
        "is_locked": _FLAG,
        "created_at": _TIME,
        "last_login_at": _TIME,
        "last_login_basis": _words("success", "attempt", UNKNOWN),
        "never_logged_in": _FLAG,
        "password_changed_at": _TIME,
        "is_initial_password": _FLAG,
        "mfa_state": _words("enabled", "disabled", UNKNOWN),
        "mfa_methods": _TEXT,
        "valid_until": _TIME,
        "sponsor_identity_id": _TEXT,
    },
)
ENTITLEMENTS = Table(
    name="entitlements",
    key=("entitlement_id",),
    columns={
        "entitlement_id": _ID,
        "native_id": _ID,
        "name": _TEXT,
        "kind": _TEXT,
        "description": _TEXT,
        "is_privileged": _FLAG,
        "data_scope": _words(
            "self", "subordinates", "department", "department_tree", "all", UNKNOWN
        ),
        "abilities": _TEXT,
        "is_enabled": _FLAG,
    },
)
"""``abilities`` is a sorted, comma-joined list of ``ABILITIES``: empty where the source
told that it gives none of them, null where it did not tell."""
MAY_BE_EMPTY = frozenset({"abilities"})
"""Columns in which an empty text is an answer and not a missing one."""
ENTITLEMENT_MEMBERS = Table(
    name="entitlement_members",
    key=("parent_id", "child_id"),
    columns={"parent_id": _ID, "child_id": _ID},
)
"""Whoever holds the parent holds the child: a role's permission, a nested group."""
GRANTS = Table(
    name="grants",
    key=("account_id", "entitlement_id", "via"),
    columns={
        "account_id": _ID,
        "entitlement_id": _ID,
        "via": Column(words=("direct", "group", "role", "rule"), required=True),
        "granted_at": _TIME,
        "granted_by": _TEXT,
        "valid_until": _TIME,
        "delegated_from": _TEXT,
    },
)
LOGIN_EVENTS = Table(
    name="login_events",
    key=(),
    columns={
        "account_id": _TEXT,
        "login": _TEXT,
        "at": Column(type=UTC_TIMESTAMP, required=True),
        "ip": _TEXT,
        "country": _TEXT,
        "city": _TEXT,
        "device": _TEXT,
        "user_agent": _TEXT,
        "is_interactive": _FLAG,
        "outcome": _words("success", "failure", UNKNOWN),
        "failure_reason": _TEXT,
    },
)
"""``account_id`` is null where the log names only a person several accounts share."""
OPERATIONS = Table(
    name="operations",
    key=(),
    columns={
        "account_id": _TEXT,
        "login": _TEXT,
        "at": Column(type=UTC_TIMESTAMP, required=True),
        "action": _TEXT,
        "object_type": _TEXT,
        "object_count": _NUMBER,
        "approval_id": _TEXT,
    },
)
APPROVALS = Table(
    name="approvals",
    key=("approval_id",),
    columns={
        "approval_id": _ID,
        "requested_by": _TEXT,
        "approved_by": _TEXT,
        "approved_at": _TIME,
        "action": _TEXT,
        "outcome": _words("approved", "refused", UNKNOWN),
    },
)
AWARENESS_EVENTS = Table(
    name="awareness_events",
    key=(),
    columns={
        "identity_id": _ID,
        "at": Column(type=UTC_TIMESTAMP, required=True),
        "kind": _words("phishing_test", "training", UNKNOWN),
        "outcome": _TEXT,
    },
)
TABLES: Mapping[str, Table] = MappingProxyType(
    {
        table.name: table
        for table in (
            IDENTITIES,
            DEPARTMENTS,
            ACCOUNTS,
            ENTITLEMENTS,
            ENTITLEMENT_MEMBERS,
            GRANTS,
            LOGIN_EVENTS,
            OPERATIONS,
            APPROVALS,
            AWARENESS_EVENTS,
        )
    }
)

ABILITIES = (
    "administer",
    "amend_amount",
    "approve",
    "create",
    "delete",
    "export",
    "import",
    "security",
    "transfer",
)
"""What an entitlement may let its holder do, as checks and policy name it."""

REVIEW_FACTS = (
    "accounts.account_type",
    "accounts.created_at",
    "accounts.is_enabled",
    "accounts.last_login_at",
    "accounts.mfa_state",
    "accounts.password_changed_at",
    "entitlements.abilities",
    "entitlements.data_scope",
    "entitlements.is_privileged",
    "grants.granted_at",
    "identities.end_date",
    "identities.employment_status",
    "identities.manager_id",
    "login_events",
)
"""Facts a review leans on: which source tells which is counted for every snapshot."""

REJECTED_ROWS: dict[str, DataType] = {
    "source": pl.String,
    "table_name": pl.String,
    "file": pl.String,
    "row": pl.Int64,
    "column": pl.String,
    "code": pl.String,
    "value": pl.String,
    "reason": pl.String,
}
"""Rows read but not taken in. ``row`` counts as the file does: 1 is its first line."""


@dataclass(frozen=True, kw_only=True)
class TieOut:
    """How the rows of one file that feed one table were accounted for.

    ``read = accepted + rejected + duplicate``, always; ``stated`` is the total the
    source gave for itself, null when it gives none.
    """

    table_name: str
    file: str
    sha256: str | None
    encoding: str | None
    stated: int | None
    read: int
    accepted: int
    rejected: int
    duplicate: int

    @property
    def is_balanced(self) -> bool:
        """Return whether every row read is accounted for and the stated total met."""
        accounted = self.accepted + self.rejected + self.duplicate
        return self.read == accounted and self.stated in (None, self.read)


@dataclass(frozen=True, kw_only=True)
class Extract:
    """What one source reported at one moment, held to the canonical tables."""

    source: str
    connector: str
    title: str
    method: str
    """How it was read: file, database, API."""
    operator: str | None
    parameters: Mapping[str, Any]
    """What was asked for, without any secret."""
    extracted_at: datetime
    completeness: str
    """full, scoped, or unknown when the source gives no proof."""
    frames: Mapping[str, pl.DataFrame]
    rejected: pl.DataFrame
    tie_outs: tuple[TieOut, ...]
    facts: frozenset[str]
    """``table.column`` or ``table``: what this source can tell, did it so or not."""
    notes: tuple[str, ...] = ()
    """What the source cannot tell, or told ambiguously, in a sentence each."""

    def frame(self, table: Table) -> pl.DataFrame:
        """Return one table, empty if the source has nothing to say about it."""
        return self.frames.get(table.name, table.empty())
