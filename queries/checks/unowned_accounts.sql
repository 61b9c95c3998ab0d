/*
id       = "unowned_accounts"
family   = "leavers"
severity = "high"
subject  = "account"
controls = ["SOC2:CC6.1", "SOC2:CC6.2", "ISO27001:A.5.16", "ISO27001:A.5.18", "PCI:7.2.4", "PCI:7.2.5", "PCI:8.2.1", "NIST:AC-2", "NIST:AC-2(3)", "NIST:IA-4", "MLPS:8.1.4.2c", "NIS2:11.5.2b", "NIS2:11.5.4"]

[title]
en = "Orphaned logins: enabled accounts that nobody answers for"
zh = "无人负责的启用账号"

[question]
en = "Does somebody who is known answer for every enabled account?"
zh = "每个启用的账号是否都有明确的负责人？"

[population]
en = "Enabled accounts, but for those that came with a system."
zh = "启用的账号（系统内置账号除外）。"

[remediation]
en = "Find out who uses the account and record the owner; a service or guest account needs a sponsor. Disable what nobody claims."
zh = "查明使用者并登记归属人；服务账号和来宾账号须指定责任人。无人认领的账号应停用。"

[parameters]
as_of             = "Moment of the snapshot, UTC."
time_zone         = "Zone whose calendar days count."
leaver_grace_days = "Whole days after the last day before a sponsor counts as gone."

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
[columns.email]
en = "E-mail"
zh = "邮箱"
[columns.match_rule]
en = "Owner found by"
zh = "归属依据"
[columns.sponsor_name]
en = "Sponsor"
zh = "责任人"

[reasons.no_owner]
en = "Nobody HR or the directory knows could be matched to {login} ({display_name})."
zh = "在人事或目录数据中找不到账号{login}（{display_name}）对应的人员。"
[reasons.service_without_sponsor]
en = "{login} is a service account, and nobody who works here is named to answer for it."
zh = "{login}是服务账号，但没有指定在职的责任人。"
[reasons.guest_without_sponsor]
en = "{login} is a guest's account, and nobody who works here is named as the guest's sponsor."
zh = "{login}是来宾账号，但没有指定在职的邀请人或责任人。"
[reasons.owned]
en = "{login} belongs to {display_name}."
zh = "账号{login}的归属人为{display_name}。"
[reasons.sponsored]
en = "{sponsor_name} answers for {login}."
zh = "账号{login}由{sponsor_name}负责。"
[reasons.no_identities]
en = "The snapshot holds nobody's record from HR or a directory, so an owner for {login} cannot be looked for."
zh = "本次快照中没有人事或目录数据，无法判断账号{login}的归属。"
*/
with current_people as (
    select
        identities.identity_id,
        identities.display_name
    from snapshot.identities
    where
        coalesce(identities.start_date > identities.end_date, false)
        or (
            identities.end_date is null
            and identities.employment_status <> 'left'
        )
        or identities.end_date + $leaver_grace_days::integer
        >= ($as_of at time zone $time_zone)::date
),

knowledge as (
    select count(*) > 0 as has_identities
    from snapshot.identities
),

tested as (
    select
        account_people.*,
        coalesce(current_people.display_name, current_people.identity_id)
            as sponsor_name,
        case
            when not knowledge.has_identities then 'no_identities'
            when account_people.identity_id is not null then 'owned'
            when account_people.account_type not in ('service', 'guest') then 'no_owner'
            when current_people.identity_id is not null then 'sponsored'
            when account_people.account_type = 'service' then 'service_without_sponsor'
            else 'guest_without_sponsor'
        end as reason
    from snapshot.account_people
    inner join snapshot.accounts
        on account_people.account_id = accounts.account_id
    left join current_people
        on accounts.sponsor_identity_id = current_people.identity_id
    cross join knowledge
    where account_people.is_enabled and account_people.account_type <> 'builtin'
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
    tested.email,
    tested.match_rule,
    tested.sponsor_name,
    case
        when tested.reason = 'no_identities' then 'unknown'
        when tested.reason in ('owned', 'sponsored') then 'pass'
        else 'fail'
    end as status,
    tested.reason

from tested

order by tested.source, tested.login nulls last, tested.account_id
