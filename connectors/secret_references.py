"""Secrets by reference: ``env:NAME``, ``file:PATH`` or ``keyring:SERVICE/NAME``.

Not a connector: what every source that signs in shares. gatebook.toml holds the
reference, never the secret; nothing here repeats a value, not even a wrong one.
"""

import importlib
import os
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from governance.schema import ExtractError

_KINDS = ("env", "file", "keyring")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_BYTES = 65_536
"""A private key with its chain is a few thousand; more is the wrong file."""


def check_reference(told: str) -> str:
    """Return the reference, having refused what is none.

    Raises:
        PydanticCustomError: it is a literal or anything else. The value is not
            repeated: it may be a secret.
    """
    kind, _, place = told.partition(":")
    is_named = bool(place) and not place.startswith("//")
    if kind == "keyring":
        service, _, name = place.rpartition("/")
        is_named = bool(service and name)
    if kind not in _KINDS or not is_named:
        raise PydanticCustomError(
            "gatebook",
            "credentials belong in the environment, not in this file; write env:NAME, "
            "file:PATH or keyring:SERVICE/NAME, and keep the secret there",
        )
    return told


SecretReference = Annotated[str, AfterValidator(check_reference)]
"""Type of a connector's key that names a secret."""


def read_secret(base: Path, reference: str) -> str:
    """Return the secret a reference stands for, without the space around it.

    Args:
        base: what the path of ``file:`` is relative to.
        reference: as ``check_reference`` let it pass.

    Raises:
        ExtractError: the variable, file or entry is not there, is empty or cannot be
            read, others than its owner may read the file, or no keyring is installed.
            Names the reference, never the value.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        secret = _from_environment(reference, place)
    elif kind == "file":
        secret = _from_file(reference, base / place)
    else:
        secret = _from_keyring(reference, place)
    if not secret.strip():
        raise ExtractError(f"{reference}: is empty; put the secret there")
    return secret.strip()


def _from_environment(reference: str, name: str) -> str:
    secret = os.environ.get(name)
    if secret is None:
        raise ExtractError(
            f"{reference}: there is no such environment variable; set it for the user "
            "Gatebook runs as"
        )
    return secret


def _from_file(reference: str, path: Path) -> str:
    """Read a file that its owner alone may read, by one handle from check to read."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if os.name == "posix" and found.st_mode & _OTHERS:
                raise ExtractError(
                    f"{reference}: others than its owner may open the file (mode "
                    f"{stat.S_IMODE(found.st_mode):04o}); chmod 600 it, and renew the "
                    "secret if others may have read it"
                )
            content = file.read(_BYTES + 1)
    except OSError as error:
        raise ExtractError(
            f"{reference}: the file cannot be read, {error.strerror}; put the secret "
            "there or mend the path"
        ) from error
    if len(content) > _BYTES:
        raise ExtractError(f"{reference}: is too long for a secret; mend the path")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Not "from error": the cause holds the bytes.
        raise ExtractError(
            f"{reference}: the file is not UTF-8 text; save the secret as text"
        ) from None


def _from_keyring(reference: str, place: str) -> str:
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise ExtractError(
            f"{reference}: no keyring is installed; install the package keyring, or "
            "use env:NAME or file:PATH"
        ) from None
    service, _, name = place.rpartition("/")
    try:
        secret = keyring.get_password(service, name)
    except Exception:  # A back end may raise anything, and quote the entry in it.
        raise ExtractError(
            f"{reference}: the keyring cannot be opened; unlock it for the user "
            "Gatebook runs as"
        ) from None
    if secret is None:
        raise ExtractError(
            f"{reference}: the keyring has no such entry; add it with keyring set"
        )
    return str(secret)
