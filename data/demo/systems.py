"""The systems and what they can grant."""

from collections.abc import Mapping
from dataclasses import dataclass

from data.demo.world import Entitlement

CRM = "crm"
ENTRA = "entra"
OLD_CRM = "old_crm"
SUPER_USER = "14773"
SUPER_ROLE = "180162"


@dataclass(frozen=True)
class Menu:
    """One row of wk_admin_menu."""

    menu_id: int
    parent_id: int
    name: str
    realm: str
    kind: int
    """1 directory, 2 menu, 3 button."""

    @property
    def lets_do(self) -> bool:
        """Return whether its holder can do more than look."""
        looks = (
            ("index", "read", "update")
            if self.parent_id not in (40, 50, 160, 170)
            else ("index", "read")
        )
        return self.kind == 3 and self.realm not in looks


MENUS = (
    Menu(1, 0, "客户管理", "crm", 1),
    Menu(2, 0, "商业智能", "bi", 1),
    Menu(3, 0, "企业管理后台", "manage", 1),
    Menu(10, 1, "客户", "customer", 1),
    Menu(17, 10, "新建", "save", 3),
    Menu(18, 10, "编辑", "update", 3),
    Menu(19, 10, "查看列表", "index", 3),
    Menu(20, 10, "查看详情", "read", 3),
    Menu(21, 10, "导入", "excelimport", 3),
    Menu(22, 10, "导出", "excelexport", 3),
    Menu(23, 10, "删除", "delete", 3),
    Menu(24, 10, "转移", "transfer", 3),
    Menu(30, 1, "线索", "leads", 1),
    Menu(31, 30, "新建", "save", 3),
    Menu(32, 30, "编辑", "update", 3),
    Menu(33, 30, "查看列表", "index", 3),
    Menu(40, 1, "合同", "contract", 1),
    Menu(41, 40, "新建", "save", 3),
    Menu(42, 40, "编辑", "update", 3),
    Menu(43, 40, "查看详情", "read", 3),
    Menu(44, 40, "改动金额", "updateAmount", 3),
    Menu(45, 40, "审核", "check", 3),
    Menu(50, 1, "回款", "receivables", 1),
    Menu(51, 50, "新建", "save", 3),
    Menu(52, 50, "编辑", "update", 3),
    Menu(53, 50, "查看列表", "index", 3),
    Menu(60, 1, "客户服务", "visit", 1),
    Menu(61, 60, "新建", "save", 3),
    Menu(62, 60, "编辑", "update", 3),
    Menu(70, 2, "业绩目标", "achievement", 1),
    Menu(71, 70, "查看", "read", 3),
    Menu(72, 2, "客户画像", "portrait", 1),
    Menu(73, 72, "查看", "read", 3),
    Menu(74, 72, "导出", "excelexport", 3),
    Menu(160, 3, "员工与部门", "users", 1),
    Menu(161, 160, "查看", "read", 3),
    Menu(162, 160, "新建", "userSave", 3),
    Menu(163, 160, "编辑", "userUpdate", 3),
    Menu(164, 160, "启用停用", "userEnables", 3),
    Menu(170, 3, "角色权限", "permission", 1),
    Menu(171, 170, "编辑", "update", 3),
)

_READ = (19, 20, 43)
_SELL = (17, 18, 19, 20, 31, 32, 33, 41, 42, 43)
ROLE_MENUS: Mapping[str, tuple[int, ...]] = {
    "超级管理员": (),
    "系统管理员": (161, 162, 163, 164, 171),
    "用户管理": (161, 162, 163, 164),
    "全员基础": (19, 20),
    "销售员": _SELL,
    "销售经理": (*_SELL, 24, 71),
    "客服专员": (19, 20, 61, 62),
    "客服经理": (19, 20, 24, 61, 62),
    "财务专员": (43, 53),
    "市场专员": (19, 31, 32, 33),
    "数据分析": (71, 73, 74),
    "客户导出": (22,),
    "合同金额修改": (42, 43, 44),
    "合同审批": (43, 45),
    "回款登记": (51, 52, 53),
    "实习生只读": _READ,
    "标准招投标": (43, 71),
    "展会临时": (31, 33),
}
"""Role by name → menus it may use. The super role has none: its holders may do all."""
ROLE_SCOPES: Mapping[str, int] = {
    "超级管理员": 5,
    "系统管理员": 5,
    "用户管理": 5,
    "销售经理": 4,
    "客服经理": 4,
    "财务专员": 5,
    "数据分析": 5,
    "客户导出": 4,
    "合同金额修改": 4,
    "合同审批": 4,
    "回款登记": 5,
    "市场专员": 3,
    "客服专员": 3,
}
ROLE_ABILITIES: Mapping[str, tuple[str, ...]] = {
    "超级管理员": ("administer", "export", "security"),
    "系统管理员": ("administer", "security"),
    "用户管理": ("administer",),
    "数据分析": ("export",),
    "客户导出": ("export",),
    "合同金额修改": ("amend_amount",),
    "合同审批": ("approve",),
    "销售经理": ("transfer",),
    "客服经理": ("transfer",),
}
DISABLED_ROLE = "展会临时"


