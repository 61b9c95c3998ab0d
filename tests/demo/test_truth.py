"""Every check finds what was planted, all of it and nothing else."""

import json
from pathlib import Path

import pytest

from connectors.collection import collect
from data.demo.company import write_company
from governance import assessments, snapshots
from governance.catalog import load_checks
from governance.policy import Policy
from governance.settings import ROOT, Settings


@pytest.mark.parametrize(("people", "seed"), [(60, 1), (60, 2), (300, 7), (1200, 3)])
def test_checks_report_the_truth_and_none_that_only_looks_like_it(
    tmp_path: Path, people: int, seed: int
) -> None:
    company = write_company(tmp_path, people=people, seed=seed, months=1)
    truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    settings = Settings.read(company.config)
    as_of = company.months[-1][1]
    extracts = collect(settings)
    assert all(tie.is_balanced for extract in extracts for tie in extract.tie_outs)
    snapshots.seal(settings, extracts, as_of, sealed_at=as_of)
    snapshot = snapshots.kept_open(settings)
    policy = Policy.read(settings.policy)
    checks = load_checks(ROOT / "queries")
    assert truth["findings"].keys() <= checks.keys()
    for check_id, expected in truth["findings"].items():
        rows = assessments.assess(checks[check_id], snapshot, policy)
        statuses = dict(rows.select("subject_id", "status").iter_rows())
        failed = {subject for subject, status in statuses.items() if status == "fail"}
        assert failed == set(expected), check_id
        for subject in truth["negatives"].get(check_id, []):
            assert statuses[subject] in ("pass", "unknown"), (check_id, subject)
