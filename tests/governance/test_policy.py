"""The organisation's own thresholds."""

from pathlib import Path

import pytest

from governance.catalog import load_checks
from governance.policy import Policy, PolicyError
from governance.settings import ROOT


def written(folder: Path, text: str) -> Path:
    """Write a policy file."""
    path = folder / "policy.toml"
    path.write_text(text, "utf-8")
    return path


def test_exactly_the_thresholds_asked_for_are_given(tmp_path: Path) -> None:
    policy = Policy.read(written(tmp_path, "days = 1\nshare = 0.5\n"))
    assert policy.parameters(["days"]) == {"days": 1}
    assert policy.parameters([]) == {}


def test_a_given_value_wins_and_is_not_given_unasked(tmp_path: Path) -> None:
    policy = Policy.read(written(tmp_path, "days = 1\n"))
    assert policy.parameters(["days", "as_of"], days=2, as_of=3) == {
        "days": 2,
        "as_of": 3,
    }
    assert policy.parameters(["days"], as_of=3) == {"days": 1}


def test_there_are_no_built_in_defaults(tmp_path: Path) -> None:
    policy = Policy.read(written(tmp_path, "days = 1\n"))
    with pytest.raises(PolicyError, match="does not set minutes, share"):
        policy.parameters(["share", "days", "minutes"])


def test_a_threshold_of_nought_is_set(tmp_path: Path) -> None:
    policy = Policy.read(written(tmp_path, "days = 0\nnames = []\n"))
    assert policy.parameters(["days", "names"]) == {"days": 0, "names": []}


def test_every_change_of_the_file_is_another_version(tmp_path: Path) -> None:
    first = Policy.read(written(tmp_path, "days = 1\n"))
    same = Policy.read(written(tmp_path, "days = 1\n"))
    comment = Policy.read(written(tmp_path, "days = 1  # approved by the board\n"))
    assert first.sha256 == same.sha256 != comment.sha256
    assert comment.text == "days = 1  # approved by the board\n"


@pytest.mark.parametrize("text", ["days = ", "days = 1\ndays = 2\n", "= 1"])
def test_what_is_not_toml_is_refused_with_the_file(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyError, match=str(path)):
        Policy.read(path)


def test_a_missing_or_unreadable_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"nowhere\.toml"):
        Policy.read(tmp_path / "nowhere.toml")
    path = tmp_path / "policy.toml"
    path.write_bytes("天 = 1\n".encode("gb18030"))
    with pytest.raises(PolicyError, match=r"policy\.toml"):
        Policy.read(path)


def test_the_products_policy_answers_every_check() -> None:
    policy = Policy.read(ROOT / "data" / "policy.toml")
    for check in load_checks(ROOT / "queries").values():
        assert set(policy.parameters(check.parameters, as_of=None)) == set(
            check.parameters
        )


def test_the_products_policy_sets_nothing_that_nobody_asks_for() -> None:
    policy = Policy.read(ROOT / "data" / "policy.toml")
    asked = {
        name
        for check in load_checks(ROOT / "queries").values()
        for name in check.parameters
    }
    assert set(policy.thresholds) <= asked
