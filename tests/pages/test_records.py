"""Snapshots, evidence and audit trail."""

import pytest

from tests.company import Company
from tests.pages.conftest import AUDITOR, HEAD, MANAGER, OPERATOR, Visit, everything

SNAPSHOTS = "pages.records.snapshots"
EVIDENCE = "pages.records.evidence"
TRAIL = "pages.records.audit_trail"


@pytest.mark.parametrize("module", [SNAPSHOTS, EVIDENCE, TRAIL])
@pytest.mark.parametrize("actor", [None, HEAD])
def test_records_refuse_who_may_not_read_them(
    visit: Visit, staffed: Company, module: str, actor: None
) -> None:
    staffed.seal()
    app = visit(module, actor)
    assert not app.exception
    assert not app.dataframe
    assert app.error or app.info


def test_operator_sees_snapshots(visit: Visit, staffed: Company) -> None:
    staffed.seal()
    app = visit(SNAPSHOTS, OPERATOR)
    assert not app.exception
    assert "All accounted for" in everything(app)


def test_verifying_names_what_was_altered(visit: Visit, staffed: Company) -> None:
    manifest = staffed.seal()
    app = visit(SNAPSHOTS, AUDITOR)
    app.button(key="snapshot_verify").click().run()
    assert app.success
    folder = staffed.settings.snapshots / manifest.snapshot_id / "archive"
    file = next(folder.iterdir())
    file.chmod(0o644)
    file.write_bytes(b"altered")
    app.button(key="snapshot_verify").click().run()
    assert "was altered" in app.error[0].value


@pytest.mark.parametrize(
    ("module", "english", "chinese"),
    [
        (EVIDENCE, "There is no review yet", "尚无审阅"),
        (TRAIL, "Nothing has been recorded yet", "尚无记录"),
    ],
)
def test_empty_records_say_what_fills_them(
    visit: Visit, staffed: Company, module: str, english: str, chinese: str
) -> None:
    staffed.seal()
    assert english in visit(module, MANAGER).info[0].value
    assert chinese in visit(module, MANAGER, locale="zh-CN").info[0].value


def test_rejected_rows_are_listed_with_their_reason(
    visit: Visit, staffed: Company
) -> None:
    staffed.has_account("eve")
    staffed.has_account("odd", account_type="robot")
    staffed.seal()
    shown = everything(visit(SNAPSHOTS, AUDITOR))
    assert "robot" in shown
