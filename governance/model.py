"""The words of the domain that more than one module uses."""

from enum import StrEnum


class Severity(StrEnum):
    """How soon a finding must be dealt with, most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Status(StrEnum):
    """What a check found out about one subject. Unknown is not a pass."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Decision(StrEnum):
    """What a reviewer says of one review item. No decision is not a decision."""

    KEEP = "keep"
    REVOKE = "revoke"
    CHANGE = "change"
    KEEP_UNTIL = "keep_until"
    NOT_MINE = "not_mine"


class Language(StrEnum):
    """A language the interface, the reasons and the workbooks speak."""

    ENGLISH = "en"
    CHINESE = "zh_CN"


class GovernanceError(Exception):
    """Base of every error this product raises on purpose.

    The message is one sentence for a person: what is wrong, where, and how to mend it.
    """
