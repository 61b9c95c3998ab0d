"""One month of the company as the files of its systems."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from data.demo.months import Month, local_text, utc_text
from data.demo.names import DOMAIN
from data.demo.systems import (
    CRM,
    DIRECTORY_ROLES,
    ENTRA,
    GROUPS,
    MENUS,
    OLD_CRM,
    PROFILES,
    ROLE_MENUS,
    ROLE_SCOPES,
    ROLES,
    SUPER_ROLE,
)
from data.demo.world import Account, Login, Person, Unit, World

_PAGE = 999
_NEVER = "0001-01-01T00:00:00Z"
_KINDS = {
    "employee": "正式",
    "contractor": "外包",
    "intern": "实习",
    "vendor": "供应商",
}
_METHODS = ["microsoftAuthenticatorPush", "softwareOneTimePasscode"]
Row = Sequence[object]


def _list(line: str) -> list[str]:
    """Return the cells of a line."""
    return line.split(",")


_ROSTER = _list(
    "工号,姓名,手机,邮箱,部门编码,岗位,职级,用工类型,状态,直属上级工号,"
    "入职日期,离职日期"
)


_BROKEN_LINE = _list("099999,待定,,,,助理,P3,正式,待入职,,2026/11/31,")


def write_roster(folder: Path, world: World, month: Month) -> int:
    """Write HR's two files; return the number of lines of the roster."""
    rows = [
        [
            person.number,
            person.name,
            person.phone,
            person.email,
            person.unit_in(month)[0].code,
            person.unit_in(month)[1],
            person.level,
            _KINDS[person.kind],
            person.status_in(month),
            _number(person.manager_in(month)),
            f"{person.start:%Y/%m/%d}",
            "" if (end := person.end_in(month)) is None else f"{end:%Y/%m/%d}",
        ]
        for person in sorted(world.people, key=lambda one: one.number)
        if person.in_roster(month)
    ]
    # Somebody typed a day that is none, and pasted one line twice.
    rows += [[*_BROKEN_LINE[:4], world.units[0].code, *_BROKEN_LINE[5:]], rows[-1]]
    _csv(folder / "员工花名册.csv", _ROSTER, rows, encoding="gb18030")
    units = [
        [
            unit.code,
            unit.name,
            "" if unit.parent is None else unit.parent.code,
            _number(unit.in_charge),
        ]
        for unit in world.units
    ]
    header = _list("部门编码,部门名称,上级部门编码,负责人工号")
    _csv(folder / "部门.csv", header, units, encoding="gb18030")
    return len(rows)


def _number(person: Person | None) -> str:
    return "" if person is None else person.number


def write_crm(folder: Path, world: World, month: Month) -> None:
    """Write the dumps of WuKong's tables, without its columns of credentials."""
    accounts = [account for account in world.of(CRM) if account.exists(month)]
    places = {unit: 15_000 + number for number, unit in enumerate(world.units)}
    places[world.units[0]] = 14_852
    heads: dict[Person | None, str] = {
        account.person: account.native_id
        for account in reversed(accounts)
        if account.person is not None
    }
    _csv(
        folder / "wk_admin_user.csv",
        _list(
            "user_id,username,create_time,realname,num,mobile,email,sex,dept_id,post,"
            "status,parent_id,last_login_time,last_login_ip,is_del"
        ),
        (_crm_user(account, month, places, heads) for account in accounts),
    )
    _csv(
        folder / "wk_admin_role.csv",
        _list("role_id,role_name,role_type,remark,status,data_type,is_hidden,label"),
        [
            [
                role.native_id,
                role.name,
                1 if "管理" in role.name else 2,
                "admin" if role.native_id == SUPER_ROLE else "",
                int(role.is_enabled),
                ROLE_SCOPES.get(role.name, 1),
                1,
                "",
            ]
            for role in ROLES.values()
        ],
    )
    held = [
        (account.native_id, grant.entitlement.native_id)
        for account in accounts
        for grant in account.held(month)
    ]
    held += [
        (lost.account_native_id, lost.entitlement_native_id)
        for lost in world.lost_grants
        if lost.source == CRM
    ]
    _csv(
        folder / "wk_admin_user_role.csv",
        ("id", "user_id", "role_id"),
        [[number, *pair] for number, pair in enumerate(held, start=1)],
    )
    pairs = [
        (ROLES[name].native_id, menu)
        for name, menus in ROLE_MENUS.items()
        for menu in menus
    ]
    _csv(
        folder / "wk_admin_role_menu.csv",
        ("id", "role_id", "menu_id"),
        [[number, *pair] for number, pair in enumerate(pairs, start=1)],
    )
    _csv(
        folder / "wk_admin_menu.csv",
        _list("menu_id,parent_id,menu_name,realm,menu_type,sort,status"),
        [
            [menu.menu_id, menu.parent_id, menu.name, menu.realm, menu.kind, 0, 1]
            for menu in MENUS
        ],
    )
    _csv(
        folder / "wk_admin_dept.csv",
        _list("dept_id,pid,name,type,owner_user_id"),
        [
            [
                places[unit],
                0 if unit.parent is None else places[unit.parent],
                unit.name,
                1 if unit.parent is None else 2,
                heads.get(unit.in_charge, ""),
            ]
            for unit in world.units
        ],
    )


