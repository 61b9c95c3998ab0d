/*
id       = "accounts_without_mfa"
family   = "credentials"
severity = "high"
subject  = "account"
controls = ["SOC2:CC6.1", "ISO27001:A.8.5", "PCI:8.4.2", "PCI:8.4.3", "NIST:IA-2(2)", "MLPS:8.1.4.1d", "NIS2:11.7.1"]

[title]
en = "Enabled accounts without a second factor"
zh = "未启用双因素验证的账号"

[question]
en = "Does everybody who signs in need more than a password?"
zh = "每个人登录时是否都需要密码之外的第二重验证？"

[population]
en = "Enabled accounts that people sign in with: all but service and built-in accounts."
zh = "启用的人员登录账号（服务账号和系统内置账号除外）。"

[remediation]
en = "Have the owner enrol a second factor by a set date, then refuse sign-in without it."
zh = "要求账号归属人限期启用双因素验证，逾期禁止仅凭密码登录。"

[parameters]

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.account_type]
en = "Kind of account"
zh = "账号类型"
[columns.mfa_state]
en = "Second factor"
zh = "双因素验证"
[columns.mfa_methods]
en = "Methods enrolled"
zh = "已登记的验证方式"

[reasons.not_enrolled]
en = "{login} of {display_name} signs in with a password alone: no second factor is enrolled."
zh = "{display_name}的账号{login}未启用双因素验证，仅凭密码即可登录。"
[reasons.enrolled]
en = "A second factor is enrolled for {login}."
zh = "账号{login}已启用双因素验证。"
[reasons.not_told]
en = "{source} does not tell whether {login} has a second factor."
zh = "来源{source}未提供账号{login}的双因素验证状态，无法判断。"
*/
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
    accounts.mfa_state,
    accounts.mfa_methods,
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

from snapshot.account_people
inner join snapshot.accounts
    on account_people.account_id = accounts.account_id

where
    account_people.is_enabled
    -- Nobody types a password for these: they have checks of their own.
    and account_people.account_type not in ('service', 'builtin')

order by account_people.source, account_people.account_id
