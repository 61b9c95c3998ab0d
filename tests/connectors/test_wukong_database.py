"""The same tables over MySQL: a real server, started here, that may only be read."""

import itertools
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors import wukong_crm, wukong_hrm, wukong_logs
from connectors.conform import extract
from connectors.wukong_tables import WukongTable, read_database
from data.demo.company import write_company
from governance.schema import ACCOUNTS, LOGIN_EVENTS, ExtractError
from governance.settings import Settings
from tests.connectors.test_wukong_logs import LOGIN_HEADER, login, write
from tests.connectors.wukong_company import (
    WukongCompany,
    extracted,
    said,
    small_crm,
)
from tests.connectors.wukong_dumps import fill_from_dumps
from tests.mariadb import MariaDB, mariadb

READER = "gatebook"
SECRET = "only-for-this-run"
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """Return a running MariaDB that ends with this module."""
    with mariadb(tmp_path_factory.mktemp("mariadb")) as running:
        running.run(f"create user '{READER}'@'127.0.0.1' identified by '{SECRET}'")
        yield running


@pytest.fixture
def database(server: MariaDB, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the name of a database nobody else uses; CRM_URL names it."""
    name = f"crm_{next(_NUMBERS)}"
    monkeypatch.setenv("CRM_URL", server.url(name))
    yield name
    server.run(f"drop database if exists `{name}`")


def as_reader(
    server: MariaDB, database: str, monkeypatch: pytest.MonkeyPatch, *rights: str
) -> None:
    """Let CRM_URL name a user who has these rights and no others."""
    server.run(
        f"revoke all privileges, grant option from '{READER}'@'127.0.0.1'",
        *(f"grant {right} to '{READER}'@'127.0.0.1'" for right in rights),
    )
    monkeypatch.setenv("CRM_URL", server.url(database, READER, SECRET))


def full_crm(folder: Path, prefix: str = "wk_") -> WukongCompany:
    """Return a CRM with every kind of row, and text that is hard to carry over."""
    crm = small_crm(folder, prefix)
    crm.dept("14900", "销售一部", pid="14852")
    crm.menu("3", "0", "manage", "全部", menu_type="1")
    crm.menu("160", "3", "users", "员工与部门管理", menu_type=None)
    crm.menu("162", "160", "userSave", "员工新建")
    crm.role("9", '人事 "外包", 二组', "3", "160", "162", remark="a\\b\nc", status="0")
    crm.user("15002", "赵𠮷", email="zhao@example.cn", dept_id="14900", status="2")
    crm.user("15003", "孙丽", last_login_time=None, dept_id=None, num=None)
    crm.user("15004", "Zoë O'Neill", status="0", email="")
    crm.user("9007199254740993", "钱伟", create_time=None)
    crm.give("15002", "9")
    crm.give("15002", "9")
    crm.give("15003", "77")
    return crm


@pytest.mark.parametrize(("prefix", "version"), [("wk_", "11"), ("72crm_", "9")])
def test_database_and_dumps_say_the_same(
    server: MariaDB, database: str, tmp_path: Path, prefix: str, version: str
) -> None:
    crm = full_crm(tmp_path, prefix)
    if prefix == "wk_":
        crm.user("15009", "周丽", is_del="1")
    crm.user({"11": "14773", "9": "3"}[version], "admin")
    crm.fill(server, database)
    live = extracted(
        wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL", version=version
    )
    dumped = extracted(
        wukong_crm.CONNECTOR, tmp_path, folder=crm.write(), version=version
    )
    assert said(live) == said(dumped)
    assert live.facts == dumped.facts
    assert live.notes == dumped.notes
    assert live.rejected.drop("file", "row").equals(dumped.rejected.drop("file", "row"))


def test_the_database_states_its_totals_and_they_are_met(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    full_crm(tmp_path).fill(server, database)
    found = extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")
    assert found.completeness == "full"
    assert found.method == "database"
    assert [
        (tie_out.file.removeprefix(f"{database}."), tie_out.stated, tie_out.read)
        for tie_out in found.tie_outs
    ] == [
        ("wk_admin_user", 5, 5),
        ("wk_admin_role", 2, 2),
        ("wk_admin_menu", 8, 8),
        ("wk_admin_role_menu", 5, 5),
        ("wk_admin_user_role", 4, 4),
        ("wk_admin_dept", 2, 2),
    ]
    assert all(tie_out.is_balanced for tie_out in found.tie_outs)
    assert found.parameters["database"] == "env:CRM_URL"


def test_the_demo_company_says_the_same_from_its_database(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    company = write_company(tmp_path / "demo", people=200, seed=3, months=1)
    dumps = company.config.parent / "2026-10" / "crm"
    fill_from_dumps(server, database, dumps)
    settings = Settings.read(company.config)
    told = settings.sources["crm"]
    connector = wukong_crm.CONNECTOR
    dumped = extract(connector, connector.context("crm", settings, told))
    live = extracted(connector, tmp_path, database="env:CRM_URL")
    assert said(live) == said(dumped)
    assert live.notes == dumped.notes
    assert live.frame(ACCOUNTS).height > 100


def test_people_come_from_the_database_as_from_the_dumps(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    hrm = WukongCompany(tmp_path)
    hrm.hrm_dept("7", "销售部", main_employee_id="1")
    hrm.employee("1", "周丽", job_number="007")
    hrm.employee("2", "吴强", entry_status="4", parent_id="1", status=None)
    hrm.employee("3", "郑爽", is_del="1")
    hrm.quit("91", "2", plan_quit_time="2026-05-31 00:00:00")
    hrm.fill(server, database)
    connector = wukong_hrm.CONNECTOR
    live = extracted(connector, tmp_path, "hr", database="env:CRM_URL")
    dumped = extracted(connector, tmp_path, "hr", folder=hrm.write())
    assert said(live) == said(dumped)
    assert live.completeness == "full"


def test_names_in_the_logs_may_come_from_the_database(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    small_crm(tmp_path).fill(server, database)
    found = extracted(
        wukong_logs.CONNECTOR,
        tmp_path,
        "crm_logs",
        login_log=write(tmp_path / "log.xlsx", LOGIN_HEADER, [login("赵敏")]),
        database="env:CRM_URL",
    )
    assert found.frame(LOGIN_EVENTS)["account_id"].to_list() == ["crm:15001"]


def test_a_user_who_may_only_select_suffices(
    server: MariaDB, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_crm(tmp_path).fill(server, database)
    as_reader(server, database, monkeypatch, f"select on `{database}`.*")
    found = extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")
    assert found.frame(ACCOUNTS).height == 1


def test_no_credential_column_is_ever_asked_for(
    server: MariaDB, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user may not select password and salt, and nothing else is missing."""
    small_crm(tmp_path).fill(server, database)
    users = wukong_crm.user_table(wukong_crm.VERSIONS["11"])
    allowed = ", ".join((*users.columns, *users.optional))
    others = ("role", "user_role", "menu", "role_menu", "dept")
    as_reader(
        server,
        database,
        monkeypatch,
        f"select ({allowed}) on `{database}`.wk_admin_user",
        *(f"select on `{database}`.wk_admin_{table}" for table in others),
    )
    found = extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")
    assert found.frame(ACCOUNTS)["account_id"].to_list() == ["crm:15001"]


def test_the_session_is_read_only_and_never_names_a_credential(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    """The server's own log shows every statement that was sent."""
    small_crm(tmp_path).fill(server, database)
    server.run("set global log_output = 'TABLE'", "set global general_log = 1")
    extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")
    server.run("set global general_log = 0")
    with closing(server.connect("mysql")) as connection, connection.cursor() as cursor:
        cursor.execute("select argument from general_log where command_type = 'Query'")
        sent = [str(row[0]).lower() for row in cursor.fetchall()]
    server.run("truncate table mysql.general_log")
    assert "set session transaction read only" in sent
    assert "start transaction with consistent snapshot" in sent
    assert not [query for query in sent if "password" in query or "salt" in query]


def test_one_moment_is_read_whatever_is_written_meanwhile(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    crm = small_crm(tmp_path)
    crm.fill(server, database)
    lock = server.connect(database)
    lock.cursor().execute("lock tables wk_admin_user_role write, wk_admin_user write")
    found = []

    def run() -> None:
        found.append(extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL"))

    reading = threading.Thread(target=run)
    reading.start()
    _wait_until_blocked(server)
    # The snapshot was taken before this row was there.
    lock.cursor().execute(
        "insert into wk_admin_user_role (user_id, role_id) values (15001, 1)"
    )
    lock.close()
    reading.join(timeout=30)
    assert [found[0].frames["grants"].height, found[0].tie_outs[4].stated] == [1, 1]


def _wait_until_blocked(server: MariaDB) -> None:
    """Return once a session waits for a table that is locked."""
    end = time.monotonic() + 30
    waiting = 0
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        while not waiting:
            assert time.monotonic() < end
            cursor.execute(
                "select count(*) from information_schema.processlist "
                "where state like 'Waiting for table%'"
            )
            row = cursor.fetchone()
            waiting = row[0] if row else 0
            time.sleep(0.02)


def test_a_server_killed_half_way_gives_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first tables are read, the fourth is locked, then the server is no more."""
    with mariadb(tmp_path) as server:
        small_crm(tmp_path).fill(server, "crm")
        monkeypatch.setenv("CRM_URL", server.url("crm", "root"))
        lock = server.connect("crm")
        lock.cursor().execute("lock tables wk_admin_menu write")
        failed: list[ExtractError] = []

        def run() -> None:
            with pytest.raises(ExtractError) as error:
                extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")
            failed.append(error.value)

        reading = threading.Thread(target=run)
        reading.start()
        _wait_until_blocked(server)
        server.process.send_signal(signal.SIGKILL)
        reading.join(timeout=30)
        lock._force_close()  # type: ignore[attr-defined]
    sentence = str(failed[0])
    assert sentence.startswith("source crm: database crm on 127.0.0.1 (env:CRM_URL): ")
    assert "table wk_admin_menu cannot be read, the connection broke" in sentence
    assert "nothing was taken in" in sentence
    assert "\n" not in sentence


def test_a_server_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_URL", "mysql+pymysql://u:hunter2@127.0.0.1:1/crm")
    with pytest.raises(
        ExtractError, match=r"source crm: .*it does not answer"
    ) as error:
        extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")
    assert "hunter2" not in str(error.value)


def test_a_wrong_password_is_said_without_repeating_it(
    server: MariaDB, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_crm(tmp_path).fill(server, database)
    monkeypatch.setenv("CRM_URL", server.url(database, READER, "hunter2"))
    with pytest.raises(ExtractError, match="it refuses the user") as error:
        extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None or "hunter2" not in str(error.value.__cause__)


def test_a_database_that_is_not_there_is_named(
    server: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_URL", server.url("nowhere"))
    with pytest.raises(ExtractError, match=r"database nowhere .*there is no such data"):
        extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")


def test_the_wrong_version_is_told_by_its_missing_table(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    small_crm(tmp_path).fill(server, database)
    with pytest.raises(ExtractError, match=r"72crm_admin_user: there is no such table"):
        extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL", version="9")


def test_a_column_that_may_not_be_read_is_named(
    server: MariaDB, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_crm(tmp_path).fill(server, database)
    right = f"select (user_id, username) on `{database}`.wk_admin_user"
    as_reader(server, database, monkeypatch, right)
    with pytest.raises(ExtractError, match=r"no such column realname, or the user may"):
        extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")


def test_the_url_may_lie_in_a_file_of_its_own(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    small_crm(tmp_path).fill(server, database)
    (tmp_path / "crm.url").write_text(f"{server.url(database)}\n", "utf-8")
    (tmp_path / "crm.url").chmod(0o600)
    found = extracted(wukong_crm.CONNECTOR, tmp_path, database="file:crm.url")
    assert found.frame(ACCOUNTS).height == 1


@pytest.mark.parametrize(
    "held", ["x", "postgresql://u:hunter2@h/d", "mysql+pymysql://u:hunter2@/", "::"]
)
def test_a_reference_that_holds_no_url_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setenv("CRM_URL", held)
    with pytest.raises(ExtractError, match=r"env:CRM_URL: holds no URL") as error:
        extracted(wukong_crm.CONNECTOR, tmp_path, database="env:CRM_URL")
    assert "hunter2" not in str(error.value)


def test_a_reference_to_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExtractError, match=r"file:gone\.url: the file cannot be read"):
        extracted(wukong_crm.CONNECTOR, tmp_path, database="file:gone.url")


def test_rows_come_in_the_order_of_the_key_as_a_number(
    server: MariaDB, database: str, tmp_path: Path
) -> None:
    crm = small_crm(tmp_path)
    crm.user("9", "钱伟")
    crm.user("10", "孙丽")
    crm.fill(server, database)
    table = WukongTable(name="wk_admin_user", key="user_id", columns=("user_id",))
    export = read_database(tmp_path, "env:CRM_URL", (table,))
    rows = export.tables["wk_admin_user"].rows
    assert rows["user_id"].to_list() == ["9", "10", "15001"]