def _crm_user(
    account: Account,
    month: Month,
    places: Mapping[Unit, int],
    heads: Mapping[Person | None, str],
) -> Row:
    person = account.person
    last = account.last_use_in.get(month.name)
    enabled = 2 if account.use == "never" else 1
    unit = None if person is None else person.unit_in(month)[0]
    return [
        account.native_id,
        account.login,
        local_text(account.created),
        account.name,
        str(int(account.native_id) * 7919 % 10**15).zfill(15),
        account.phone,
        account.email or "",
        1 + int(account.native_id) % 2,
        14_852 if unit is None else places[unit],
        "标准岗位" if person is None else person.unit_in(month)[1],
        enabled if account.is_enabled(month) else 0,
        0 if person is None else heads.get(person.manager_in(month), 0),
        local_text(last),
        _last_ip(account, month) if last is not None else "",
        int(account.is_deleted),
    ]


def _last_ip(account: Account, month: Month) -> str:
    good = [login for login in account.logins.get(month.name, ()) if login.is_success]
    if good:
        return good[-1].ip
    return "203.0.113.10" if account.person is None else account.person.place.office_ip


_LOGIN_HEADER = _list("用户,登陆时间,ip地址,登陆地点,设备类型,终端内核,平台,认证结果")
_SYSTEM_HEADER = _list("用户,时间,ip地址,模块,子模块,行为,对象,操作详情")
_CLIENTS = {
    "pc": ("网页", "Chrome 141", "Windows 11"),
    "phone": ("移动端", "WebView", "Android 16"),
    "kiosk": ("网页", "Edge 140", "Windows 10"),
}
_DEEDS = (
    ("客户管理", "客户", "编辑", "修改了跟进记录"),
    ("客户管理", "客户", "新建", "新建了客户"),
    ("客户管理", "合同", "编辑", "修改了合同备注"),
    ("客户管理", "线索", "转移", "转移了线索"),
)


def write_crm_logs(folder: Path, world: World, month: Month) -> None:
    """Write the two Excel exports of the CRM's log: they know names, not users."""
    events = sorted(
        (
            (login.at, account.native_id, account, login)
            for account in world.of(CRM)
            for login in account.logins.get(month.name, ())
        ),
        key=lambda event: event[:2],
    )
    _xlsx(
        folder / "登录日志.xlsx",
        month,
        _LOGIN_HEADER,
        (_crm_login(account, login) for *_, account, login in events),
    )
    _xlsx(
        folder / "系统日志.xlsx",
        month,
        _SYSTEM_HEADER,
        (
            _deed(account, login, number)
            for number, (*_, account, login) in enumerate(events)
            if login.is_success and number % 3 == 0
        ),
    )


def _crm_login(account: Account, login: Login) -> Row:
    result = "成功" if login.is_success else "失败"
    return [
        account.name,
        local_text(login.at),
        login.ip,
        login.place.log,
        *_CLIENTS[login.device],
        result,
    ]


