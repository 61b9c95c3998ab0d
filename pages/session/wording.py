"""The domain's words as the screen says them."""

from governance.app_roles import AppRole
from governance.catalog import Check
from governance.model import Severity, Status
from pages.session.language import language, words


def severity_word(severity: str) -> str:
    """Return a severity in the session's language."""
    _ = words()
    return {
        Severity.CRITICAL.value: _("Critical"),
        Severity.HIGH.value: _("High"),
        Severity.MEDIUM.value: _("Medium"),
        Severity.LOW.value: _("Low"),
        "none": _("None"),
    }.get(severity, severity)


def status_word(status: str) -> str:
    """Return a check's result in the session's language."""
    _ = words()
    return {
        Status.FAIL.value: _("Failed"),
        Status.UNKNOWN.value: _("Unknown"),
        Status.PASS.value: _("Passed"),
    }.get(status, status)


def role_word(role: AppRole) -> str:
    """Return what a person is to this app."""
    _ = words()
    return {
        AppRole.SECURITY_MANAGER: _("Security manager"),
        AppRole.REVIEWER: _("Department head"),
        AppRole.AUDITOR: _("Auditor"),
        AppRole.OPERATOR: _("Operator"),
    }[role]


def family_word(family: str) -> str:
    """Return a family of checks."""
    _ = words()
    return {
        "shared": _("Shared accounts"),
        "leavers": _("Leavers"),
        "privilege": _("Privilege"),
        "credentials": _("2FA and credentials"),
        "use": _("Use"),
        "governance": _("Governance"),
    }.get(family, family)


def value_word(value: object) -> object:
    """Return a canonical code in words; anything else as it is."""
    _ = words()
    if not isinstance(value, str):
        return value
    return {
        "active": _("Active"),
        "on_leave": _("On leave"),
        "notice": _("Under notice"),
        "left": _("Left"),
        "pending": _("Not started"),
        "unknown": _("Not known"),
        "employee": _("Employee"),
        "contractor": _("Contractor"),
        "intern": _("Intern"),
        "vendor": _("Vendor"),
        "person": _("Person"),
        "shared": _("Shared"),
        "service": _("Service"),
        "guest": _("Guest"),
        "builtin": _("Built-in"),
        "enabled": _("On"),
        "disabled": _("Off"),
        "success": _("Success"),
        "failure": _("Failure"),
        "direct": _("Direct"),
        "group": _("Group"),
        "role": _("Role"),
        "rule": _("Rule"),
        "self": _("Own records"),
        "subordinates": _("Own and subordinates"),
        "department": _("Own department"),
        "department_tree": _("Department and below"),
        "all": _("Everything"),
        "full": _("Full"),
        "scoped": _("In part"),
    }.get(value, value)


def ability_words(abilities: str | None) -> str:
    """Return a comma-joined list of abilities in words; null means not told."""
    _ = words()
    if abilities is None:
        return "—"
    told = {
        "administer": _("administer"),
        "amend_amount": _("amend amounts"),
        "approve": _("approve"),
        "create": _("create"),
        "delete": _("delete"),
        "export": _("export"),
        "import": _("import"),
        "security": _("security settings"),
        "transfer": _("transfer"),
    }
    return ", ".join(told.get(name, name) for name in abilities.split(",") if name)


def title_of(check: Check) -> str:
    """Return a check's title in the session's language."""
    return check.title[language()]
