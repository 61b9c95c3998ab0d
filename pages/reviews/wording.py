"""The words of a review as the screen says them."""

from governance.model import Decision
from pages.session.language import words


def decision_words() -> dict[str, str]:
    """Return every decision's code with its word, in the order they are offered."""
    _ = words()
    return {
        Decision.KEEP.value: _("Keep"),
        Decision.REVOKE.value: _("Revoke"),
        Decision.CHANGE.value: _("Change"),
        Decision.KEEP_UNTIL.value: _("Keep until"),
        Decision.NOT_MINE.value: _("Not mine"),
    }


def change_word(change: str) -> str:
    """Return how a row stands to the prior snapshot."""
    _ = words()
    return {
        "new": _("New"),
        "changed": _("Changed"),
        "same": _("As before"),
        "first_review": _("First review"),
    }.get(change, change)


def exclusion_word(reason: str) -> str:
    """Return why a row is not in review."""
    _ = words()
    return {
        "source_not_in_scope": _("The plan leaves this source out."),
        "account_missing": _(
            "The access names an account that the source does not list."
        ),
        "disabled_without_access": _("The account is disabled and holds nothing."),
        "builtin_disabled": _("The account is built into the system and is disabled."),
    }.get(reason, reason)


def reviewer_rule_words() -> dict[str, str]:
    """Return the rules that choose reviewers, with their words."""
    _ = words()
    return {
        "department_head": _("Head of the owner’s department"),
        "manager": _("The owner’s manager"),
    }
