"""Which identity owns which account: exact keys only, strongest first.

Names are never compared here: two 王伟 are two people until somebody says otherwise.
Likeness of names is for ``governance.owner_suggestions``, which a person confirms.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from governance.model import GovernanceError

CONFIRMED = "confirmed"
MATCH_RULES = ("employee_number", CONFIRMED, "email", "phone", "directory_id")
"""Rules in the order they are tried; all but ``confirmed`` are columns compared."""
OWNER_KEYS = tuple(rule for rule in MATCH_RULES if rule != CONFIRMED)
PERSONAL_KEYS = ("email", "phone", "directory_id")
"""Keys that say nothing about a service or built-in account: what stands in them is a
contact, and whoever answers its phone does not own it."""
IMPERSONAL_TYPES = ("service", "builtin")

CONFIRMED_SCHEMA = {
    "account_id": pl.String,
    "identity_id": pl.String,
    "confirmed_by": pl.String,
    "confirmed_at": pl.String,
    "row": pl.Int64,
}
"""Owners a person confirmed; ``row`` is the line of the file, its header being 1."""
_SHORTEST_PHONE = 7
"""Digits below which a number is an extension or a filler, and names nobody."""


class CorrelationError(GovernanceError):
    """Confirmed owners cannot be used. Names the file, the row and the remedy."""


def match_owners(
    accounts: pl.DataFrame,
    identities: pl.DataFrame,
    confirmed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Match every account to the identity that owns it.

    Rules are tried in the order of ``MATCH_RULES``; the first to name exactly one
    person wins. A value that two people share matches neither: a wrong owner sends the
    review to the wrong manager, a missing one shows up and is asked about. Case and
    surrounding blanks are ignored; telephone numbers are compared by their digits,
    without +86. Service and built-in accounts are matched by employee number or
    confirmation only (``PERSONAL_KEYS``).

    Somebody hired again may stand in HR twice. Records with one employee number and no
    two different names, or with one telephone number and one name, are one person if
    exactly one of them is current; whatever names an older record means the current
    one. If none or several are current, they count as different people.

    Args:
        accounts: Canonical accounts of every source.
        identities: Canonical identities, leavers included: without them the account
            of someone who left would look unowned rather than left behind.
        confirmed: ``account_id``, ``identity_id``, ``confirmed_by``, as from
            ``read_confirmed`` or the register. An identity that does not exist, or two
            identities for one account, match nobody.

    Returns:
        One row per account, in the order given: ``account_id``, ``identity_id``,
        ``match_rule``, ``confirmed_by``. The last three are null for an unowned
        account; ``confirmed_by`` is null unless the rule is ``confirmed``.

    Source:
        ISO/IEC 27001:2022 A.5.16, Identity management.
    """
    claims = [keys_naming_others(accounts, identities)]
    if confirmed is not None:
        claims.append(_confirmed_claims(confirmed, identities))
    rank = {rule: position for position, rule in enumerate(MATCH_RULES)}
    best = (
        pl.concat(claims, how="diagonal")
        .with_columns(
            rank=pl.col("rule").replace_strict(rank, return_dtype=pl.Int64, default=99)
        )
        .sort("account_id", "rank")
        .unique("account_id", keep="first", maintain_order=True)
    )
    if "confirmed_by" not in best.columns:
        best = best.with_columns(confirmed_by=pl.lit(None, pl.String))
    return accounts.select("account_id").join(
        best.select("account_id", "identity_id", "confirmed_by", match_rule="rule"),
        on="account_id",
        how="left",
        maintain_order="left",
    )[["account_id", "identity_id", "match_rule", "confirmed_by"]]


def keys_naming_others(
    accounts: pl.DataFrame, identities: pl.DataFrame
) -> pl.DataFrame:
    """Return which identity each key of each account names, the owner or another.

    An account whose keys name different identities is used, or was handed over, by
    more than one person. Confirmations are not keys and do not appear; a key that
    names nobody or several people does not appear either.

    Returns:
        ``account_id``, ``rule`` (one of ``OWNER_KEYS``), ``identity_id``, sorted by
        account and rule; at most one row per account and rule.
    """
    current = _current_records(identities)
    claims = [_claims(accounts, identities, current, rule) for rule in OWNER_KEYS]
    return pl.concat(claims).sort("account_id", "rule")


