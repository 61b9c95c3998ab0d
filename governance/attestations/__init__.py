"""Attestation: reviewers decide, on the page or in a workbook, and sign for it."""

from governance.attestations.decisions import (
    DecisionError,
    ItemDecision,
    attest,
    attestations,
    decide,
    history,
)
from governance.attestations.problems import Problem
from governance.attestations.returns import (
    Return,
    ReturnError,
    confirm_return,
    receive,
    returned,
    returned_file,
    returns,
)
from governance.attestations.workbook import Workbook, issue_workbook, issued

__all__ = [
    "DecisionError",
    "ItemDecision",
    "Problem",
    "Return",
    "ReturnError",
    "Workbook",
    "attest",
    "attestations",
    "confirm_return",
    "decide",
    "history",
    "issue_workbook",
    "issued",
    "receive",
    "returned",
    "returned_file",
    "returns",
]
