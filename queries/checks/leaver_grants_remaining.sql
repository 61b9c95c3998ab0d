/*
id       = "leaver_grants_remaining"
family   = "leavers"
severity = "medium"
subject  = "grant"
controls = ["SOC2:CC6.2", "SOC2:CC6.3", "ISO27001:A.5.18", "ISO27001:A.6.5", "PCI:8.2.5", "NIST:AC-2", "NIST:PS-4", "MLPS:8.1.4.2c", "NIS2:11.2.2b"]

[title]
en = "Roles left on closed accounts and accounts of leavers"
zh = "停用账号或离职人员仍保留的权限"

[question]
en = "Were all roles and groups taken away when the account was closed or its owner left?"
zh = "账号停用或人员离职后，其角色和权限组是否已全部收回？"

[population]
en = "Every role or group that an existing account holds, once however it is held."
zh = "现有账号持有的每个角色或权限组（不论授予方式，各计一次）。"

[remediation]
en = "Take the role or group away, so that enabling the account again gives nothing back by itself."
zh = "收回该角色或权限组，避免账号重新启用时自动恢复权限。"

[parameters]
as_of             = "Moment of the snapshot, UTC."
time_zone         = "Zone whose calendar days count."
leaver_grace_days = "Whole days after the last day before what the leaver holds fails."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.entitlement_id]
en = "Entitlement id"
zh = "权限标识"
[columns.entitlement_name]
en = "Role or group"
zh = "角色或权限组"
[columns.via]
en = "Held by way of"
zh = "授予方式"
[columns.is_enabled]
en = "Account enabled"
zh = "账号是否启用"
[columns.employment_status]
en = "Employment"
zh = "任职状态"
[columns.end_date]
en = "Last day"
zh = "离职日期"

[reasons.account_disabled]
en = "{login} is disabled but still holds {entitlement_name}, which comes back if somebody enables it."
zh = "账号{login}已停用，但仍保留“{entitlement_name}”，一旦重新启用权限即恢复。"
[reasons.owner_left]
en = "{display_name} has left (last day {end_date}), and {login} still holds {entitlement_name}."
zh = "{display_name}已离职（离职日期：{end_date}），账号{login}仍保留“{entitlement_name}”。"
[reasons.in_use]
en = "{login} is enabled and nobody has told that its owner left."
zh = "账号{login}为启用状态，且没有归属人已离职的信息。"
[reasons.state_not_told]
en = "The source does not tell whether {login} is enabled, so holding {entitlement_name} cannot be judged."
zh = "来源未说明账号{login}是否启用，无法判断保留“{entitlement_name}”是否合理。"
*/
with holdings as (
    select
        grants.account_id,
        grants.entitlement_id,
        concat_ws(
            ', ',
            max(grants.via) filter (where grants.via = 'direct'),
            max(grants.via) filter (where grants.via = 'group'),
            max(grants.via) filter (where grants.via = 'role'),
            max(grants.via) filter (where grants.via = 'rule')
        ) as via
    from snapshot.grants
    group by grants.account_id, grants.entitlement_id
),

tested as (
    select
        account_people.*,
        holdings.entitlement_id,
        holdings.via,
        coalesce(entitlements.name, holdings.entitlement_id) as entitlement_name,
        case
            when not account_people.is_enabled then 'account_disabled'
            -- Somebody who started again after the last day has been rehired.
            when
                account_people.end_date + $leaver_grace_days::integer
                < ($as_of at time zone $time_zone)::date
                and not coalesce(
                    account_people.start_date > account_people.end_date, false
                )
                then 'owner_left'
            when
                account_people.employment_status = 'left'
                and account_people.end_date is null
                then 'owner_left'
            when account_people.is_enabled is null then 'state_not_told'
            else 'in_use'
        end as reason
    from holdings
    inner join snapshot.account_people
        on holdings.account_id = account_people.account_id
    left join snapshot.entitlements
        on holdings.entitlement_id = entitlements.entitlement_id
)

select
    tested.account_id || ' > ' || tested.entitlement_id as subject_id,
    tested.source,
    tested.account_id,
    tested.identity_id,
    tested.department_id,
    tested.display_name,
    tested.login,
    tested.department_name,
    tested.entitlement_id,
    tested.entitlement_name,
    tested.via,
    tested.is_enabled,
    tested.employment_status,
    tested.end_date,
    case
        when tested.reason in ('account_disabled', 'owner_left') then 'fail'
        when tested.reason = 'state_not_told' then 'unknown'
        else 'pass'
    end as status,
    tested.reason

from tested

order by tested.end_date nulls last, tested.account_id, tested.entitlement_id
