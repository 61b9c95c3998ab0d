"""Who may own an account that nobody owns. Suggestions only: a person confirms.

Nothing here is ever taken as an owner. Names are shared, logins are abbreviated, and a
wrong owner sends a review to the wrong manager.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl
from rapidfuzz import fuzz, process

from governance.name_spelling import (
    Spellings,
    han_names,
    letters,
    spellings_of_han,
    spellings_of_words,
)

SAME_NAME = "same_name"
PINYIN = "pinyin"
FUZZY_NAME = "fuzzy_name"
EMAIL_LOCAL_PART = "email_local_part"
REASONS = (SAME_NAME, PINYIN, FUZZY_NAME, EMAIL_LOCAL_PART)
"""Why somebody is suggested: the name as written; the name in pinyin; a name that is
abbreviated or much alike; the part of the address before the @."""

SUGGESTION_SCHEMA = {
    "account_id": pl.String,
    "identity_id": pl.String,
    "score": pl.Int64,
    "because": pl.String,
}
_SAME, _ADDRESS, _WHOLE, _SHORTENED, _INITIALS = 95, 90, 85, 70, 50
_SHARED = 15
"""Taken off the score of what several people share."""
_NUMBERED = 5
"""Taken off where a login fits but for the digits at its end."""
_LIKE = 84
"""Likeness of two spellings, of 100, from which a slip of the pen is plausible."""
_WEIGHT_OF_LIKENESS = 0.75
_SHORTEST = 5
"""Letters below which any two spellings are much alike."""
_CHUNK = 256
"""Spellings compared with everybody's at once: bounds the memory."""


class _Match(NamedTuple):
    """How well an account fits a person, and by what."""

    score: int
    because: str


@dataclass(frozen=True)
class _People:
    """The identities, by what an account may say of them. Persons are positions."""

    ids: list[str]
    names: list[str]
    has_left: list[bool]
    by_name: Mapping[str, dict[int, _Match]]
    by_address: Mapping[str, dict[int, _Match]]
    by_spelling: Mapping[str, dict[int, _Match]]
    whole: list[tuple[str, list[int]]]
    """Whole spellings only: what a misspelt name is compared with."""


def suggest(
    unowned_accounts: pl.DataFrame,
    identities: pl.DataFrame,
    *,
    limit_per_account: int = 3,
) -> pl.DataFrame:
    """Suggest who may own each account, the likeliest first.

    Compares names as written, in pinyin in either order and abbreviated, the part of
    an address before the @, and how alike the spellings are. People of one name are
    all suggested and never merged; what several share scores less.

    Args:
        unowned_accounts: Canonical accounts without an owner.
        identities: Canonical identities; of two that fit alike, one that has left
            comes second.
        limit_per_account: the most suggestions for one account.

    Returns:
        ``account_id``, ``identity_id``, ``score`` (0 to 100, a ranking and no
        probability) and ``because`` (one of ``REASONS``), at most one row per account
        and identity, accounts in the order given. An account like nobody has no row.
    """
    people = _indexed(identities)
    accounts = unowned_accounts.select(
        "account_id", "display_name", "login", "email"
    ).to_dicts()
    found: list[dict[int, _Match]] = [{} for _ in accounts]
    for account, matches in zip(accounts, found, strict=True):
        for person, match in _exact(account, people):
            _keep(matches, person, match)
    for position, person, match in _alike(accounts, people):
        _keep(found[position], person, match)
    rows: list[tuple[str, str, int, str]] = []
    for account, matches in zip(accounts, found, strict=True):
        ranked = sorted(
            (-match.score, people.has_left[person], people.ids[person], match.because)
            for person, match in matches.items()
        )
        rows += (
            (account["account_id"], identity, -score, because)
            for score, _, identity, because in ranked[:limit_per_account]
        )
    return pl.DataFrame(rows, schema=SUGGESTION_SCHEMA, orient="row")


