"""The command line: ``python cli.py --help``.

Every reading command takes ``--json``; an error is one line on standard error and an
exit code that is not 0. The clock is read here and nowhere below.
"""

from commands import (
    campaigns,
    checks,
    demo,
    evidence,
    owners,
    serve,
    snapshots,
    sources,
)
from commands.terminal import application

app = application("Gatebook 权鉴: who holds which key, and who signed for it.")
app.add_typer(sources.app, name="source")
app.add_typer(snapshots.app, name="snapshot")
app.add_typer(checks.app, name="check")
app.add_typer(campaigns.app, name="campaign")
app.add_typer(evidence.app, name="evidence")
app.add_typer(owners.app, name="owner")
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)

if __name__ == "__main__":
    app()
