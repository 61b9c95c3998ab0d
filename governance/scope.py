"""Which rows a person may see: the one place that says so.

Pages, workbooks and totals take their rows through here, so that a filter, a count or
a drop-down can show nothing that the person may not read.
"""

from dataclasses import dataclass

import polars as pl

from governance.app_roles import SEES_EVERYTHING, Actor
from governance.reports import report
from governance.snapshots import Snapshot


@dataclass(frozen=True)
class Scope:
    """Departments whose rows a person may see; None is every row, of none too."""

    departments: frozenset[str] | None

    def of(self, column: str = "department_id") -> pl.Expr:
        """Return the filter; a row without a department is seen by nobody limited."""
        if self.departments is None:
            return pl.lit(value=True)
        return pl.col(column).is_in(sorted(self.departments)).fill_null(value=False)


NOTHING = Scope(frozenset())


def scope_of(actor: Actor | None, snapshot: Snapshot) -> Scope:
    """Return what one person may see of a snapshot.

    A department head sees the departments they head and everything below. Nobody, or
    a person the snapshot does not know, sees nothing.
    """
    if actor is None:
        return NOTHING
    if actor.role in SEES_EVERYTHING:
        return Scope(None)
    if actor.identity_id is None:
        return NOTHING
    headed = report(snapshot, "departments_headed", identity_id=actor.identity_id)
    return Scope(frozenset(headed["department_id"]))
