"""A real server on a free port of this machine, cold at the start of every module."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from governance.settings import CONFIG_VARIABLE, ROOT


@dataclass(frozen=True)
class Served:
    """The product as it answers on one address."""

    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx2.Client:
        """Return a browser without a script: it keeps cookies, follows no redirect."""
        return httpx2.Client(base_url=self.address, trust_env=False, timeout=60)

    @contextmanager
    def signed_in(self, persona: str) -> Iterator[httpx2.Client]:
        """Give a client that has chosen a persona of the demo."""
        with self.client() as client:
            page = client.get("/sign-in").text
            answer = client.post(
                "/sign-in",
                data={"persona": persona, "form_token": form_token(page)},
                headers={"Origin": self.address},
            )
            assert answer.status_code == 303, answer.text
            yield client


def form_token(page: str) -> str:
    """Return the token in a form of the gate."""
    return page.split('name="form_token" value="')[1].split('"')[0]


@contextmanager
def served(config: Path) -> Iterator[Served]:
    """Start the product over one configuration and stop it after."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    log = config.parent / "server.log"
    with log.open("wb") as told:
        server = subprocess.Popen(
            [*command, "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | {CONFIG_VARIABLE: str(config)},
            stdout=told,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, server, log)
        yield Served(port)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the port is open; nothing is asked, so the process stays cold."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text('utf-8')}")


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a demo without any snapshot, served by a process nobody has asked yet."""
    folder = tmp_path_factory.mktemp("cold")
    config = folder / "gatebook.toml"
    config.write_text('organisation = "Example Trading"\ndemo = true\n', "utf-8")
    with served(config) as started:
        yield started
