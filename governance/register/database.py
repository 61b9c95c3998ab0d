"""Opens the register: SQLite in the data folder, or PostgreSQL by URL.

Writers take turns: one transaction at a time holds the pen, so that the audit trail is
one chain and two people deciding at once are put in order.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from governance.model import GovernanceError
from governance.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
_WAIT_SECONDS = 30
_WRITES = {"gatebook_writes": True}
_PEN = 0x6761_7465_626B
"""Advisory lock of PostgreSQL that one writer holds at a time."""


class RegisterError(GovernanceError):
    """The register cannot be opened or written."""


@dataclass(frozen=True)
class Register:
    """An open register. Threads share it; a transaction belongs to one thread."""

    engine: Engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run one transaction that writes: all of it is recorded, or nothing.

        Raises:
            RegisterError: another writer held the register for too long, or a row
                that is already recorded would be changed.
        """
        with self.engine.connect().execution_options(**_WRITES) as connection:
            try:
                with connection.begin():
                    if connection.dialect.name == "postgresql":
                        pen = {"pen": _PEN}
                        connection.execute(
                            text("select pg_advisory_xact_lock(:pen)"), pen
                        )
                    yield connection
            except DBAPIError as error:
                raise RegisterError(_sentence(error)) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run queries on one unchanging view of the register."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _sentence(error: DBAPIError) -> str:
    told = str(error.orig).strip().splitlines()[0]
    if "append-only" in told:
        return f"the register only grows: {told}"
    if "locked" in told:
        return (
            f"the register was busy for more than {_WAIT_SECONDS} seconds ({told}); "
            "nothing was recorded, try again"
        )
    return f"the register refused to record this ({told}); nothing was recorded"


_kept: OrderedDict[str, Register] = OrderedDict()
_kept_lock = threading.Lock()
_KEPT_AT_MOST = 8


def open_register(settings: Settings) -> Register:
    """Return the installation's register, made or brought up to date if need be.

    It stays open and is shared by every session of the process.

    Raises:
        RegisterError: it cannot be reached, or a newer Gatebook wrote it.
    """
    url = settings.register_url
    with _kept_lock:
        if url not in _kept:
            _kept[url] = _opened(url)
        _kept.move_to_end(url)
        while len(_kept) > _KEPT_AT_MOST:
            _kept.popitem(last=False)[1].close()
        return _kept[url]


def _opened(url: str) -> Register:
    location = make_url(url)
    if location.get_backend_name() == "sqlite":
        if not location.database or location.database == ":memory:":
            raise RegisterError("the register must be a file or a PostgreSQL database")
        path = Path(location.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
        engine = create_engine(location, connect_args={"timeout": _WAIT_SECONDS})
        _configure_sqlite(engine)
    elif location.get_backend_name() == "postgresql":
        location = location.set(drivername="postgresql+psycopg")
        engine = create_engine(location, pool_pre_ping=True)
    else:
        raise RegisterError(
            f"the register cannot be kept in {location.get_backend_name()}; name a "
            "SQLite file or a PostgreSQL database"
        )
    register = Register(engine)
    try:
        _bring_up_to_date(register)
    except DBAPIError as error:
        register.close()
        where = location.render_as_string(hide_password=True)
        raise RegisterError(f"{where}: {error.orig}") from error
    except BaseException:
        register.close()
        raise
    return register


def _configure_sqlite(engine: Engine) -> None:
    """Make SQLite durable, and let our events alone begin transactions."""

    @event.listens_for(engine, "connect")
    def _connect(connection: DBAPIConnection, _: object) -> None:
        # The driver must not begin by itself: a read that turns into a write later
        # fails with "database is locked" instead of waiting its turn.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"pragma busy_timeout = {_WAIT_SECONDS * 1000}")
        cursor.execute("pragma journal_mode = wal")
        cursor.execute("pragma synchronous = full")
        cursor.execute("pragma foreign_keys = on")
        # Without it, `insert or replace` slips past the triggers that refuse deletes.
        cursor.execute("pragma recursive_triggers = on")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("gatebook_writes", False)
        connection.exec_driver_sql("begin immediate" if writes else "begin")


def _bring_up_to_date(register: Register) -> None:
    """Run the migrations that the register has not seen, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with register.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current == scripts.get_current_head():
        return
    if current is not None and current not in {
        script.revision for script in scripts.walk_revisions()
    }:
        raise RegisterError(
            f"the register was written by a newer Gatebook (revision {current}); "
            "install that version or restore an older backup"
        )
    with register.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
