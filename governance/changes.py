"""What changed between snapshots: findings come, stay and go."""

from collections.abc import Mapping
from enum import StrEnum

import polars as pl

from governance.app_roles import Actor
from governance.assessments import FINDINGS, Assessment, assess_all, findings
from governance.model import Severity, Status
from governance.schema import UTC_TIMESTAMP
from governance.scope import Scope, scope_of
from governance.settings import Settings
from governance.snapshots import kept_open, list_snapshots


class Change(StrEnum):
    """What became of a finding since the prior snapshot."""

    NEW = "new"
    PERSISTING = "persisting"
    RESOLVED = "resolved"


def finding_changes(
    current: Mapping[str, Assessment],
    prior: Mapping[str, Assessment] | None,
    scope: Scope,
    prior_scope: Scope,
) -> pl.DataFrame:
    """Return every finding of two snapshots, most severe first, with its ``change``.

    A resolved finding's row is the prior snapshot's: the current one has none. Without
    a prior snapshot nothing is known of changes, and no row is returned.
    """
    if prior is None:
        return pl.DataFrame(schema={**FINDINGS, "change": pl.String})
    now = findings(current, scope)
    before = findings(prior, prior_scope)
    known, present = before["finding_id"].implode(), now["finding_id"].implode()
    told = now.with_columns(
        change=pl.when(pl.col("finding_id").is_in(known))
        .then(pl.lit(Change.PERSISTING.value))
        .otherwise(pl.lit(Change.NEW.value))
    )
    gone = before.filter(~pl.col("finding_id").is_in(present)).with_columns(
        change=pl.lit(Change.RESOLVED.value)
    )
    order = {severity.value: rank for rank, severity in enumerate(Severity)}
    return (
        pl.concat([told, gone])
        .with_columns(rank=pl.col("severity").replace_strict(order, default=9))
        .sort("rank", "check_id", maintain_order=True)
        .drop("rank")
    )


def finding_trend(settings: Settings, actor: Actor | None) -> pl.DataFrame:
    """Return how many findings a person's scope held at each snapshot.

    Columns ``as_of`` (UTC), ``snapshot_id``, ``severity``, ``rows``: every severity at
    every snapshot, oldest first, none of them being a zero. The departments a person
    headed are taken as they stood in each snapshot.
    """
    rows = []
    for manifest in reversed(list_snapshots(settings)):
        scope = scope_of(actor, kept_open(settings, manifest.snapshot_id))
        assessed = assess_all(settings, manifest.snapshot_id)
        rows += [
            {
                "as_of": manifest.as_of,
                "snapshot_id": manifest.snapshot_id,
                "severity": severity.value,
                "rows": sum(
                    assessment.count(Status.FAIL, scope)
                    for assessment in assessed.values()
                    if assessment.check.severity is severity
                ),
            }
            for severity in Severity
        ]
    return pl.DataFrame(
        rows,
        schema={
            "as_of": UTC_TIMESTAMP,
            "snapshot_id": pl.String,
            "severity": pl.String,
            "rows": pl.Int64,
        },
    )


def finding_history(
    settings: Settings,
    actor: Actor | None,
    *,
    account_ids: list[str],
    identity_ids: list[str],
) -> pl.DataFrame:
    """Return every finding these accounts and people ever had, and since when.

    Columns ``finding_id``, ``check_id``, ``first_seen``, ``last_seen`` (moments of
    snapshots) and ``is_open`` (still failing in the newest).
    """
    frames = [
        pl.DataFrame(
            schema={
                "finding_id": pl.String,
                "check_id": pl.String,
                "as_of": UTC_TIMESTAMP,
            }
        )
    ]
    manifests = list_snapshots(settings)
    for manifest in manifests:
        scope = scope_of(actor, kept_open(settings, manifest.snapshot_id))
        found = findings(
            assess_all(settings, manifest.snapshot_id),
            scope,
            account_ids=account_ids,
            identity_ids=identity_ids,
        )
        frames.append(
            found.select(
                "finding_id",
                "check_id",
                pl.lit(manifest.as_of).cast(UTC_TIMESTAMP).alias("as_of"),
            )
        )
    newest = max((m.as_of for m in manifests), default=None)
    return (
        pl.concat(frames)
        .group_by("finding_id", "check_id")
        .agg(first_seen=pl.col("as_of").min(), last_seen=pl.col("as_of").max())
        .with_columns(is_open=pl.col("last_seen") == pl.lit(newest, UTC_TIMESTAMP))
        .sort("is_open", "last_seen", "finding_id", descending=[True, True, False])
    )
