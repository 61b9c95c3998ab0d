"""Recall and precision of every check against what a demo company planted.

``python -m benchmarks.truth --people 5000 --seed 7``: invents the company, seals it
through the command line, and prints for each check how many cases were planted, found,
missed, and found that were not planted, and how many hard negatives it fell for.
Exits with 1 if any number is not perfect.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from governance.settings import ROOT


def cli(*arguments: str) -> dict[str, Any]:
    """Run one command of the product and return its JSON."""
    program = [sys.executable, str(ROOT / "cli.py"), *arguments, "--json"]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def compare(config: Path, truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one row for each check: planted, found, missed, extra, fell for."""
    rows = []
    for check in cli("check", "list", "--config", str(config))["checks"]:
        shown = cli(
            *("check", "show", check["id"], "--status", "fail"),
            *("--config", str(config)),
        )
        found = {row["subject_id"] for row in shown["rows"]}
        planted = set(truth["findings"].get(check["id"], []))
        negatives = set(truth["negatives"].get(check["id"], []))
        rows.append(
            {
                "check": check["id"],
                "tested": check["tested"],
                "unknown": check["unknown"],
                "planted": len(planted),
                "found": len(found & planted),
                "missed": sorted(planted - found),
                "extra": sorted(found - planted),
                "negatives": len(negatives),
                "fell_for": sorted(found & negatives),
                "recall": len(found & planted) / len(planted) if planted else 1.0,
                "precision": len(found & planted) / len(found) if found else 1.0,
            }
        )
    return rows


def main() -> int:
    """Print the table; return the exit code."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=5000)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--months", type=int, default=2)
    asked.add_argument("--folder", type=Path, help="a demo company that is there")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch, "company")
        if given.folder is None:
            start = time.perf_counter()
            size = ("--people", str(given.people), "--seed", str(given.seed))
            cli("demo", str(folder), *size, "--months", str(given.months), "--seal")
            took = time.perf_counter() - start
            print(
                f"{given.people} people, {given.months} months, seed {given.seed}: "
                f"invented, sealed and checked in {took:.0f} s"
            )
        truth = json.loads((folder / "truth.json").read_text("utf-8"))
        rows = compare(folder / "gatebook.toml", truth)
    head = ("check", "tested", "unknown", "planted", "found", "negatives")
    print(f"{'check':34}" + "".join(f"{name:>10}" for name in head[1:]), end="")
    print(f"{'missed':>8}{'extra':>8}{'fell for':>10}{'recall':>8}{'prec.':>8}")
    for row in rows:
        print(f"{row['check']:34}" + "".join(f"{row[k]:>10}" for k in head[1:]), end="")
        print(
            f"{len(row['missed']):>8}{len(row['extra']):>8}{len(row['fell_for']):>10}"
            f"{row['recall']:>8.3f}{row['precision']:>8.3f}"
        )
    wrong = [r for r in rows if r["missed"] or r["extra"] or r["fell_for"]]
    for row in wrong:
        for kind in ("missed", "extra", "fell_for"):
            for subject in row[kind][:5]:
                print(f"  {row['check']} {kind}: {subject}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
