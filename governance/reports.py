"""Rows of one table or chart, asked of a snapshot by the name of its query."""

import polars as pl

from governance.catalog import read_report
from governance.model import GovernanceError
from governance.settings import ROOT
from governance.snapshots import Snapshot


class ReportError(GovernanceError):
    """A report was asked with other parameters than its header declares."""


def report(snapshot: Snapshot, report_id: str, **parameters: object) -> pl.DataFrame:
    """Run ``queries/reports/<report_id>.sql`` over a snapshot.

    Raises:
        ReportError: a parameter is missing or is not declared.
        QueryHeaderError: there is no such report.
    """
    asked = read_report(ROOT / "queries", report_id)
    if set(parameters) != set(asked.parameters):
        raise ReportError(
            f"{report_id}: takes {sorted(asked.parameters)}, not {sorted(parameters)}"
        )
    return snapshot.run(asked.sql, parameters)