def _indexed(identities: pl.DataFrame) -> _People:
    """Return the identities under every way to write their names and addresses."""
    by_name: dict[str, dict[int, _Match]] = defaultdict(dict)
    by_address: dict[str, dict[int, _Match]] = defaultdict(dict)
    by_spelling: dict[str, dict[int, _Match]] = defaultdict(dict)
    whole: dict[str, list[int]] = defaultdict(list)
    of_han: dict[str, Spellings] = {}
    columns = identities.select("display_name", "email").iter_rows()
    for person, (name, address) in enumerate(columns):
        if local := _local_part(address):
            _keep(by_address[local], person, _Match(_ADDRESS, EMAIL_LOCAL_PART))
        if not name:
            continue
        _keep(by_name[_plain(name)], person, _Match(_SAME, SAME_NAME))
        spelt: list[tuple[Spellings, str]] = []
        for han in han_names(name)[:1]:
            _keep(by_name[han], person, _Match(_SAME, SAME_NAME))
            spelt.append((of_han.setdefault(han, spellings_of_han(han)), PINYIN))
        if len(words := letters(name)) > 1:
            spelt.append((spellings_of_words(words), FUZZY_NAME))
        for spellings, because in spelt:
            for word, match in _scored(spellings, because):
                _keep(by_spelling[word], person, match)
            for word in spellings.whole:
                whole[word].append(person)
    return _People(
        ids=identities["identity_id"].to_list(),
        names=[name or "" for name in identities["display_name"]],
        has_left=[status == "left" for status in identities["employment_status"]],
        by_name=dict(by_name),
        by_address=dict(by_address),
        by_spelling=dict(by_spelling),
        whole=list(whole.items()),
    )


def _scored(spellings: Spellings, because: str) -> Iterator[tuple[str, _Match]]:
    """Yield each spelling and what it is worth."""
    in_full = PINYIN if because == PINYIN else SAME_NAME
    for words, match in (
        (spellings.whole, _Match(_WHOLE, in_full)),
        (spellings.shortened, _Match(_SHORTENED, because)),
        (spellings.initials, _Match(_INITIALS, because)),
    ):
        for word in words:
            yield word, match


def _exact(account: Mapping[str, Any], people: _People) -> Iterator[tuple[int, _Match]]:
    """Yield the people whom a name or address of the account fits to the letter."""
    name = account["display_name"] or ""
    for written in {_plain(name), *han_names(name)}:
        yield from _shared(people.by_name.get(written, {}))
    for han in han_names(name):
        for word in spellings_of_han(han).whole:
            yield from _shared(people.by_spelling.get(word, {}), least=_WHOLE)
    yield from _shared(people.by_spelling.get("".join(letters(name)), {}))
    for local in {_local_part(account["email"]), _local_part(account["login"])}:
        if not local:
            continue
        yield from _shared(people.by_address.get(local, {}))
        plain = "".join(letters(local))
        less = _NUMBERED if any(char.isdigit() for char in local) else 0
        yield from _shared(people.by_spelling.get(plain, {}), less=less)


def _shared(
    matches: Mapping[int, _Match], *, less: int = 0, least: int = 0
) -> Iterator[tuple[int, _Match]]:
    """Yield the matches, for less if there are several people or digits are left."""
    told = {who: match for who, match in matches.items() if match.score >= least}
    cost = less + (_SHARED if len(told) > 1 else 0)
    for person, match in told.items():
        yield person, _Match(match.score - cost, match.because)


def _alike(
    accounts: list[dict[str, Any]], people: _People
) -> Iterator[tuple[int, int, _Match]]:
    """Yield account, person and likeness of the spellings that differ by a slip.

    Two Chinese names that only sound alike are different names: they must share a
    character too.
    """
    queries = [
        (position, word, han)
        for position, account in enumerate(accounts)
        for word, han in _spelt(account)
        if len(word) >= _SHORTEST
    ]
    choices = [word for word, _ in people.whole]
    for start in range(0, len(queries), _CHUNK):
        chunk = queries[start : start + _CHUNK]
        words = [word for _, word, _ in chunk]
        likeness = process.cdist(
            words, choices, scorer=fuzz.ratio, score_cutoff=_LIKE, workers=-1
        )
        for query, choice in zip(*likeness.nonzero(), strict=True):
            position, _, han = chunk[query]
            match = _Match(
                int(likeness[query, choice] * _WEIGHT_OF_LIKENESS), FUZZY_NAME
            )
            for person in people.whole[choice][1]:
                written = people.names[person]
                if not han or not han_names(written) or set(han) & set(written):
                    yield position, person, match


def _spelt(account: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the name in letters, or the login, and the Han it is read from."""
    name = account["display_name"] or ""
    words = letters(name)
    if hans := han_names(name):
        for han in hans:
            yield min(spellings_of_han(han).whole), han
    elif len(words) > 1:
        yield "".join(words), ""
    else:
        yield "".join(letters(_local_part(account["login"]) or "")), ""


def _keep(best: dict[int, _Match], person: int, match: _Match) -> None:
    """Keep the better of two matches with one person."""
    if person not in best or best[person].score < match.score:
        best[person] = match


def _plain(name: str) -> str:
    """Return a name without blanks, case, width and the marks between its parts."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if char.isalnum()) or name


def _local_part(address: str | None) -> str | None:
    """Return what stands before the @, or the whole of a login without one."""
    local = (address or "").strip().casefold().split("@")[0].split("+")[0]
    return local or None
