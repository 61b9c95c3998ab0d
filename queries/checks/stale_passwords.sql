/*
id       = "stale_passwords"
family   = "credentials"
severity = "medium"
subject  = "account"
controls = ["SOC2:CC6.1", "ISO27001:A.5.17", "PCI:8.3.9", "PCI:8.3.10.1", "PCI:8.6.3", "NIST:IA-5", "MLPS:8.1.4.1a"]

[title]
en = "Passwords that have not been changed for a long time"
zh = "长期未更换的密码"

[question]
en = "Was every enabled account's password changed within the time the policy allows?"
zh = "每个启用账号的密码是否都在规定期限内更换过？"

[population]
en = "Enabled accounts."
zh = "启用的账号。"

[remediation]
en = "Have the owner set a new password, and end the sessions opened with the old one."
zh = "要求账号归属人更换密码，并结束以旧密码建立的会话。"

[parameters]
as_of         = "Moment of the snapshot, UTC."
time_zone     = "Zone of the dates shown."
password_days = "Whole days a password may be old."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.account_type]
en = "Kind of account"
zh = "账号类型"
[columns.password_changed_on]
en = "Password changed"
zh = "密码更换日期"
[columns.password_age]
en = "Age in days"
zh = "密码使用天数"
[columns.mfa_state]
en = "Second factor"
zh = "双因素验证"

[reasons.too_old]
en = "The password of {login} was last changed on {password_changed_on}, {password_age} days ago."
zh = "账号{login}的密码最近一次更换是{password_changed_on}，已使用{password_age}天。"
[reasons.recent]
en = "The password of {login} was changed on {password_changed_on}, recently enough."
zh = "账号{login}的密码于{password_changed_on}更换，在规定期限内。"
[reasons.not_told]
en = "{source} does not tell when the password of {login} was changed."
zh = "来源{source}未提供账号{login}的密码更换时间，无法判断。"
*/
with judged as (
    select
        accounts.account_id,
        accounts.mfa_state,
        accounts.password_changed_at,
        case
            when accounts.password_changed_at is null then 'not_told'
            when accounts.password_changed_at < $as_of - to_days($password_days::integer)
                then 'too_old'
            else 'recent'
        end as reason
    from snapshot.accounts
    where accounts.is_enabled
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
    (judged.password_changed_at at time zone $time_zone)::date as password_changed_on,
    date_sub('day', judged.password_changed_at, $as_of) as password_age,
    judged.mfa_state,
    case judged.reason
        when 'too_old' then 'fail'
        when 'recent' then 'pass'
        else 'unknown'
    end as status,
    judged.reason

from judged
inner join snapshot.account_people
    on judged.account_id = account_people.account_id

order by judged.password_changed_at nulls last, account_people.account_id
