"""A real MariaDB on loopback, started and stopped by the test that needs it."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

_PATIENCE = 30.0
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


@dataclass(frozen=True, kw_only=True)
class MariaDB:
    """A running server. ``root`` needs no password: it lives for one test run."""

    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str, user: str = "root", password: str = "") -> str:
        """Return the URL a connector is given."""
        secret = f":{password}" if password else ""
        return f"mysql+pymysql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str | None = None) -> "pymysql.Connection[Any]":
        """Return a connection that commits each statement."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            database=database,
            charset="utf8mb4",
            autocommit=True,
        )

    def run(self, *statements: str, database: str | None = None) -> None:
        """Run statements one after the other."""
        connected = closing(self.connect(database))
        with connected as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def insert(
        self,
        database: str,
        table: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str | None]],
    ) -> None:
        """Insert rows in one transaction; None is null."""
        names = ", ".join(f"`{column}`" for column in columns)
        places = ", ".join(["%s"] * len(columns))
        with closing(self.connect(database)) as connection:
            connection.begin()
            with connection.cursor() as cursor:
                cursor.executemany(
                    f"insert into `{table}` ({names}) values ({places})",  # noqa: S608
                    [list(row) for row in rows],
                )
            connection.commit()


@contextmanager
def mariadb(folder: Path) -> Iterator[MariaDB]:
    """Start a server whose files are in the folder, and stop it at the end."""
    install = shutil.which("mariadb-install-db", path=_PATH)
    server = shutil.which("mariadbd", path=_PATH)
    assert install and server, "install mariadb-server: apt-get install mariadb-server"
    data = folder / "mariadb"
    user = "--user=root" if os.geteuid() == 0 else f"--user={os.environ['USER']}"
    subprocess.run(
        [
            install,
            "--no-defaults",
            f"--datadir={data}",
            user,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with (folder / "mariadb.log").open("wb") as log:
        process = subprocess.Popen(
            [
                server,
                "--no-defaults",
                f"--datadir={data}",
                user,
                "--bind-address=127.0.0.1",
                f"--port={port}",
                f"--socket={folder / 'm.sock'}",
                f"--pid-file={folder / 'm.pid'}",
                # As in mainland China, far from the tests' own zone and from UTC.
                "--default-time-zone=+08:00",
                "--character-set-server=utf8mb4",
                "--innodb-flush-log-at-trx-commit=0",
            ],
            stdout=log,
            stderr=log,
        )
    running = MariaDB(port=port, process=process)
    try:
        _wait(running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: MariaDB) -> None:
    """Return once the server answers."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            server.connect().close()
        except pymysql.OperationalError:
            assert server.process.poll() is None, "mariadbd ended by itself"
            assert time.monotonic() < end, "mariadbd did not answer in time"
            time.sleep(0.05)
        else:
            return
