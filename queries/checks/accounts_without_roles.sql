/*
id       = "accounts_without_roles"
family   = "privilege"
severity = "low"
subject  = "account"
controls = ["SOC2:CC6.2", "ISO27001:A.5.16", "ISO27001:A.5.18", "PCI:7.2.4", "NIST:AC-2", "MLPS:8.1.4.2c", "NIS2:11.5.4"]

[title]
en = "Enabled accounts that hold no role"
zh = "未分配任何角色的启用账号"

[question]
en = "Does every enabled account hold at least one role or group?"
zh = "每个启用的账号是否至少拥有一个角色或权限组？"

[population]
en = "Enabled accounts."
zh = "启用的账号。"

[remediation]
en = "Disable the account if nobody needs it. If somebody works with it, find out where its rights come from: they escape this review."
zh = "无人需要的账号应停用；若仍有人使用，须查明其权限来源，否则这部分权限不在审阅范围内。"

[parameters]

[columns.login]
en = "Login"
zh = "登录名"
[columns.account_name]
en = "Account name"
zh = "账号名称"
[columns.account_type]
en = "Account type"
zh = "账号类型"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.grant_count]
en = "Roles and groups"
zh = "角色和权限组数"

[reasons.no_roles]
en = "{login} ({display_name}) is enabled and holds no role or group."
zh = "账号{login}（{display_name}）为启用状态，但没有任何角色或权限组。"
[reasons.has_roles]
en = "{login} holds {grant_count} roles or groups."
zh = "账号{login}拥有{grant_count}个角色或权限组。"
[reasons.grants_not_told]
en = "{source} does not tell who holds which role, so {login} cannot be tested."
zh = "来源{source}未提供角色分配信息，无法判断账号{login}。"
*/
with holdings as (
    select
        grants.account_id,
        count(distinct grants.entitlement_id) as grant_count
    from snapshot.grants
    group by grants.account_id
),

telling as (
    select declared_facts.source
    from snapshot.declared_facts
    where declared_facts.fact = 'grants'
)

select
    account_people.account_id as subject_id,
    account_people.source,
    account_people.account_id,
    account_people.identity_id,
    account_people.department_id,
    account_people.display_name,
    account_people.login,
    account_people.account_name,
    account_people.account_type,
    account_people.department_name,
    case
        when telling.source is not null then coalesce(holdings.grant_count, 0)
        else holdings.grant_count
    end as grant_count,
    case
        when holdings.grant_count > 0 then 'pass'
        when telling.source is null then 'unknown'
        else 'fail'
    end as status,
    case
        when holdings.grant_count > 0 then 'has_roles'
        when telling.source is null then 'grants_not_told'
        else 'no_roles'
    end as reason

from snapshot.account_people
left join holdings
    on account_people.account_id = holdings.account_id
left join telling
    on account_people.source = telling.source

where account_people.is_enabled

order by account_people.source, account_people.login nulls last, account_people.account_id
