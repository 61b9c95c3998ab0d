/*
id       = "privileged_accounts_without_mfa"
family   = "credentials"
severity = "critical"
subject  = "account"
controls = ["SOC2:CC6.1", "ISO27001:A.8.2", "ISO27001:A.8.5", "PCI:8.4.1", "PCI:8.4.2", "PCI:8.4.3", "NIST:IA-2(1)", "MLPS:8.1.4.1d", "NIS2:11.3.2a", "NIS2:11.7.1"]

[title]
en = "Privileged accounts without a second factor"
zh = "未启用双因素验证的特权账号"

[question]
en = "Does every account that can administer a system need more than a password?"
zh = "每个具有管理权限的账号登录时是否都需要第二重验证？"

[population]
en = "Enabled accounts that effectively hold a privileged role or group."
zh = "实际拥有特权角色或权限组的启用账号。"

[remediation]
en = "Enrol a second factor today, or take the privilege away until it is enrolled."
zh = "当日启用双因素验证；启用之前先收回其特权。"

[parameters]
privileged_names     = "Pattern of entitlement names that are privileged."
privileged_abilities = "Abilities that make an entitlement privileged."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.account_type]
en = "Kind of account"
zh = "账号类型"
[columns.privileges]
en = "Privileged entitlements"
zh = "特权"
[columns.mfa_state]
en = "Second factor"
zh = "双因素验证"

[reasons.not_enrolled]
en = "{login} of {display_name} holds {privileges} and signs in with a password alone."
zh = "{display_name}的账号{login}拥有特权「{privileges}」，却未启用双因素验证，仅凭密码即可登录。"
[reasons.enrolled]
en = "{login} holds {privileges}, and a second factor is enrolled."
zh = "账号{login}拥有特权「{privileges}」，已启用双因素验证。"
[reasons.not_told]
en = "{login} holds {privileges}, and {source} does not tell whether it has a second factor."
zh = "账号{login}拥有特权「{privileges}」，但来源{source}未提供其双因素验证状态，无法判断。"
*/
with privileged as (
    select entitlements.entitlement_id
    from snapshot.entitlements
    where
        entitlements.is_privileged
        or regexp_matches(entitlements.name, $privileged_names, 'i')
        or list_has_any(
            string_split(entitlements.abilities, ','), $privileged_abilities::varchar[]
        )
),

-- What gives a privilege, by itself or through what it contains.
giving as (
    select distinct entitlement_closure.holder_id as entitlement_id
    from snapshot.entitlement_closure
    inner join privileged
        on entitlement_closure.held_id = privileged.entitlement_id
),

holders as (
    select
        grants.account_id,
        string_agg(
            distinct coalesce(entitlements.name, entitlements.native_id), ' / '
            order by coalesce(entitlements.name, entitlements.native_id)
        ) as privileges
    from snapshot.grants
    inner join giving
        on grants.entitlement_id = giving.entitlement_id
    inner join snapshot.entitlements
        on grants.entitlement_id = entitlements.entitlement_id
    group by grants.account_id
)

select
    account_people.account_id as subject_id,
    account_people.source,
    account_people.account_id,
    account_people.identity_id,
    account_people.department_id,
    account_people.display_name,
    account_people.login,
    account_people.department_name,
    account_people.account_type,
    holders.privileges,
    accounts.mfa_state,
    case accounts.mfa_state
        when 'enabled' then 'pass'
        when 'disabled' then 'fail'
        else 'unknown'
    end as status,
    case accounts.mfa_state
        when 'enabled' then 'enrolled'
        when 'disabled' then 'not_enrolled'
        else 'not_told'
    end as reason

from holders
inner join snapshot.account_people
    on holders.account_id = account_people.account_id
inner join snapshot.accounts
    on holders.account_id = accounts.account_id

where account_people.is_enabled

order by account_people.source, account_people.account_id
