"""The installation's workbook key: proves that a returned workbook is one we issued.

Only this installation checks it, so a shared key (HMAC) is enough; evidence that others
check is signed with another key. Each campaign has a key of its own, derived by HKDF.
"""

import hmac
import os
import secrets
import stat
from collections.abc import Sequence
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from governance.model import GovernanceError
from governance.settings import Settings

FILE = "workbook.key"
_BYTES = 32
_TAG = 32
"""Hex digits of a tag: 128 bits."""


class KeyFileError(GovernanceError):
    """The workbook key is unreadable, or others than its owner may read it."""


def campaign_key(settings: Settings, campaign_id: str) -> bytes:
    """Return the key of one campaign's workbooks; the first call makes the secret.

    Raises:
        KeyFileError: the key file is damaged or readable by others.
    """
    derived = HKDF(
        algorithm=SHA256(),
        length=_BYTES,
        salt=None,
        info=b"gatebook workbook 1\x00" + campaign_id.encode(),
    )
    return derived.derive(_secret(settings))


def tag(key: bytes, told: Sequence[Any]) -> str:
    """Return the HMAC of values in their canonical form, as hex."""
    return hmac.new(key, rfc8785.dumps(list(told)), "sha256").hexdigest()[:_TAG]


def is_tag(key: bytes, told: Sequence[Any], shown: str) -> bool:
    """Return whether a tag belongs to the values."""
    return hmac.compare_digest(tag(key, told).encode(), shown.encode())


def _secret(settings: Settings) -> bytes:
    path = settings.data / FILE
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
    secret = path.read_bytes()
    if len(secret) != _BYTES:
        raise KeyFileError(
            f"{path}: damaged; restore it from a backup, or remove it and issue every "
            "workbook again"
        )
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyFileError(
            f"{path}: others than its owner may read it; run chmod 600 on it"
        )
    return secret
