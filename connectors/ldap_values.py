"""What the values of a directory mean: times, flags, classes, identifiers.

Not a connector: what the parts of ``ldap`` that put rows into columns share. A value
that means nothing stays as it was written, so that the rejection can quote it.
"""

from collections.abc import Iterable

import polars as pl

from connectors.connector import RawTable
from connectors.ldap_attributes import LISTS

_FILETIME_NEVER = (0, 0x7FFFFFFFFFFFFFFF)
"""Both stand for never, and neither for a day in 1601 or 30828."""
_TICKS_A_MICROSECOND = 10
_EPOCH_OF_FILETIME = 11_644_473_600_000_000
"""Microseconds from 1601, where FILETIME begins, to 1970."""
_ISO = "%Y-%m-%dT%H:%M:%S%.6fZ"
_GENERALIZED = (
    r"^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)?(\d\d)?(?:[.,](\d{1,6})\d*)?(Z|[+-]\d{4})$"
)
_DAY = 86_400_000_000


def columns_of(raws: Iterable[RawTable]) -> frozenset[str]:
    """Return the attributes that any entry of any of the tables bears."""
    return frozenset(name for raw in raws for name in raw.rows.columns) - {"dn", "row"}


def with_columns_of(raw: RawTable, told: frozenset[str]) -> pl.DataFrame:
    """Return the rows of a table with every column told, and ``source_row``."""
    absent = [
        pl.lit(None, pl.List(pl.String) if name in LISTS else pl.String).alias(name)
        for name in sorted(told)
        if name not in raw.rows.columns
    ]
    rows = raw.rows.rename({"row": "source_row"}).rechunk()
    return rows.with_columns(absent).with_columns(native_id=native_id(told))


def first_of(told: frozenset[str], *names: str) -> pl.Expr:
    """Return the first of the attributes that says anything, else null."""
    said = [pl.col(name).replace("", None) for name in names if name in told]
    return pl.coalesce(said) if said else pl.lit(None, pl.String)


def native_id(told: frozenset[str]) -> pl.Expr:
    """Return what names an entry for ever; its DN where nothing else is told."""
    return pl.coalesce(first_of(told, "objectGUID", "entryUUID"), "dn")


def relative_id(told: frozenset[str]) -> pl.Expr:
    """Return the last part of the security identifier: which account of its domain."""
    return first_of(told, "objectSid").str.extract(r"-(\d+)$")


def has_class(*names: str) -> pl.Expr:
    """Return whether an entry is of one of the classes, given in small letters."""
    classes = pl.col("objectClass").list.eval(pl.element().str.to_lowercase())
    return classes.list.set_intersection(list(names)).list.len() > 0


def flag(name: str, bit: int) -> pl.Expr:
    """Return whether a bit of a number is set; null if it is no number."""
    return (pl.col(name).cast(pl.Int64, strict=False) & bit) != 0


def filetime(*names: str) -> pl.Expr:
    """Return the latest of FILETIMEs as ISO 8601, null for never.

    Units: ticks of 100 nanoseconds since 1601, UTC. Source: [MS-DTYP] 2.3.3.
    """
    numbers = [pl.col(name).cast(pl.Int64, strict=False) for name in names]
    told = [pl.when(~one.is_in(_FILETIME_NEVER)).then(one) for one in numbers]
    micros = pl.max_horizontal(told) // _TICKS_A_MICROSECOND - _EPOCH_OF_FILETIME
    text = micros.cast(pl.Datetime("us", "UTC")).dt.strftime(_ISO)
    strange = [
        pl.when(number.is_null()).then(pl.col(name).replace("", None))
        for number, name in zip(numbers, names, strict=True)
    ]
    return pl.coalesce(text, *strange)


def generalized_time(*names: str) -> pl.Expr:
    """Return the first GeneralizedTime told as ISO 8601. Source: RFC 4517 3.3.13."""
    text = pl.coalesce(pl.col(name).replace("", None) for name in names)
    part = [text.str.extract(_GENERALIZED, at) for at in range(1, 9)]
    fraction = pl.when(part[6].is_not_null()).then(pl.format(".{}", part[6]))
    zone = part[7].str.replace(r"^([+-]\d\d)(\d\d)$", "${1}:${2}")
    iso = pl.concat_str(
        *(part[0], pl.lit("-"), part[1], pl.lit("-"), part[2], pl.lit("T"), part[3]),
        *(pl.lit(":"), part[4].fill_null("00"), pl.lit(":"), part[5].fill_null("00")),
        *(fraction.fill_null(""), zone),
    )
    return pl.coalesce(iso, text)


def unix_days(name: str) -> pl.Expr:
    """Return a count of days since 1970 as ISO 8601; 0 and less is never.

    Source: shadow(5), "account expiration date".
    """
    text = pl.col(name).replace("", None)
    days = text.cast(pl.Int64, strict=False)
    moment = (days * _DAY).cast(pl.Datetime("us", "UTC")).dt.strftime(_ISO)
    return pl.when(days > 0).then(moment).when(days.is_null()).then(text)