def _deed(account: Account, login: Login, number: int) -> Row:
    may_export = any(
        "export" in grant.entitlement.abilities for grant in account.grants
    )
    deed = _DEEDS[number // 3 % len(_DEEDS)]
    if may_export and number % 2:
        deed = ("客户管理", "客户", "导出", f"导出客户：{10 + number % 400}条")
    module, part, action, detail = deed
    later = login.at.replace(second=59)
    thing = f"客户{1000 + number % 800}"
    return [
        account.name,
        local_text(later),
        login.ip,
        module,
        part,
        action,
        thing,
        detail,
    ]


def write_directory(folder: Path, world: World, month: Month) -> None:
    """Write Microsoft Graph's answers as saved pages."""
    accounts = [account for account in world.of(ENTRA) if account.exists(month)]
    root = "https://graph.microsoft.com/v1.0"
    _pages(
        *(folder, "users", f"{root}/$metadata#users", f"{root}/users"),
        [_graph_user(account, month) for account in accounts],
    )
    reports = f"{root}/reports/authenticationMethods/userRegistrationDetails"
    _pages(
        *(folder, "userRegistrationDetails"),
        f"{root}/$metadata#reports/authenticationMethods/userRegistrationDetails",
        reports,
        [_second_factor(one, month) for one in accounts if one.mfa != "unknown"],
    )
    directory = f"{root}/roleManagement/directory"
    _pages(
        *(folder, "roleDefinitions"),
        f"{root}/$metadata#roleManagement/directory/roleDefinitions",
        f"{directory}/roleDefinitions",
        [
            {
                "id": role.native_id,
                "description": None,
                "displayName": role.name,
                "isBuiltIn": True,
                "isEnabled": True,
                "templateId": role.native_id,
            }
            for role in DIRECTORY_ROLES.values()
        ],
    )
    held: dict[str, list[str]] = {}
    for account in accounts:
        for grant in account.held(month):
            held.setdefault(grant.entitlement.native_id, []).append(account.native_id)
    for lost in world.lost_grants:
        if lost.source == ENTRA:
            held.setdefault(lost.entitlement_native_id, []).append(
                lost.account_native_id
            )
    assigned = [
        (role, principal)
        for role in DIRECTORY_ROLES.values()
        for principal in held.get(role.native_id, ())
    ]
    _pages(
        *(folder, "roleAssignments"),
        f"{root}/$metadata#roleManagement/directory/roleAssignments",
        f"{directory}/roleAssignments",
        [
            {
                "id": f"{role.native_id[:8]}-{principal}-1",
                "principalId": principal,
                "directoryScopeId": "/",
                "roleDefinitionId": role.native_id,
            }
            for role, principal in assigned
        ],
    )
    nested = {second.native_id: first.native_id for first, second in world.nested}
    _pages(
        *(folder, "groups", f"{root}/$metadata#groups", f"{root}/groups"),
        [
            {
                "id": group.native_id,
                "displayName": group.name,
                "securityEnabled": True,
                "isAssignableToRole": None,
                "members": [
                    *_members("user", held.get(group.native_id, ())),
                    *_members("group", filter(None, [nested.get(group.native_id)])),
                ],
            }
            for group in GROUPS.values()
        ],
    )
    events = sorted(
        (
            (login.at, account.native_id, account, login)
            for account in accounts
            for login in account.logins.get(month.name, ())
        ),
        key=lambda event: event[:2],
    )
    _pages(
        *(folder, "signIns"),
        f"{root}/$metadata#auditLogs/signIns",
        f"{root}/auditLogs/signIns",
        [
            _sign_in(number, account, login)
            for number, (*_, account, login) in enumerate(events)
        ],
    )


def _members(kind: str, ids: Iterable[str]) -> list[dict[str, str]]:
    return [{"@odata.type": f"#microsoft.graph.{kind}", "id": one} for one in ids]


def _graph_user(account: Account, month: Month) -> dict[str, Any]:
    person = account.person
    is_guest = account.kind == "guest"
    return {
        "id": account.native_id,
        "displayName": account.name,
        "userPrincipalName": account.login,
        "mail": account.email,
        "accountEnabled": account.is_enabled(month),
        "userType": "Guest" if is_guest else "Member",
        "employeeId": account.employee_number,
        "department": None if person is None else person.unit_in(month)[0].name,
        "jobTitle": None if person is None else person.unit_in(month)[1],
        "createdDateTime": utc_text(account.created),
        "lastPasswordChangeDateTime": utc_text(account.changed_by(month)),
        "onPremisesSyncEnabled": None if is_guest or person is None else True,
        "signInActivity": _activity(account, month),
    }


def _activity(account: Account, month: Month) -> dict[str, Any]:
    last = account.last_use_in.get(month.name)
    if account.use == "attempts":
        return {
            "lastSignInDateTime": utc_text(last),
            "lastSuccessfulSignInDateTime": None,
        }
    moment = _NEVER if last is None else utc_text(last)
    return {"lastSignInDateTime": moment, "lastSuccessfulSignInDateTime": moment}


def _second_factor(account: Account, month: Month) -> dict[str, Any]:
    is_registered = account.mfa == "enabled" and (
        account.mfa_since is None or account.mfa_since < month.as_of
    )
    return {
        "id": account.native_id,
        "userPrincipalName": account.login,
        "userDisplayName": account.name,
        "isAdmin": any(
            "Administrator" in one.entitlement.name for one in account.grants
        ),
        "isMfaRegistered": is_registered,
        "isMfaCapable": is_registered,
        "isPasswordlessCapable": False,
        "methodsRegistered": _METHODS if is_registered else [],
        "userPreferredMethodForSecondaryAuthentication": "push"
        if is_registered
        else "none",
        "userType": "guest" if account.kind == "guest" else "member",
        "lastUpdatedDateTime": utc_text(month.as_of),
    }


def _sign_in(number: int, account: Account, login: Login) -> dict[str, Any]:
    system, browser = {
        "pc": ("Windows 11", "Edge 141"),
        "phone": ("iOS 26", "Mobile Safari"),
        "kiosk": ("Windows 10", "Edge 140"),
    }[login.device]
    return {
        "id": f"b1000000-0000-4000-8000-{number:012}",
        "createdDateTime": utc_text(login.at),
        "userDisplayName": account.name,
        "userPrincipalName": account.login,
        "userId": account.native_id,
        "appDisplayName": "Office 365",
        "ipAddress": login.ip,
        "clientAppUsed": "Browser",
        "isInteractive": True,
        "status": {
            "errorCode": 0 if login.is_success else 50126,
            "failureReason": None,
        },
        "deviceDetail": {
            "deviceId": "",
            "displayName": None,
            "operatingSystem": system,
            "browser": browser,
        },
        "location": {
            "city": login.place.city,
            "state": login.place.city,
            "countryOrRegion": login.place.country,
        },
    }


_OLD_HEADER = [
    *("User ID", "User Name", "Full Name", "Email", "Profile", "Active Y/N"),
    *("Created", "Last Login", "2FA", "Password Changed"),
]
_OLD_TIME = "%d/%m/%Y %H:%M"
_YES_NO = {"enabled": "Yes", "disabled": "No", "unknown": ""}


def write_old_crm(folder: Path, world: World, month: Month) -> int:
    """Write the old CRM's users, profiles and stand-ins; return the number of users."""
    rows = []
    lent = []
    for account in world.of(OLD_CRM):
        if not account.exists(month):
            continue
        held = [grant for grant in account.held(month) if not grant.is_delegated]
        rows.append(
            [
                account.native_id,
                account.login,
                account.name,
                account.email or "",
                held[0].entitlement.name if held else "",
                "Y" if account.is_enabled(month) else "N",
                account.created.strftime(_OLD_TIME),
                _old_time(account.last_use_in.get(month.name)),
                _YES_NO[account.mfa],
                _old_time(account.changed_by(month)),
            ]
        )
        lent += [
            [
                account.native_id,
                grant.entitlement.name,
                "" if grant.delegated_from is None else grant.delegated_from.native_id,
                grant.since.strftime(_OLD_TIME),
                _old_time(grant.valid_until),
            ]
            for grant in account.held(month)
            if grant.is_delegated
        ]
    _xlsx(folder / "users.xlsx", month, _OLD_HEADER, rows)
    profiles = [
        [one.name, "Y" if one.is_privileged else "N", ";".join(one.abilities)]
        for one in PROFILES.values()
    ]
    header = ["Profile", "Administrator Y/N", "Rights"]
    _csv(folder / "profiles.csv", header, profiles, encoding="utf-8-sig")
    header = ["User ID", "Profile", "Delegated From", "Granted", "Valid Until"]
    _csv(folder / "delegations.csv", header, lent, encoding="utf-8-sig")
    return len(rows)


def _old_time(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime(_OLD_TIME)


def write_owners(path: Path, world: World) -> None:
    """Write the owners a person confirmed."""
    confirmed_at = utc_text(world.months[0].start)
    _csv(
        path,
        ("account_id", "identity_id", "confirmed_by", "confirmed_at"),
        [
            [
                account.account_id,
                account.confirmed_owner.identity_id,
                f"it-service@{DOMAIN}",
                confirmed_at,
            ]
            for account in world.accounts
            if account.confirmed_owner is not None
        ],
    )


def _csv(
    path: Path, header: Sequence[str], rows: Iterable[Row], encoding: str = "utf-8"
) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)


def _xlsx(path: Path, month: Month, header: Sequence[str], rows: Iterable[Row]) -> None:
    """Write text cells only; the file says it was made when the month ended."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        made = month.as_of.astimezone(UTC).replace(tzinfo=None)
        book.set_properties({"created": made})
        sheet = book.add_worksheet("Sheet1")
        for column, name in enumerate(header):
            sheet.write_string(0, column, name)
        for line, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                if value != "":
                    sheet.write_string(line, column, str(value))


def _pages(
    folder: Path, name: str, context: str, address: str, found: list[Any]
) -> None:
    """Write a list as Graph pages it."""
    starts = range(0, max(1, len(found)), _PAGE)
    for number, start in enumerate(starts, start=1):
        page: dict[str, Any] = {"@odata.context": context}
        if number == 1 and name == "users":
            page["@odata.count"] = len(found)
        if start + _PAGE < len(found):
            page["@odata.nextLink"] = f"{address}?$skiptoken=page{number + 1}"
        page["value"] = found[start : start + _PAGE]
        text = json.dumps(page, ensure_ascii=False, indent=1)
        (folder / f"{name}-{number}.json").write_text(text + "\n", encoding="utf-8")
