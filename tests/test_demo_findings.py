"""Every check finds what the demo company planted, and falls for none of its traps."""

import pytest

from governance.catalog import load_checks
from governance.settings import ROOT
from tests.demo_company import Demo

CHECKS = list(load_checks(ROOT / "queries"))


@pytest.mark.parametrize("check_id", CHECKS)
def test_a_check_finds_exactly_what_was_planted(demo: Demo, check_id: str) -> None:
    shown = demo.json("check", "show", check_id, "--status", "fail")
    found = {row["subject_id"] for row in shown["rows"]}
    planted = set(demo.truth["findings"][check_id])
    assert planted
    assert (planted - found, found - planted) == (set(), set())


@pytest.mark.parametrize("check_id", CHECKS)
def test_a_check_falls_for_no_hard_negative(demo: Demo, check_id: str) -> None:
    shown = demo.json("check", "show", check_id, "--status", "fail")
    found = {row["subject_id"] for row in shown["rows"]}
    assert found & set(demo.truth["negatives"].get(check_id, [])) == set()


def test_every_row_of_every_file_is_accounted_for(demo: Demo) -> None:
    shown = demo.json("snapshot", "show")
    for tie_out in shown["tie_outs"]:
        accounted = tie_out["accepted"] + tie_out["rejected"] + tie_out["duplicate"]
        assert tie_out["read"] == accounted, tie_out
        assert tie_out["is_balanced"], tie_out
