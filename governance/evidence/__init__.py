"""What the auditor takes away: every figure with the rows it counts."""

from governance.evidence.workbook import evidence_workbook

__all__ = ["evidence_workbook"]
