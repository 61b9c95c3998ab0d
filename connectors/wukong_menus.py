"""What a menu of WuKong CRM lets its holder do.

A menu's permission key is its realms joined up the parents, as in
``crm:customer:excelexport``. The key is not unique (``manage:users:read`` stands
twice), so menus are told apart by id.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from governance.schema import ABILITIES

ALL_ABILITIES = ",".join(sorted(ABILITIES))
_AMOUNTS = (["contract"], ["receivables"])
"""Modules whose records carry an amount that was agreed or paid."""
_EVERYTHING = "全部"
"""What every root is called: says nothing in a name."""
_VIEWS = ("read", "index")
_SECURITY = ("users", "permission", "init", "adminlog")
"""Parts of manage that decide who may do what, or hold the traces of it."""
_PRIVILEGED = (
    "manage:users:usersave",
    "manage:users:userenables",
    "manage:users:userupdate",
    "manage:permission:update",
    "manage:init:initdata",
    "manage:configset:update",
    "manage:adminlog:",
    "manage:crm:pool",
)


@dataclass(frozen=True, kw_only=True)
class Menu:
    """One row of ``wk_admin_menu`` with its place in the tree."""

    path: str
    """Realms from the root down, joined by a colon."""
    title: str
    """Names from the root down, joined by a slash."""
    is_directory: bool
    """Whether other menus lie under it. A directory alone lets nobody do anything."""

    @property
    def abilities(self) -> frozenset[str]:
        """Return what its holder can do, of ``ABILITIES``; reading is none of them."""
        return frozenset() if self.is_directory else abilities_of(self.path)

    @property
    def is_privileged(self) -> bool:
        """Return whether it hands out rights, wipes data or switches modules off."""
        path = self.path.lower()
        return not self.is_directory and path.startswith(_PRIVILEGED)


def abilities_of(path: str) -> frozenset[str]:
    """Return the abilities of a permission key, judged by its last realm."""
    root, *modules, action = path.lower().split(":") if ":" in path else (path, "")
    if root == "manage":
        return _administration(modules[0] if modules else "", action)
    found = {
        "export": "export" in action,
        "import": "import" in action,
        "transfer": action == "transfer",
        "delete": action.startswith("delete"),
        "create": action.startswith(("save", "add")),
        "amend_amount": root == "crm"
        and action in ("update", "updateamount")
        and modules[-1:] in _AMOUNTS,
        "approve": action.startswith(("check", "approve", "examine")),
    }
    return frozenset(ability for ability, is_found in found.items() if is_found)


def _administration(module: str, action: str) -> frozenset[str]:
    """Settings: ``examine`` here means to change approval flows, not to approve."""
    if not action or action in _VIEWS:
        return frozenset()
    if module == "adminlog":
        return frozenset({"security"})
    security = {"security"} if module in _SECURITY else set()
    return frozenset({"administer"} | security)


def read_menus(rows: pl.DataFrame) -> Mapping[str, Menu]:
    """Return the menus by id. A parent that is missing, or a loop, ends the path."""
    by_id = {row["menu_id"]: row for row in rows.iter_rows(named=True)}
    parents = {row["parent_id"] for row in by_id.values()}
    menus = {}
    for menu_id in by_id:
        line: list[str] = []
        above: str | None = menu_id
        while above is not None and above in by_id and above not in line:
            line.append(above)
            above = by_id[above]["parent_id"]
        line.reverse()
        realms = [by_id[each]["realm"] or "" for each in line]
        names = [by_id[each]["menu_name"] or "" for each in line]
        menus[menu_id] = Menu(
            path=":".join(realms),
            title="/".join(name for name in names if name != _EVERYTHING),
            is_directory=menu_id in parents,
        )
    return menus