def read_confirmed(path: Path) -> pl.DataFrame:
    """Read the owners that people confirmed from a CSV file with a header line.

    Columns are account_id, identity_id, confirmed_by and, if told, confirmed_at
    (ISO 8601). UTF-8, with or without a byte order mark, or GB18030.

    Returns:
        Columns of ``CONFIRMED_SCHEMA``, one row per line; ``confirmed_at`` is null
        where nobody told it.

    Raises:
        CorrelationError: the file is missing, empty or not text, a column is unknown
            or missing, a cell is empty, a time is none, or two lines give one account
            to different identities. The message names file and row.
    """
    lines = csv.reader(io.StringIO(_decoded(path), newline=""), strict=True)
    header = [name.strip().lower() for name in next(lines, [])]
    _check_header(path, header)
    rows: list[dict[str, str | int | None]] = []
    given: dict[str, tuple[str, int]] = {}
    try:
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            row = _confirmation(path, lines.line_num, header, cells)
            account, identity = str(row["account_id"]), str(row["identity_id"])
            earlier, line = given.setdefault(account, (identity, lines.line_num))
            if earlier != identity:
                raise CorrelationError(
                    f"{path}, rows {line} and {lines.line_num}: account {account} is "
                    f"confirmed for {earlier} and for {identity}; keep one of the two"
                )
            rows.append(row)
    except csv.Error as error:
        raise CorrelationError(
            f"{path}, row {lines.line_num}: not CSV ({error}); mend the quotes"
        ) from error
    return pl.DataFrame(rows, schema=CONFIRMED_SCHEMA)


def confirmed_for_nobody(
    confirmed: pl.DataFrame, identities: pl.DataFrame, file: str
) -> pl.DataFrame:
    """Return the confirmations that name an identity no source delivers.

    They match nobody. Each is listed among the snapshot's rejected rows, because a
    person who drops out of the roster must not stop the next snapshot.

    Returns:
        Rows of ``REJECTED_ROWS`` under the source name ``owners``.
    """
    strangers = confirmed.join(identities, on="identity_id", how="anti").sort("row")
    return strangers.select(
        source=pl.lit("owners"),
        table_name=pl.lit("account_owners"),
        file=pl.lit(file),
        row=pl.col("row").cast(pl.Int64),
        column=pl.lit("identity_id"),
        code=pl.lit("unknown_identity"),
        value=pl.col("identity_id"),
        reason=pl.concat_str(
            pl.lit("account "),
            "account_id",
            pl.lit(" is confirmed for identity "),
            "identity_id",
            pl.lit(", which no source delivers; mend it or remove the row"),
        ),
    )


def comparable(rule: str) -> pl.Expr:
    """Return the column of a rule in the form that is compared; null names nobody."""
    text = pl.col(rule).cast(pl.String).str.normalize("NFKC").str.strip_chars()
    if rule == "phone":
        return _digits(text)
    return text.str.to_lowercase().replace("", None)


def _digits(text: pl.Expr) -> pl.Expr:
    """Return a telephone number's digits without country code 86 and trunk zero."""
    dialled = text.str.replace_all(r"[^0-9+]", "")
    national = dialled.str.replace(r"^(\+|00)86", "").str.replace(
        r"^86(1\d{10})$", "${1}"
    )
    digits = national.str.replace_all("+", "", literal=True).str.strip_chars_start("0")
    return pl.when(digits.str.len_chars() >= _SHORTEST_PHONE).then(digits)


def _claims(
    accounts: pl.DataFrame,
    identities: pl.DataFrame,
    current: pl.DataFrame,
    rule: str,
) -> pl.DataFrame:
    """Return the accounts whose value of ``rule`` belongs to exactly one person."""
    people = (
        identities.select("identity_id", value=comparable(rule))
        .drop_nulls()
        .join(current, on="identity_id")
        .select("value", identity_id="current_id")
        .unique()
    )
    owned_by_one = people.filter(pl.col("value").is_unique())
    if rule in PERSONAL_KEYS:
        personal = ~pl.col("account_type").is_in(IMPERSONAL_TYPES).fill_null(
            value=False
        )
        accounts = accounts.filter(personal)
    return (
        accounts.select("account_id", value=comparable(rule))
        .drop_nulls()
        .join(owned_by_one, on="value")
        .select("account_id", "identity_id", rule=pl.lit(rule))
        .select("account_id", "rule", "identity_id")
    )


