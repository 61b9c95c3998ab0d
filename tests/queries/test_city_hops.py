"""Changes of city between logins, against a plain count of the same logins."""

import random
from datetime import timedelta
from itertools import pairwise

import polars as pl

from governance.snapshots import folder_of
from tests.company import BEFORE, Company


def test_hops_are_what_a_plain_walk_through_the_logins_finds(company: Company) -> None:
    rng = random.Random(20260801)
    walked: dict[str, list[tuple[object, str]]] = {}
    for login in ("ada", "bob", "cho"):
        company.has_account(login)
        for _ in range(60):
            at = BEFORE + timedelta(minutes=rng.randrange(90))
            city = rng.choice(["Shanghai", "Chengdu", None])
            outcome = rng.choice(["success", "success", "failure"])
            company.logs_in(login, at, city=city, outcome=outcome)
            if city is not None and outcome == "success":
                walked.setdefault(f"crm:{login}", []).append((at, city))
    company.seal()
    expected = [
        (account_id, at, city, previous_at, previous_city)
        for account_id, logins in sorted(walked.items())
        for (previous_at, previous_city), (at, city) in pairwise(sorted(logins))
        if city != previous_city
    ]
    archive = folder_of(company.settings) / "archive" / "city_hops.parquet"
    assert pl.read_parquet(archive).rows() == expected
