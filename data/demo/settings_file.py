"""The gatebook.toml that reads the company's exports."""

from data.demo.systems import PROFILES

_TEXT = """\
organisation = "北辰贸易 Northstar Trading"
demo = true
data = "{above}data"
owners = "{above}owners.csv"

[sources.hr]
connector = "table"
title = "HR roster 花名册"
operator = "人事共享中心 HR services"

[[sources.hr.files]]
path = "{month}hr/员工花名册.csv"
total = {roster}
[sources.hr.files.identities]
identity_id = "工号"
employee_number = "工号"
display_name = "姓名"
phone = "手机"
email = "邮箱"
department_id = "部门编码"
job_title = "岗位"
job_level = "职级"
manager_id = "直属上级工号"
start_date = {{ column = "入职日期", format = "%Y/%m/%d" }}
end_date = {{ column = "离职日期", format = "%Y/%m/%d" }}
[sources.hr.files.identities.employment_type]
column = "用工类型"
[sources.hr.files.identities.employment_type.values]
"正式" = "employee"
"外包" = "contractor"
"实习" = "intern"
"供应商" = "vendor"
[sources.hr.files.identities.employment_status]
column = "状态"
[sources.hr.files.identities.employment_status.values]
"在职" = "active"
"休假" = "on_leave"
"待离职" = "notice"
"离职" = "left"
"待入职" = "pending"

[[sources.hr.files]]
path = "{month}hr/部门.csv"
[sources.hr.files.departments]
department_id = "部门编码"
name = "部门名称"
parent_id = "上级部门编码"
head_identity_id = "负责人工号"

[sources.crm]
connector = "wukong_crm"
title = "悟空CRM"
operator = "信息技术部 IT"
version = "11"
folder = "{month}crm"

[sources.crm_logs]
connector = "wukong_logs"
title = "悟空CRM 日志"
operator = "信息技术部 IT"
login_log = "{month}crm_logs/登录日志.xlsx"
system_log = "{month}crm_logs/系统日志.xlsx"
users = "{month}crm/wk_admin_user.csv"
accounts_of = "crm"

[sources.entra]
connector = "entra_id"
title = "Microsoft Entra ID"
operator = "信息技术部 IT"
folder = "{month}entra"
service_accounts = "^svc-"

[sources.old_crm]
connector = "table"
title = "Old CRM 旧CRM"
operator = "信息技术部 IT"

[[sources.old_crm.files]]
path = "{month}old_crm/users.xlsx"
total = {old_users}
[sources.old_crm.files.accounts]
account_id = "User ID"
native_id = "User ID"
login = "User Name"
display_name = "Full Name"
email = "Email"
is_enabled = {{ column = "Active Y/N", values = {{ "Y" = "true", "N" = "false" }} }}
created_at = {{ column = "Created", format = "%d/%m/%Y %H:%M" }}
last_login_at = {{ column = "Last Login", format = "%d/%m/%Y %H:%M" }}
last_login_basis = {{ constant = "success" }}
password_changed_at = {{ column = "Password Changed", format = "%d/%m/%Y %H:%M" }}
mfa_state = {{ column = "2FA", values = {{ "Yes" = "enabled", "No" = "disabled" }} }}
[sources.old_crm.files.grants]
account_id = "User ID"
entitlement_id = {{ column = "Profile", each = true }}
via = {{ constant = "direct" }}

[[sources.old_crm.files]]
path = "{month}old_crm/profiles.csv"
total = {profiles}
[sources.old_crm.files.entitlements]
entitlement_id = "Profile"
native_id = "Profile"
name = "Profile"
kind = {{ constant = "profile" }}
abilities = {{ column = "Rights", separator = ";" }}
[sources.old_crm.files.entitlements.is_privileged]
column = "Administrator Y/N"
values = {{ "Y" = "true", "N" = "false" }}

[[sources.old_crm.files]]
path = "{month}old_crm/delegations.csv"
[sources.old_crm.files.grants]
account_id = "User ID"
entitlement_id = "Profile"
via = {{ constant = "rule" }}
granted_at = {{ column = "Granted", format = "%d/%m/%Y %H:%M" }}
delegated_from = {{ column = "Delegated From", prefix = "old_crm:" }}
valid_until = {{ column = "Valid Until", format = "%d/%m/%Y %H:%M" }}
"""


def settings_text(month: str, above: str, *, roster: int, old_users: int) -> str:
    """Return a gatebook.toml.

    Args:
        month: What leads from the file to the month's folder: empty or ``2026-10/``.
        above: What leads from the file to the company's folder: empty or ``../``.
        roster: Number of people HR states.
        old_users: Number of users the old CRM states.
    """
    return _TEXT.format(
        month=month,
        above=above,
        roster=roster,
        old_users=old_users,
        profiles=len(PROFILES),
    )
