"""Put a demo company's CRM dumps into a running MariaDB."""

import csv
from pathlib import Path

from tests.connectors.wukong_company import create_tables
from tests.mariadb import MariaDB

_NOT_IN_THE_TABLES = {"type", "owner_user_id"}


def fill_from_dumps(server: MariaDB, database: str, dumps: Path) -> None:
    """Create the tables and insert every row of every dump."""
    create_tables(server, database)
    for dump in sorted(dumps.glob("*.csv")):
        with dump.open(encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines)
        kept = [at for at, name in enumerate(header) if name not in _NOT_IN_THE_TABLES]
        server.insert(
            database,
            dump.stem,
            [header[at] for at in kept],
            [[row[at] or None for at in kept] for row in rows],
        )
