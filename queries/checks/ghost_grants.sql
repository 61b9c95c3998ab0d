/*
id       = "ghost_grants"
family   = "privilege"
severity = "medium"
subject  = "grant"
controls = ["SOC2:CC6.3", "ISO27001:A.5.18", "PCI:7.2.4", "NIST:AC-2", "NIST:AC-6(7)", "MLPS:8.1.4.2c", "NIS2:11.2.3"]

[title]
en = "Grants to accounts or roles that are gone"
zh = "指向不存在的账号或角色的授权"

[question]
en = "Does every grant join an account that exists with a role that exists and is in force?"
zh = "每条授权是否都对应现存的账号和有效的角色？"

[population]
en = "Every grant of a role or group to an account, once however it is held."
zh = "每条角色或权限组的授权（不论授予方式，各计一次）。"

[remediation]
en = "Delete the grant at the source. A new account or role that receives the same number would inherit it unseen."
zh = "在来源系统中删除该授权；否则今后新建的账号或角色若沿用同一编号，会在无人知情时继承权限。"

[parameters]

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

[reasons.account_missing]
en = "{source} grants {entitlement_name} to {account_id}, an account that is not there."
zh = "来源{source}将“{entitlement_name}”授予{account_id}，但该账号不存在。"
[reasons.entitlement_missing]
en = "{login} ({display_name}) is granted {entitlement_id}, a role or group that is not there."
zh = "账号{login}（{display_name}）被授予{entitlement_id}，但该角色或权限组不存在。"
[reasons.entitlement_disabled]
en = "{login} ({display_name}) is granted {entitlement_name}, which is switched off and gives its rights back once switched on."
zh = "账号{login}（{display_name}）被授予“{entitlement_name}”，该角色已停用，一旦重新启用权限即恢复。"
[reasons.both_exist]
en = "The account {login} and {entitlement_name} both exist."
zh = "账号{login}与“{entitlement_name}”均存在。"
*/
with holdings as (
    select
        grants.account_id,
        grants.entitlement_id,
        min(grants.source) as source,
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
        holdings.account_id,
        holdings.entitlement_id,
        holdings.via,
        account_people.identity_id,
        account_people.department_id,
        account_people.login,
        account_people.department_name,
        coalesce(account_people.source, holdings.source) as source,
        coalesce(account_people.display_name, holdings.account_id) as display_name,
        coalesce(entitlements.name, holdings.entitlement_id) as entitlement_name,
        case
            when account_people.account_id is null then 'account_missing'
            when entitlements.entitlement_id is null then 'entitlement_missing'
            when not entitlements.is_enabled then 'entitlement_disabled'
            else 'both_exist'
        end as reason
    from holdings
    left join snapshot.account_people
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
    case
        when tested.reason = 'both_exist' then 'pass'
        else 'fail'
    end as status,
    tested.reason

from tested

order by tested.source, tested.account_id, tested.entitlement_id
