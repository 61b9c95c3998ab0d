"""``snapshot``: pull the sources, seal what they said, look at it, prove it whole."""

from dataclasses import asdict
from typing import Annotated

import polars as pl
import typer

from commands.terminal import (
    AsJson,
    Config,
    application,
    err,
    moment,
    now,
    one_line_errors,
    operator,
    out,
    print_json,
    print_rows,
    progress_bar,
    settings_of,
)
from connectors.collection import collect
from governance import snapshots
from governance.assessments import assess_all
from governance.audit_trail import record
from governance.catalog import load_checks, load_facts
from governance.model import Status
from governance.owner_confirmations import confirmed_owners
from governance.register import open_register
from governance.reports import report
from governance.schema import TABLES
from governance.settings import Settings
from governance.snapshots import Manifest

app = application("Sealed snapshots of what every source said.")


def take_snapshot(settings: Settings, as_of: str | None) -> Manifest:
    """Pull, seal and assess, showing how far it is; the audit trail records it."""
    register = open_register(settings)
    with progress_bar("Pulling sources") as step:
        extracts = collect(settings, progress=step)
    # The tables of schema, what is derived in sealing, and the facts, in that order.
    expected = len(TABLES) + 9 + len(load_facts(settings.queries))
    with progress_bar("Sealing") as step:
        done = iter(range(1, 1_000))
        manifest = snapshots.seal(
            settings,
            extracts,
            moment(as_of, settings),
            sealed_at=now(),
            confirmed=confirmed_owners(register),
            progress=lambda what: step(what, next(done), expected),
        )
    with register.write() as connection:
        record(
            connection,
            actor=operator(),
            action="snapshot.seal",
            subject=manifest.snapshot_id,
            details={
                "files": dict(manifest.files),
                "prior": manifest.prior,
                "sources": [source["source"] for source in manifest.sources],
            },
            now=now(),
        )
    with progress_bar("Checking") as step:
        checks = len(load_checks(settings.queries))
        done = iter(range(checks + 1))
        assess_all(
            settings,
            manifest.snapshot_id,
            progress=lambda what: step(what, next(done), checks),
        )
    return manifest


@app.command("take")
@one_line_errors
def take(
    config: Config = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            help="Moment the files speak of: a date (its end) or a date and time. "
            "Now, if not given; earlier ones seal history."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pull every source, seal one snapshot and run every check over it."""
    settings = settings_of(config)
    manifest = take_snapshot(settings, as_of)
    if as_json:
        print_json(_shown(settings, manifest))
        return
    out.print(f"Sealed {manifest.snapshot_id} in {settings.snapshots}")
    _print_tie_out(settings, manifest.snapshot_id)
    _print_findings(settings, manifest.snapshot_id)


@app.command("list")
@one_line_errors
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List the sealed snapshots, newest first."""
    settings = settings_of(config)
    current = snapshots.current_id(settings)
    rows = [
        {
            "snapshot_id": manifest.snapshot_id,
            "current": manifest.snapshot_id == current,
            "prior": manifest.prior,
            "sealed_at": manifest.sealed_at,
            "sources": len(manifest.sources),
            "accounts": manifest.counts["accounts"],
            "balanced": all(source["is_balanced"] for source in manifest.sources),
        }
        for manifest in snapshots.list_snapshots(settings)
    ]
    if as_json:
        print_json({"snapshots": rows})
    elif rows:
        print_rows(pl.DataFrame(rows), title="Snapshots")
    else:
        out.print("No snapshot is sealed yet; take one with `snapshot take`.")


@app.command("show")
@one_line_errors
def show(
    snapshot_id: Annotated[
        str | None, typer.Argument(help="Newest if left out.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show a snapshot's tie-out, rejected rows and what its sources can tell."""
    settings = settings_of(config)
    manifest = Manifest.read(snapshots.folder_of(settings, snapshot_id))
    if as_json:
        print_json(_shown(settings, manifest))
        return
    out.print(f"Snapshot {manifest.snapshot_id}, sealed {manifest.sealed_at:%F %R} UTC")
    _print_tie_out(settings, manifest.snapshot_id)
    snapshot = snapshots.kept_open(settings, manifest.snapshot_id)
    rejected = report(snapshot, "rejected_rows")
    if rejected.height:
        columns = ["source", "file", "row", "column", "reason"]
        print_rows(rejected.head(20), title="Rejected rows", columns=columns)
        if rejected.height > 20:
            out.print(f"… and {rejected.height - 20} more: --json lists them all.")
    print_rows(report(snapshot, "source_facts"), title="Facts told")


@app.command("verify")
@one_line_errors
def verify(
    snapshot_id: Annotated[
        str | None, typer.Argument(help="Newest if left out.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Verify every snapshot.")
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Compare a snapshot with its manifest, byte for byte and row for row."""
    settings = settings_of(config)
    if every:
        names = [m.snapshot_id for m in snapshots.list_snapshots(settings)]
    else:
        names = [snapshots.folder_of(settings, snapshot_id).name]
    verified = []
    with progress_bar("Verifying") as step:
        for done, name in enumerate(names):
            step(name, done, len(names))
            manifest = snapshots.verify(settings, name)
            verified.append({"snapshot_id": name, "files": len(manifest.files)})
    if as_json:
        print_json({"verified": verified})
        return
    for entry in verified:
        out.print(
            f"{entry['snapshot_id']}: whole ({entry['files']} files match the manifest)"
        )


def _shown(settings: Settings, manifest: Manifest) -> dict[str, object]:
    snapshot = snapshots.kept_open(settings, manifest.snapshot_id)
    return {
        "manifest": asdict(manifest),
        "sources": report(snapshot, "sources").to_dicts(),
        "tie_outs": report(snapshot, "tie_outs").to_dicts(),
        "rejected_rows": report(snapshot, "rejected_rows").to_dicts(),
        "source_facts": report(snapshot, "source_facts").to_dicts(),
        "checks": _counts(settings, manifest.snapshot_id).to_dicts(),
    }


def _print_tie_out(settings: Settings, snapshot_id: str) -> None:
    snapshot = snapshots.kept_open(settings, snapshot_id)
    rows = report(snapshot, "tie_outs")
    columns = [
        "source",
        "table_name",
        "file",
        "stated",
        "read",
        "accepted",
        "rejected",
        "duplicate",
        "is_balanced",
    ]
    print_rows(
        rows, title="Rows read = accepted + rejected + duplicate", columns=columns
    )
    for source, notes in (
        report(snapshot, "sources").select("source", "notes").iter_rows()
    ):
        for note in (notes or "").splitlines():
            err.print(f"note: {source}: {note}", markup=False, highlight=False)


def _counts(settings: Settings, snapshot_id: str) -> pl.DataFrame:
    rows = [
        {
            "check": check_id,
            "severity": assessment.check.severity.value,
            "tested": assessment.count(),
            "failed": assessment.count(Status.FAIL),
            "unknown": assessment.count(Status.UNKNOWN),
        }
        for check_id, assessment in assess_all(settings, snapshot_id).items()
    ]
    return pl.DataFrame(rows)


def _print_findings(settings: Settings, snapshot_id: str) -> None:
    print_rows(_counts(settings, snapshot_id), title="Checks")
