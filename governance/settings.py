"""What gatebook.toml says: where this installation keeps its files, and its sources.

Paths in the file are relative to the file. Nothing here opens a source or a snapshot.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.functional_validators import AfterValidator

from governance.model import GovernanceError

ROOT = Path(__file__).parents[1]
CONFIG_VARIABLE = "GATEBOOK_CONFIG"
DEMO_CONFIG = ROOT / "data" / "demo-company" / "gatebook.toml"


class SettingsError(GovernanceError):
    """gatebook.toml is missing or says something that cannot be meant."""


def _source_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", name):
        raise ValueError(
            "a source's name is 1 to 32 small letters, digits or _, a letter first"
        )
    return name


def _zone_name(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name} is no time zone, as Asia/Shanghai is") from error
    return name


class SourceSettings(BaseModel):
    """One ``[sources.<name>]`` table; keys of the connector itself are in ``extra``."""

    model_config = ConfigDict(extra="allow", frozen=True)

    connector: str
    """Name of the connector in the registry."""
    title: str | None = None
    """What people call the system; its name if not set."""
    operator: str | None = None
    """Who makes or runs the extract; not one of its reviewers."""

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the connector's own keys, as written."""
        return dict(self.model_extra or {})


class SettingsFile(BaseModel):
    """The whole of gatebook.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    organisation: str = "Gatebook"
    demo: bool = False
    """True only in what ``cli.py demo`` writes: invented people, persona chooser."""
    data: Path = Path("gatebook-data")
    """Folder of snapshots, assessments and register."""
    policy: Path = ROOT / "data" / "policy.toml"
    time_zone: Annotated[str, AfterValidator(_zone_name)] = "Asia/Shanghai"
    """Zone of dates that a source writes without one."""
    owners: Path | None = None
    """CSV of account_id,identity_id,confirmed_by: owners that a person confirmed."""
    sources: dict[Annotated[str, AfterValidator(_source_name)], SourceSettings] = Field(
        default_factory=dict
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One installation, with every path made absolute."""

    config: Path
    organisation: str
    demo: bool
    data: Path
    policy: Path
    time_zone: str
    owners: Path | None
    sources: Mapping[str, SourceSettings]
    queries: Path = ROOT / "queries"

    @property
    def folder(self) -> Path:
        """Folder of gatebook.toml: what a source's own paths are relative to."""
        return self.config.parent

    @property
    def snapshots(self) -> Path:
        """Folder of sealed snapshots, one folder each, and CURRENT."""
        return self.data / "snapshots"

    @property
    def assessments(self) -> Path:
        """Folder of stored check results."""
        return self.data / "assessments"

    @property
    def register_url(self) -> str:
        """Database URL of the register; ``GATEBOOK_REGISTER`` replaces the file."""
        own = os.environ.get("GATEBOOK_REGISTER")
        return own or f"sqlite:///{(self.data / 'register.sqlite').as_posix()}"

    @classmethod
    def read(cls, config: Path | None = None) -> "Settings":
        """Read gatebook.toml.

        Without ``config``: the file ``GATEBOOK_CONFIG`` names, else ``gatebook.toml``
        in the working folder, else the demo company that ``make run`` writes.

        Raises:
            SettingsError: there is no such file, it is not TOML, or a key is unknown,
                missing or of the wrong kind. The message names file and key.
        """
        path = (config or default_config()).absolute()
        try:
            told = SettingsFile.model_validate(tomllib.loads(path.read_text("utf-8")))
        except FileNotFoundError as error:
            raise SettingsError(
                f"{path}: no such file; name one with --config, or make a demo company "
                "with `python cli.py demo DIR --seal`"
            ) from error
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{path}: {error}") from error
        except ValidationError as error:
            raise SettingsError(f"{path}: {first_problem(error)}") from error
        here = path.parent
        return cls(
            config=path,
            organisation=told.organisation,
            demo=told.demo,
            data=here / told.data,
            policy=here / told.policy,
            time_zone=told.time_zone,
            owners=None if told.owners is None else here / told.owners,
            sources=told.sources,
        )


def default_config() -> Path:
    """Return the configuration that applies when nobody names one."""
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    here = Path("gatebook.toml")
    return here if here.exists() else DEMO_CONFIG


def first_problem(error: ValidationError) -> str:
    """Return the first problem of a pydantic error as ``key: what is wrong``."""
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"]) or "file"
    return f"{key}: {problem['msg']}"
