"""The organisation's own thresholds, read from data/policy.toml."""

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.model import GovernanceError


class PolicyError(GovernanceError):
    """The policy cannot be read, or does not set a threshold that a query asks for."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Thresholds by name; durations are whole days unless the name says minutes."""

    thresholds: Mapping[str, Any]
    sha256: str
    """Digest of the file: the policy's version, quoted in every result."""
    text: str
    """The file as it stood, for the evidence."""

    @classmethod
    def read(cls, path: Path) -> "Policy":
        """Read a policy file.

        Raises:
            PolicyError: the file is missing or is not TOML.
        """
        try:
            text = path.read_bytes().decode("utf-8")
            thresholds = tomllib.loads(text)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise PolicyError(f"{path}: {error}") from error
        return cls(
            thresholds=thresholds,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            text=text,
        )

    def parameters(self, names: Collection[str], **given: object) -> dict[str, Any]:
        """Return a value for each name, no more and no fewer; ``given`` ones win.

        Raises:
            PolicyError: a name is not set. There are no built-in defaults: a review
                must be able to say which threshold applied and who approved it.
        """
        values = {**self.thresholds, **given}
        if missing := sorted(set(names) - set(values)):
            raise PolicyError(f"the policy does not set {', '.join(missing)}")
        return {name: values[name] for name in names}
