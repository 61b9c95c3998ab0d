"""Who is asked: rows go to the head of the owner's department, never to the owner.

The written rule, first that names somebody who works here and is not the owner:

- by department head: the head of the owner's department, then of each department
  above it, then the owner's manager;
- by manager: the owner's manager, then the heads as above;
- an account nobody owns: the heads of its sponsor's department, the sponsor left out,
  then the heads of the department the account itself names;
- the fallback reviewer, where the plan names one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from governance.reports import report
from governance.snapshots import Snapshot

ReviewerRule = Literal["department_head", "manager"]

WHY = (
    "department_head",
    "head_above",
    "manager",
    "sponsor_head",
    "account_department_head",
    "fallback",
    "reassigned",
)
"""Codes of why a row is a reviewer's."""


@dataclass(frozen=True, kw_only=True)
class People:
    """Who works in which department and who heads it, in one snapshot."""

    persons: Mapping[str, Mapping[str, Any]]
    departments: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, snapshot: Snapshot, time_zone: str) -> "People":
        """Read the people of a snapshot."""
        persons = report(
            snapshot, "review_people", as_of=snapshot.as_of, time_zone=time_zone
        )
        departments = report(snapshot, "review_departments")
        return cls(
            persons={row["identity_id"]: row for row in persons.to_dicts()},
            departments={row["department_id"]: row for row in departments.to_dicts()},
        )

    def can_review(self, identity_id: str | None) -> bool:
        """Return whether somebody is known and works here today."""
        person = self.persons.get(identity_id or "")
        return person is not None and bool(person["is_at_work"])

    def heads(self, department_id: str | None) -> Iterator[tuple[str | None, bool]]:
        """Yield the head of a department and of each above; whether it is one above."""
        seen: set[str] = set()
        is_above = False
        while department_id is not None and department_id not in seen:
            seen.add(department_id)
            department = self.departments.get(department_id)
            if department is None:
                return
            yield department["head_identity_id"], is_above
            department_id, is_above = department["parent_id"], True

    def candidates(self) -> list[dict[str, Any]]:
        """Return everybody who heads a department or manages, and works here."""
        heads = {one["head_identity_id"] for one in self.departments.values()}
        managers = {one["manager_id"] for one in self.persons.values()}
        return [
            self.reviewer(identity_id)
            for identity_id in sorted((heads | managers) - {None})
            if self.can_review(identity_id)
        ]

    def reviewer(self, identity_id: str) -> dict[str, Any]:
        """Return a reviewer as a campaign keeps them."""
        person = self.persons[identity_id]
        return {
            "reviewer_id": identity_id,
            "reviewer_name": person["display_name"],
            "department_name": person["department_name"],
            "email": person["email"],
        }


def route(
    rows: pl.DataFrame, people: People, rule: ReviewerRule, fallback: str | None
) -> pl.DataFrame:
    """Add ``reviewer_id`` and ``why_reviewer``; both null where nobody can review."""
    keys = ["identity_id", "sponsor_identity_id", "department_id"]
    asked = rows.select(keys).unique(maintain_order=True)
    found = [
        _reviewer(people, rule, fallback, *key) or (None, None)
        for key in asked.iter_rows()
    ]
    routed = asked.with_columns(
        pl.Series("reviewer_id", [one for one, _ in found], pl.String),
        pl.Series("why_reviewer", [why for _, why in found], pl.String),
    )
    return rows.join(routed, keys, "left", nulls_equal=True, maintain_order="left")


def _reviewer(
    people: People,
    rule: ReviewerRule,
    fallback: str | None,
    owner: str | None,
    sponsor: str | None,
    department_id: str | None,
) -> tuple[str, str] | None:
    for candidate, why in _asked_in_turn(people, rule, owner, sponsor, department_id):
        # A sponsor answers for the account as an owner does, so both stand aside.
        is_own = candidate in (owner, sponsor)
        if candidate is not None and not is_own and people.can_review(candidate):
            return candidate, why
    if fallback and fallback != owner and people.can_review(fallback):
        return fallback, "fallback"
    return None


def _asked_in_turn(
    people: People,
    rule: ReviewerRule,
    owner: str | None,
    sponsor: str | None,
    department_id: str | None,
) -> Iterator[tuple[str | None, str]]:
    if owner is None:
        place = people.persons.get(sponsor or "", {}).get("department_id")
        for head, _ in people.heads(place):
            yield head, "sponsor_head"
        for head, _ in people.heads(department_id):
            yield head, "account_department_head"
        return
    manager = people.persons.get(owner, {}).get("manager_id")
    if rule == "manager":
        yield manager, "manager"
    for head, is_above in people.heads(department_id):
        yield head, "head_above" if is_above else "department_head"
    yield manager, "manager"
