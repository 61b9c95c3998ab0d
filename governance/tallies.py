"""How many findings there are, by what they are about."""

from collections.abc import Mapping

import polars as pl

from governance.assessments import COUNTS, Assessment
from governance.scope import Scope

TALLY = {"check_id": pl.String, "severity": pl.String, **COUNTS}


def tally(assessments: Mapping[str, Assessment], scope: Scope) -> pl.DataFrame:
    """Return the rows of every check within a scope, counted.

    Columns ``check_id``, ``severity``, ``source``, ``department_id`` (null where the
    subject belongs to none), ``status`` and ``rows``.
    """
    frames = [pl.DataFrame(schema=TALLY)]
    for check_id, assessment in assessments.items():
        frames.append(
            assessment.counts.filter(scope.of()).select(
                pl.lit(check_id).alias("check_id"),
                pl.lit(assessment.check.severity.value).alias("severity"),
                *COUNTS,
            )
        )
    return pl.concat(frames)
