"""One demo company for every test that needs a whole one: sealed once a session."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result


@dataclass(frozen=True)
class Demo:
    """A sealed demo company and the command line over it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "gatebook.toml"

    @property
    def truth(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(
            (self.folder / "truth.json").read_text("utf-8")
        )
        return told

    def run(self, *arguments: str) -> Result:
        """Run one command; the test judges its exit code."""
        from cli import app  # late: not every test needs the whole product

        return CliRunner().invoke(app, [*arguments, "--config", str(self.config)])

    def json(self, *arguments: str) -> Any:
        """Run one command that must succeed; return its JSON."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output + result.stderr
        return json.loads(result.stdout)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Return a company of 300 people with two sealed months. Tests only read it."""
    from cli import app

    folder = tmp_path_factory.mktemp("demo") / "company"
    asked = ["demo", str(folder), "--people", "300", "--months", "2", "--seal"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output + result.stderr
    yield Demo(folder)