def _role(position: int, name: str) -> Entitlement:
    native = SUPER_ROLE if name == "超级管理员" else str(180_170 + position)
    return Entitlement(
        source=CRM,
        native_id=native,
        key=f"role:{native}",
        name=name,
        abilities=ROLE_ABILITIES.get(name, ()),
        is_privileged="管理员" in name or "administer" in ROLE_ABILITIES.get(name, ()),
        is_enabled=name != DISABLED_ROLE,
    )


ROLES = {name: _role(place, name) for place, name in enumerate(ROLE_MENUS)}

_PROFILES = {
    "Administrator": ("administer", "delete", "export", "import", "security"),
    "Sales Manager": ("create", "export", "transfer"),
    "Sales User": ("create",),
    "Service User": ("create",),
    "Finance User": ("approve", "create"),
    "Contract Desk (amend contract)": ("amend_amount", "create"),
}
PROFILES = {
    name: Entitlement(
        source=OLD_CRM,
        native_id=name,
        key=name,
        name=name,
        abilities=abilities,
        is_privileged="administer" in abilities,
        kind="profile",
    )
    for name, abilities in _PROFILES.items()
}


def _group(number: int, name: str) -> Entitlement:
    guid = f"a0000000-0000-4000-8000-{number:012}"
    return Entitlement(ENTRA, guid, f"group:{guid}", name, kind="group")


GROUPS = {
    name: _group(place, name)
    for place, name in enumerate(
        (
            "All staff 全员",
            "Partners standard 合作伙伴",
            "VPN users 远程接入",
            "Sales team 销售",
            "Overseas sales team 海外销售",
            "Service team 客服",
            "Supply chain standard 供应链",
            "Finance team 财务",
            "HR team 人事",
            "Marketing team 市场",
            "Data team 数据",
            "IT team 信息技术",
            "Tender room standard 标书室",
            "Server operators 服务器运维",
            "Domain Admins",
        ),
        start=1,
    )
}

_DIRECTORY_ROLES = {
    "Global Administrator": ("62e90394-69f5-4237-9190-012177145e10", True),
    "User Administrator": ("fe930be7-5e62-47db-91af-98c3a49a38b1", True),
    "Helpdesk Administrator": ("729827e3-9c14-49f7-bb1b-9608f156bbb8", True),
    "Exchange Administrator": ("29232cdf-9323-42fd-ade2-1d097af3e4de", True),
    "Reports Reader": ("4a5d8f65-41da-4de4-8968-e035b65339cf", False),
}
"""Name → the template id Microsoft gives it in every tenant, and whether privileged."""
DIRECTORY_ROLES = {
    name: Entitlement(
        source=ENTRA,
        native_id=guid,
        key=f"role:{guid}",
        name=name,
        is_privileged=is_privileged,
        kind="directory role",
    )
    for name, (guid, is_privileged) in _DIRECTORY_ROLES.items()
}

CRM_FAMILIES = ("top", "sales", "service", "finance", "marketing", "data")
_FAMILY_GROUPS = {
    "sales": "Sales team 销售",
    "service": "Service team 客服",
    "supply": "Supply chain standard 供应链",
    "finance": "Finance team 财务",
    "people": "HR team 人事",
    "marketing": "Marketing team 市场",
    "data": "Data team 数据",
    "it": "IT team 信息技术",
}


def crm_roles(family: str, title: str, kind: str) -> tuple[str, ...]:
    """Return the CRM roles somebody of a title is given on the first day."""
    if kind == "intern":
        return ("全员基础", "实习生只读")
    manages = "经理" in title or "总监" in title or "Manager" in title
    manages = manages or "Director" in title
    own = {
        "top": ("销售经理", "客户导出"),
        "sales": ("销售经理", "客户导出") if manages else ("销售员",),
        "service": ("客服经理",) if manages else ("客服专员",),
        "finance": ("财务专员", "合同审批") if manages else ("财务专员",),
        "marketing": ("市场专员", "客户导出") if manages else ("市场专员",),
        "data": ("数据分析",),
    }.get(family, ())
    if title == "出纳":
        own = ("财务专员", "回款登记")
    if title == "信息总监":
        own = ("超级管理员",)
    if title == "IT经理":
        own = ("系统管理员",)
    return ("全员基础", *own)


def directory_groups(
    family: str, title: str, kind: str, *, is_abroad: bool
) -> tuple[Entitlement, ...]:
    """Return the groups and directory roles of a title."""
    if kind == "vendor":
        return (GROUPS["Partners standard 合作伙伴"],)
    held = [GROUPS["All staff 全员"]]
    if kind == "intern":
        return tuple(held)
    if family == "sales" and is_abroad:
        held.append(GROUPS["Overseas sales team 海外销售"])
    elif group := _FAMILY_GROUPS.get(family):
        held.append(GROUPS[group])
    if title == "IT工程师":
        held.append(DIRECTORY_ROLES["Helpdesk Administrator"])
    if title == "系统工程师":
        held.append(GROUPS["Server operators 服务器运维"])
    if title == "信息总监":
        held.append(DIRECTORY_ROLES["Global Administrator"])
    if title == "数据分析师":
        held.append(DIRECTORY_ROLES["Reports Reader"])
    return tuple(held)


def old_profile(family: str, title: str) -> str | None:
    """Return the profile the old CRM gave to somebody of a title, if it knew them."""
    if family in ("sales", "top"):
        manages = "经理" in title or "总监" in title or "Manager" in title
        return "Sales Manager" if manages or "Director" in title else "Sales User"
    return {"service": "Service User", "finance": "Finance User"}.get(family)
