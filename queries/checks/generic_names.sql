/*
id       = "generic_names"
family   = "shared"
severity = "high"
subject  = "account"
controls = ["SOC2:CC6.1", "ISO27001:A.5.16", "ISO27001:A.5.17", "ISO27001:A.8.5", "PCI:8.2.1", "PCI:8.2.2", "NIST:AC-2(9)", "NIST:IA-2", "NIST:IA-4", "MLPS:8.1.4.1a", "MLPS:8.1.4.2c", "NIS2:11.5.2b", "NIS2:11.5.3"]

[title]
en = "Logins that name no person"
zh = "名称不对应具体个人的账号"

[question]
en = "Does every account people sign in with bear the name of one person?"
zh = "每个供人登录的账号是否都以某一个人命名？"

[population]
en = "Enabled accounts that people sign in with: all but service and built-in accounts."
zh = "启用的人员登录账号（服务账号和系统内置账号除外）。"

[remediation]
en = "Give everybody who uses it an account of their own and disable this one. If it must stay, name who answers for it, record why, and change its password whenever somebody leaves the group."
zh = "为每位使用者开通个人账号后停用该账号。确需保留的，应指定责任人并记录理由，使用人员变动时立即更换密码。"

[parameters]
generic_names = "Pattern of logins and names that belong to a job, a place or a purpose."

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

[reasons.generic_login]
en = "The login {login} names a job, a place or a purpose and not a person, so nobody can tell who used it."
zh = "登录名{login}是岗位、场所或用途的名称，而不是某个人，无法追溯实际使用者。"
[reasons.generic_name]
en = "The account {login} is called {account_name}, which is a job, a place or a purpose and not a person, so nobody can tell who used it."
zh = "账号{login}的名称为“{account_name}”，是岗位、场所或用途，而不是某个人，无法追溯实际使用者。"
[reasons.personal]
en = "Neither the login {login} nor its name {account_name} reads as shared."
zh = "登录名{login}和账号名称{account_name}均不像共用账号。"
[reasons.no_name]
en = "The source tells neither a login nor a name for {account_id}, so its naming cannot be tested."
zh = "来源未提供{account_id}的登录名和名称，无法判断。"
*/
with tested as (
    select
        account_people.*,
        coalesce(regexp_matches(account_people.login, $generic_names, 'i'), false)
            as has_generic_login,
        coalesce(
            regexp_matches(account_people.account_name, $generic_names, 'i'), false
        ) as has_generic_name
    from snapshot.account_people
    where
        account_people.is_enabled
        and account_people.account_type not in ('service', 'builtin')
)

select
    tested.account_id as subject_id,
    tested.source,
    tested.account_id,
    tested.identity_id,
    tested.department_id,
    tested.display_name,
    tested.login,
    tested.account_name,
    tested.account_type,
    tested.department_name,
    case
        when tested.has_generic_login or tested.has_generic_name then 'fail'
        when tested.login is null and tested.account_name is null then 'unknown'
        else 'pass'
    end as status,
    case
        when tested.has_generic_login then 'generic_login'
        when tested.has_generic_name then 'generic_name'
        when tested.login is null and tested.account_name is null then 'no_name'
        else 'personal'
    end as reason

from tested

order by tested.login nulls last, tested.account_id
