"""An invented WuKong system: tables of text, written as dumps or put into a database.

A test names only the columns that matter to it; the rest is a plain row.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connectors.conform import extract
from connectors.connector import Connector
from governance.schema import ORIGIN, Extract
from governance.settings import SourceSettings
from tests.company import settings
from tests.mariadb import MariaDB

Row = dict[str, str | None]
SCHEMA = Path(__file__).with_name("wukong_schema.sql")

_USER: Row = {
    "user_id": None,
    "username": None,
    "realname": None,
    "num": "204857261938475",
    "mobile": None,
    "email": None,
    "dept_id": "14852",
    "post": "销售",
    "status": "1",
    "parent_id": "0",
    "create_time": "2025-03-01 09:00:00",
    "last_login_time": "2026-07-30 08:15:00",
    "is_del": "0",
}
_ROLE: Row = {
    "role_id": None,
    "role_name": None,
    "role_type": "2",
    "remark": None,
    "status": "1",
    "data_type": "1",
}
_MENU: Row = {
    "menu_id": None,
    "parent_id": "0",
    "menu_name": None,
    "realm": None,
    "menu_type": "3",
    "status": "1",
}
_DEPT: Row = {"dept_id": None, "pid": "0", "name": None}
_EMPLOYEE: Row = {
    "employee_id": None,
    "employee_name": None,
    "job_number": None,
    "mobile": None,
    "email": None,
    "dept_id": "7",
    "parent_id": None,
    "post": "销售",
    "post_level": None,
    "entry_time": "2024-02-01 00:00:00",
    "employment_forms": "1",
    "status": "1",
    "entry_status": "1",
    "is_del": "0",
}
_QUIT: Row = {
    "quit_info_id": None,
    "employee_id": None,
    "plan_quit_time": None,
    "create_time": "2026-06-01 10:00:00",
}
_HRM_DEPT: Row = {
    "dept_id": None,
    "parent_id": "0",
    "name": None,
    "main_employee_id": None,
    "leader_employee_id": None,
}


@dataclass
class WukongCompany:
    """The tables of one CRM and one HRM."""

    folder: Path
    prefix: str = "wk_"
    tables: dict[str, list[Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in self._plain:
            self.tables.setdefault(table, [])

    @property
    def _plain(self) -> dict[str, Row]:
        admin = f"{self.prefix}admin"
        user = dict(_USER)
        if self.prefix == "72crm_":
            del user["is_del"]
        return {
            f"{admin}_user": user,
            f"{admin}_role": _ROLE,
            f"{admin}_user_role": {"id": None, "user_id": None, "role_id": None},
            f"{admin}_menu": _MENU,
            f"{admin}_role_menu": {"id": None, "role_id": None, "menu_id": None},
            f"{admin}_dept": _DEPT,
            "wk_hrm_employee": _EMPLOYEE,
            "wk_hrm_employee_quit_info": _QUIT,
            "wk_hrm_dept": _HRM_DEPT,
        }

    def _add(self, table: str, told: Mapping[str, str | None]) -> None:
        rows = self.tables[table]
        row = {**self._plain[table], **told}
        if "id" in row and row["id"] is None:
            row["id"] = str(len(rows) + 1)
        rows.append(row)

    def user(self, user_id: str, realname: str, **told: str | None) -> None:
        """Add a user of the CRM; the login is the mobile number."""
        mobile = told.get("mobile") or f"1390000{user_id.zfill(4)[-4:]}"
        self._add(
            f"{self.prefix}admin_user",
            {"user_id": user_id, "realname": realname, "mobile": mobile}
            | {"username": mobile}
            | told,
        )

    def role(self, role_id: str, name: str, *menus: str, **told: str | None) -> None:
        """Add a role that holds menus."""
        self._add(
            f"{self.prefix}admin_role", {"role_id": role_id, "role_name": name} | told
        )
        for menu_id in menus:
            self._add(
                f"{self.prefix}admin_role_menu",
                {"role_id": role_id, "menu_id": menu_id},
            )

    def menu(
        self, menu_id: str, parent_id: str, realm: str, name: str, **told: str | None
    ) -> None:
        """Add a menu."""
        row = {"menu_id": menu_id, "parent_id": parent_id}
        self._add(
            f"{self.prefix}admin_menu",
            row | {"realm": realm, "menu_name": name} | told,
        )

    def give(self, user_id: str, role_id: str) -> None:
        """Give a user a role."""
        self._add(
            f"{self.prefix}admin_user_role", {"user_id": user_id, "role_id": role_id}
        )

    def dept(self, dept_id: str, name: str, **told: str | None) -> None:
        """Add a department of the CRM."""
        self._add(f"{self.prefix}admin_dept", {"dept_id": dept_id, "name": name} | told)

    def employee(self, employee_id: str, name: str, **told: str | None) -> None:
        """Add an employee."""
        self._add(
            "wk_hrm_employee",
            {"employee_id": employee_id, "employee_name": name, **told},
        )

    def quit(self, quit_info_id: str, employee_id: str, **told: str | None) -> None:
        """Add a quit row."""
        self._add(
            "wk_hrm_employee_quit_info",
            {"quit_info_id": quit_info_id, "employee_id": employee_id, **told},
        )

    def hrm_dept(self, dept_id: str, name: str, **told: str | None) -> None:
        """Add a department of the HRM."""
        self._add("wk_hrm_dept", {"dept_id": dept_id, "name": name} | told)

    def write(self, name: str = "dumps", encoding: str = "utf-8") -> str:
        """Write every table as a dump; return the folder as gatebook.toml names it."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for table, rows in self.tables.items():
            with (folder / f"{table}.csv").open(
                "w", encoding=encoding, newline=""
            ) as out:
                writer = csv.DictWriter(out, list(self._plain[table]))
                writer.writeheader()
                writer.writerows(rows)
        return name

    def fill(self, server: MariaDB, database: str) -> None:
        """Put every table into a database of its own, credentials and all."""
        create_tables(server, database, self.prefix)
        for table, rows in self.tables.items():
            if rows:
                columns = list(self._plain[table])
                values = [[row[column] for column in columns] for row in rows]
                server.insert(database, table, columns, values)
        server.run(
            f"update `{self.prefix}admin_user` "  # noqa: S608
            "set password = md5(concat(salt, 'invented')), salt = 'c0ffee'",
            database=database,
        )


