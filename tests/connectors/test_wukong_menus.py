"""What a permission key lets its holder do."""

import polars as pl
import pytest

from connectors.wukong_menus import abilities_of, read_menus
from governance.schema import ABILITIES


@pytest.mark.parametrize(
    ("path", "abilities"),
    [
        ("crm:customer:excelexport", {"export"}),
        ("crm:pool:excelExport", {"export"}),
        ("crm:leads:excelimport", {"import"}),
        ("crm:business:transfer", {"transfer"}),
        ("crm:leads:transform", set()),
        ("crm:contract:delete", {"delete"}),
        ("crm:customer:save", {"create"}),
        ("hrm:recruit:savePost", {"create"}),
        ("crm:contract:update", {"amend_amount"}),
        ("crm:contract:updateAmount", {"amend_amount"}),
        ("crm:receivables:update", {"amend_amount"}),
        ("crm:receivablesPlan:update", set()),
        ("crm:customer:update", set()),
        ("jxc:contract:update", set()),
        ("crm:contract:check", {"approve"}),
        ("manage:examineFlow:update", {"administer"}),
        ("manage:oa:examine", {"administer"}),
        ("manage:users:read", set()),
        ("manage:users:userEnables", {"administer", "security"}),
        ("manage:users:deptDelete", {"administer", "security"}),
        ("manage:permission:update", {"administer", "security"}),
        ("manage:adminLog:loginLog", {"security"}),
        ("manage:crm:field", {"administer"}),
        ("crm:customer:read", set()),
        ("crm:customer", set()),
        ("crm", set()),
        ("", set()),
    ],
)
def test_the_last_realm_says_what_a_menu_does(path: str, abilities: set[str]) -> None:
    assert abilities_of(path) == abilities
    assert abilities <= set(ABILITIES)


def _menus(*rows: tuple[str, str | None, str | None]) -> pl.DataFrame:
    named = [(*row, f"菜单{row[0]}") for row in rows]
    columns = ["menu_id", "parent_id", "realm", "menu_name"]
    return pl.DataFrame(named, schema=dict.fromkeys(columns, pl.String), orient="row")


def test_a_directory_lets_nobody_do_anything() -> None:
    menus = read_menus(
        _menus(("3", "0", "manage"), ("160", "3", "users"), ("162", "160", "userSave"))
    )
    assert menus["162"].path == "manage:users:userSave"
    assert menus["162"].is_privileged
    assert menus["160"].is_directory
    assert not menus["160"].abilities
    assert not menus["160"].is_privileged


def test_two_menus_of_one_key_stay_two() -> None:
    menus = read_menus(
        _menus(("3", "0", "manage"), ("7", "3", "read"), ("8", "3", "read"))
    )
    assert menus["7"].path == menus["8"].path == "manage:read"


def test_a_loop_or_a_missing_parent_ends_the_path() -> None:
    menus = read_menus(_menus(("1", "2", "a"), ("2", "1", "b"), ("5", "99", "lost")))
    assert menus["1"].path == "b:a"
    assert menus["5"].path == "lost"


def test_a_menu_without_a_realm_does_nothing() -> None:
    menus = read_menus(_menus(("1", None, None), ("2", "1", None)))
    assert menus["2"].abilities == frozenset()
