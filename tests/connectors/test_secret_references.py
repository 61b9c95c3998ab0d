"""Secrets are named, never written, and never repeated."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import BaseModel, ValidationError

from connectors.secret_references import SecretReference, read_secret
from governance.schema import ExtractError


class Told(BaseModel):
    token: SecretReference


@pytest.mark.parametrize(
    "reference",
    ["env:OKTA_TOKEN", "file:secrets/okta", "file:/etc/okta", "keyring:okta/gatebook"],
)
def test_a_reference_is_kept_as_written(reference: str) -> None:
    assert Told(token=reference).token == reference


@pytest.mark.parametrize(
    "literal",
    [
        "00hunter2",
        "env:",
        "file:",
        "ENV:hunter2",
        "keyring:hunter2",
        "keyring:/hunter2",
        "keyring:hunter2/",
        "https://user:hunter2@example.com",
        "file://hunter2",
        "",
    ],
)
def test_a_literal_is_refused_and_not_repeated(literal: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Told(token=literal)
    message = caught.value.errors()[0]["msg"]
    assert message.startswith("credentials belong in the environment, not in this file")
    assert "hunter2" not in message


def test_the_environment_tells_a_secret_without_the_space_around_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OKTA_TOKEN", " hunter2\n")
    assert read_secret(tmp_path, "env:OKTA_TOKEN") == "hunter2"


def test_a_variable_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match=r"^env:NOT_SET: there is no such environm"):
        read_secret(tmp_path, "env:NOT_SET")


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_secret_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    monkeypatch.setenv("OKTA_TOKEN", content)
    with pytest.raises(ExtractError, match=r"^env:OKTA_TOKEN: is empty"):
        read_secret(tmp_path, "env:OKTA_TOKEN")


def secret_file(folder: Path, mode: int, content: bytes = b"hunter2\n") -> str:
    path = folder / "token"
    path.write_bytes(content)
    path.chmod(mode)
    return "file:token"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_its_owner_alone_may_read_tells_a_secret(
    tmp_path: Path, mode: int
) -> None:
    assert read_secret(tmp_path, secret_file(tmp_path, mode)) == "hunter2"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o666])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ExtractError, match=rf"\(mode {mode:04o}\); chmod 600") as told:
        read_secret(tmp_path, secret_file(tmp_path, mode))
    assert "hunter2" not in str(told.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match=r"^file:token: the file cannot be read, No"):
        read_secret(tmp_path, "file:token")


def test_a_file_of_other_than_text_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match="not UTF-8") as told:
        read_secret(tmp_path, secret_file(tmp_path, 0o600, b"hunter2\xff"))
    assert told.value.__cause__ is None


@pytest.mark.parametrize(("length", "is_read"), [(65_536, True), (65_537, False)])
def test_a_file_too_long_for_a_secret_is_refused(
    tmp_path: Path, length: int, is_read: bool
) -> None:
    reference = secret_file(tmp_path, 0o600, b"x" * length)
    if is_read:
        assert len(read_secret(tmp_path, reference)) == length
    else:
        with pytest.raises(ExtractError, match="too long for a secret"):
            read_secret(tmp_path, reference)


def test_a_keyring_that_is_not_installed_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ExtractError, match="no keyring is installed"):
        read_secret(tmp_path, "keyring:okta/gatebook")


def test_a_keyring_tells_a_secret_by_service_and_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Stands in for the package of that name, which not every machine has.
    entries = {("example.com/okta", "gatebook"): "hunter2"}
    keyring = SimpleNamespace(
        get_password=lambda service, name: entries.get((service, name))
    )
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    told = read_secret(tmp_path, "keyring:example.com/okta/gatebook")
    assert told == "hunter2"
    with pytest.raises(ExtractError, match="has no such entry"):
        read_secret(tmp_path, "keyring:example.com/okta/other")
