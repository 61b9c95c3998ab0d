"""Pull of a directory of 20,000 persons, beside a bare ldap3 loop of the same reads.

``python -m benchmarks.directory_pull --entries 20000 --rounds 3``: starts a slapd on
loopback, then in turn runs, each in a process of its own, a loop that pages through the
same entries and attributes and keeps nothing, and the whole connector: fetch,
normalise, conform. Prints rows a second and peak memory. Exits with 1 if the connector
takes more than 1.5 times the loop's time.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ldap3  # type: ignore[import-untyped]

from connectors.conform import extract
from connectors.ldap import CONNECTOR
from connectors.ldap_attributes import OPENLDAP, WANTED
from governance.settings import ROOT, Settings
from tests.connectors.ldap_company import group_of_names, person, uid_dn
from tests.slapd import BASE, PASSWORD, READER, slapd, tree

GOAL = 1.5
_PAGE = 500
_GROUPS = 200


def directory_of(entries: int) -> str:
    """Return persons, each in the staff and in one of 200 groups, as LDIF."""
    logins = [f"u{at:06d}" for at in range(entries)]
    people = [
        person(
            login,
            f"员工 {login}",
            displayName=f"员工 {login}",
            mail=f"{login}@example.com",
            employeeNumber=str(at),
            departmentNumber=f"部门 {at % 40}",
            title="销售员",
            telephoneNumber=f"+86 138 {at:08d}",
            createTimestamp="20240105010203Z",
        )
        for at, login in enumerate(logins)
    ]
    groups = [group_of_names("staff", [uid_dn(login) for login in logins])]
    for number in range(_GROUPS):
        members = [uid_dn(login) for login in logins[number::_GROUPS]]
        groups.append(group_of_names(f"group {number}", members or [uid_dn("none")]))
    return tree("people", "groups") + "".join(people + groups)


def bare(url: str) -> int:
    """Page through users and groups with ldap3 alone; return how many there were."""
    connection = ldap3.Connection(
        ldap3.Server(url, get_info=ldap3.NONE),
        user=READER,
        password=PASSWORD,
        auto_bind=True,
        read_only=True,
        check_names=False,
        return_empty_attributes=False,
    )
    count = 0
    for wanted in WANTED[OPENLDAP].values():
        for _ in connection.extend.standard.paged_search(
            BASE,
            wanted.filter,
            attributes=list(wanted.attributes),
            paged_size=_PAGE,
            generator=True,
        ):
            count += 1
    connection.unbind()
    return count


def pull(url: str) -> int:
    """Run the connector; return how many accounts and groups it took in."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "gatebook.toml")
        config.write_text(
            f'[sources.dir]\nconnector = "ldap"\nkind = "openldap"\nurl = "{url}"\n'
            f'base = "{BASE}"\nbind_dn = "{READER}"\npassword = "env:LDAP_PASSWORD"\n'
            f"page_size = {_PAGE}\n",
            "utf-8",
        )
        settings = Settings.read(config)
        context = CONNECTOR.context("dir", settings, settings.sources["dir"])
        taken = extract(CONNECTOR, context)
    return taken.frames["accounts"].height + taken.frames["entitlements"].height


READERS = {"bare": bare, "connector": pull}


def measured(reader: str, url: str) -> dict[str, Any]:
    """Run one reader in a process of its own; return rows, seconds and peak memory."""
    command = [sys.executable, "-m", "benchmarks.directory_pull", "--reader", reader]
    done = subprocess.run(
        [*command, "--url", url],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"LDAP_PASSWORD": PASSWORD},
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def read_once(reader: str, url: str) -> None:
    """Print what one reader took, as JSON."""
    begin = time.perf_counter()
    rows = READERS[reader](url)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "peak_mb": peak}))


def main() -> int:
    """Compare, print a table, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reader", choices=sorted(READERS))
    parser.add_argument("--url")
    asked = parser.parse_args()
    if asked.reader:
        read_once(asked.reader, asked.url)
        return 0
    with (
        tempfile.TemporaryDirectory() as folder,
        slapd(Path(folder, "slapd"), directory_of(asked.entries)) as server,
    ):
        rounds = [
            {reader: measured(reader, server.url) for reader in READERS}
            for _ in range(asked.rounds)
        ]
    print("reader     rows     seconds  rows/s   peak MB   (medians)")
    for reader in READERS:
        rows = {one[reader]["rows"] for one in rounds}
        seconds = statistics.median(one[reader]["seconds"] for one in rounds)
        peak = statistics.median(one[reader]["peak_mb"] for one in rounds)
        (count,) = rows
        pace = count / seconds
        print(f"{reader:<10} {count:<8} {seconds:<8.2f} {pace:<8.0f} {peak:.0f}")
    ratio = statistics.median(
        one["connector"]["seconds"] / one["bare"]["seconds"] for one in rounds
    )
    print(f"connector / bare: {ratio:.2f} (goal: at most {GOAL})")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
