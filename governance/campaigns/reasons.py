"""Why a row deserves a look: its risk, and a few plain sentences in both languages."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from governance.assessments import Assessment, findings
from governance.language import Translate, translator
from governance.model import Language, Severity
from governance.scope import Scope

NO_RISK = "none"
RISKS = (*(severity.value for severity in Severity), NO_RISK)
"""How risky a row is, worst first; ``none`` when no check failed."""
FLAGGED = frozenset({Severity.CRITICAL.value, Severity.HIGH.value})
"""Risks that need a reason before the access may stay."""
_SENTENCES = 3
"""Findings told in full; of the others only the number."""

FIELDS = {
    "is_enabled": "whether the account is enabled",
    "account_type": "the kind of account",
    "owner": "the owner",
    "department": "the owner's department",
    "job_title": "the owner's title",
    "name": "the role's name",
    "is_privileged": "whether the role is privileged",
    "abilities": "what the role may do",
    "data_scope": "whose data the role sees",
}
"""What may have changed since the prior snapshot, in words."""


@dataclass(frozen=True)
class Flag:
    """One failed check that concerns a row."""

    rank: int
    finding_id: str
    severity: str
    sentences: Mapping[Language, str] = field(hash=False, compare=False)


@dataclass(frozen=True)
class Flags:
    """Failed checks by what they are about."""

    of_grants: Mapping[str, list[Flag]]
    of_accounts: Mapping[str, list[Flag]]
    of_people: Mapping[str, list[Flag]]

    def about(self, row: Mapping[str, Any]) -> list[Flag]:
        """Return what concerns a row, most severe first."""
        grant = f"{row['account_id']} > {row['entitlement_id']}"
        found = {
            *self.of_grants.get(grant, ()),
            *self.of_accounts.get(row["account_id"], ()),
            *self.of_people.get(row["identity_id"] or "", ()),
        }
        return sorted(found, key=lambda flag: (flag.rank, flag.finding_id))


def flags_of(assessments: Mapping[str, Assessment]) -> Flags:
    """Return the failed checks of a snapshot; those about a source flag no row."""
    grants: dict[str, list[Flag]] = defaultdict(list)
    accounts: dict[str, list[Flag]] = defaultdict(list)
    people: dict[str, list[Flag]] = defaultdict(list)
    for told in findings(assessments, Scope(None)).iter_rows(named=True):
        check = assessments[told["check_id"]].check
        row = json.loads(told["row"])
        flag = Flag(
            RISKS.index(told["severity"]),
            told["finding_id"],
            told["severity"],
            {language: check.explain(row, language) for language in Language},
        )
        if check.subject == "source":
            continue
        if check.subject == "grant":
            grants[told["subject_id"]].append(flag)
        elif told["account_id"] is not None:
            accounts[told["account_id"]].append(flag)
        elif told["identity_id"] is not None:
            people[told["identity_id"]].append(flag)
    return Flags(grants, accounts, people)


def risk_of(flags: Iterable[Flag]) -> str:
    """Return the worst severity, or ``none``."""
    return min((flag.severity for flag in flags), key=RISKS.index, default=NO_RISK)


def reason(
    row: Mapping[str, Any], flags: list[Flag], language: Language, zone: ZoneInfo
) -> str:
    """Return why a row deserves a look; a calm line of facts if nothing is wrong."""
    say = translator(language)
    told = [flag.sentences[language] for flag in flags[:_SENTENCES]]
    if len(flags) > _SENTENCES:
        told.append(say("And {n} more findings.").format(n=len(flags) - _SENTENCES))
    if row["change"] == "new":
        told.append(say("New since the last snapshot."))
    if row["change"] == "changed":
        gap = "、" if language is Language.CHINESE else ", "
        fields = gap.join(
            say(FIELDS[name]) for name in row["changed_fields"].split(",")
        )
        told.append(
            say("Changed since the last snapshot: {fields}.").format(fields=fields)
        )
    told += _facts(row, say, zone)
    return ("" if language is Language.CHINESE else " ").join(told)


def _facts(row: Mapping[str, Any], say: Translate, zone: ZoneInfo) -> list[str]:
    def day(moment: datetime) -> str:
        return moment.astimezone(zone).date().isoformat()

    told = []
    if row["entitlement_id"] is None:
        told.append(
            say("The account holds no role; decide whether the login itself may stay.")
        )
    if row["identity_id"] is None:
        told.append(say("Nobody is known to own this account."))
    if row["is_enabled"] is False:
        told.append(say("The account is disabled but keeps this access."))
    if row["is_privileged"]:
        told.append(say("This is privileged access."))
    if row["last_login_at"] is not None:
        text = (
            say("Last login on {day}.")
            if row["last_login_basis"] == "success"
            else say("Last login attempt on {day}.")
        )
        told.append(text.format(day=day(row["last_login_at"])))
    elif row["never_logged_in"]:
        told.append(say("Never logged in."))
    else:
        told.append(say("The source does not tell the last login."))
    if row["granted_at"] is not None:
        told.append(say("Held since {day}.").format(day=day(row["granted_at"])))
    if row["peer_holders"] is not None and row["peers"] > 1:
        told.append(
            say(
                "{holders} of {peers} people with an account in {department} hold it."
            ).format(
                holders=row["peer_holders"],
                peers=row["peers"],
                department=row["department_name"] or row["department_id"],
            )
        )
    return told