def create_tables(server: MariaDB, database: str, prefix: str = "wk_") -> None:
    """Create a database with WuKong's tables, empty."""
    server.run(f"create database `{database}` character set utf8mb4")
    script = SCHEMA.read_text("utf-8").replace("{prefix}", prefix)
    server.run(*filter(str.strip, script.split(";")), database=database)
    if prefix == "wk_":
        server.run(
            "alter table wk_admin_user add is_del int not null default 0",
            database=database,
        )


def small_crm(folder: Path, prefix: str = "wk_") -> WukongCompany:
    """Return a CRM with one department, a sales role and its menus, and one seller."""
    crm = WukongCompany(folder, prefix)
    crm.dept("14852", "全公司")
    crm.menu("1", "0", "crm", "全部", menu_type="1")
    crm.menu("11", "1", "customer", "客户管理", menu_type="1")
    crm.menu("17", "11", "save", "新建")
    crm.menu("20", "11", "read", "查看详情")
    crm.menu("22", "11", "excelexport", "导出")
    crm.role("180170", "销售员", "17", "20")
    crm.user("15001", "赵敏")
    crm.give("15001", "180170")
    return crm


def extracted(
    connector: Connector, where: Path, source: str = "crm", /, **told: Any
) -> Extract:
    """Fetch, normalise and conform one source with the parameters of gatebook.toml."""
    section = SourceSettings(connector=connector.name, **told)
    installation = settings(where, sources={source: section})
    return extract(connector, connector.context(source, installation, section))


def said(taken: Extract) -> dict[str, list[tuple[object, ...]]]:
    """Return what an extract says, without the files and rows it came from."""
    return {
        name: sorted(frame.drop(*ORIGIN).rows(), key=repr)
        for name, frame in taken.frames.items()
    }