def _confirmed_claims(
    confirmed: pl.DataFrame, identities: pl.DataFrame
) -> pl.DataFrame:
    """Return the confirmations that name one identity that exists."""
    known = (
        confirmed.select("account_id", "identity_id", "confirmed_by")
        .join(_current_records(identities), on="identity_id")
        .select("account_id", "confirmed_by", identity_id="current_id")
        .unique(["account_id", "identity_id"], keep="last", maintain_order=True)
    )
    return known.filter(pl.col("account_id").is_unique()).with_columns(
        rule=pl.lit(CONFIRMED)
    )


def _current_records(identities: pl.DataFrame) -> pl.DataFrame:
    """Return the current record of the person behind each record.

    Columns ``identity_id`` and ``current_id``, one row per identity; the two are equal
    for all but the older records of somebody who was hired again.
    """
    told_end = (pl.col("employment_status") == "unknown") & pl.col(
        "end_date"
    ).is_not_null()
    records = identities.select(
        "identity_id",
        number=comparable("employee_number"),
        phone=comparable("phone"),
        name=comparable("display_name"),
        has_ended=((pl.col("employment_status") == "left") | told_end).fill_null(
            value=False
        ),
    )
    by_number = _successors(records, ["number"])
    by_phone_and_name = _successors(records, ["phone", "name"])
    successors = (
        pl.concat([by_number, by_phone_and_name])
        .unique()
        .filter(pl.col("identity_id").is_unique())
    )
    return records.join(successors, on="identity_id", how="left").select(
        "identity_id", current_id=pl.coalesce("successor_id", "identity_id")
    )


def _successors(records: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return ended records and the one current record that shares their ``keys``."""
    current = pl.col("identity_id").filter(~pl.col("has_ended"))
    one_person = (
        records.drop_nulls(keys)
        .with_columns(
            currents=current.len().over(keys),
            names=pl.col("name").drop_nulls().n_unique().over(keys),
            successor_id=current.first().over(keys),
        )
        .filter(pl.col("currents") == 1, pl.col("names") <= 1)
    )
    return one_person.filter("has_ended").select("identity_id", "successor_id")


def _decoded(path: Path) -> str:
    """Return the file's text, trying UTF-8 before GB18030."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CorrelationError(
            f"{path}: cannot be read ({error.strerror}); mend `owners` in gatebook.toml"
        ) from error
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CorrelationError(f"{path}: neither UTF-8 nor GB18030; save it as UTF-8 CSV")


def _check_header(path: Path, header: list[str]) -> None:
    """Refuse a header that is not the one promised."""
    allowed = [name for name in CONFIRMED_SCHEMA if name != "row"]
    wanted = ", ".join(allowed)
    for name in header:
        if name not in allowed or header.count(name) > 1:
            fault = "stands twice" if name in allowed else "is not known"
            raise CorrelationError(
                f"{path}, row 1: column '{name}' {fault}; the columns are {wanted}"
            )
    for name in allowed[:3]:
        if name not in header:
            raise CorrelationError(
                f"{path}, row 1: column {name} is missing; the columns are {wanted}"
            )


def _confirmation(
    path: Path, line: int, header: list[str], cells: list[str]
) -> dict[str, str | int | None]:
    """Return one line as a row of ``CONFIRMED_SCHEMA``."""
    if len(cells) != len(header):
        raise CorrelationError(
            f"{path}, row {line}: {len(cells)} cells under {len(header)} columns; mend "
            "the commas"
        )
    told = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    for name in _empty(told):
        raise CorrelationError(
            f"{path}, row {line}: {name} is empty; fill it in or remove the row"
        )
    at = told.get("confirmed_at") or None
    try:
        if at is not None:
            datetime.fromisoformat(at)
    except ValueError as error:
        raise CorrelationError(
            f"{path}, row {line}: confirmed_at '{at}' is not a date or time; write it "
            "as 2026-10-31"
        ) from error
    return {**told, "confirmed_at": at, "row": line}


def _empty(told: dict[str, str]) -> Iterator[str]:
    """Yield the columns that must not be empty and are."""
    for name, cell in told.items():
        if not cell and name != "confirmed_at":
            yield name
