/*
id       = "leaver_accounts"
family   = "leavers"
severity = "critical"
subject  = "account"
controls = ["SOC2:CC6.2", "SOC2:CC6.3", "ISO27001:A.5.18", "ISO27001:A.6.5", "PCI:8.2.5", "NIST:AC-2(3)", "NIST:PS-4", "MLPS:8.1.4.2c", "NIS2:11.2.2b"]

[title]
en = "Orphaned logins: enabled accounts of people who have left"
zh = "离职人员的账号仍可登录"

[question]
en = "Does every enabled account belong to somebody who still works here?"
zh = "每个启用的账号是否都属于在职人员？"

[population]
en = "Enabled accounts."
zh = "启用的账号。"

[remediation]
en = "Disable the account, end its sessions, and hand its records to the manager."
zh = "停用该账号并结束其会话，将其客户等记录移交给上级。"

[parameters]
as_of             = "Moment of the snapshot, UTC."
time_zone         = "Zone whose calendar days count."
leaver_grace_days = "Whole days after the last day before an enabled account fails."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.employment_status]
en = "Employment"
zh = "任职状态"
[columns.end_date]
en = "Last day"
zh = "离职日期"
[columns.days_since]
en = "Days since"
zh = "已离职天数"

[reasons.owner_left]
en = "{display_name} left on {end_date}, {days_since} days ago, and {login} still works."
zh = "{display_name}已于{end_date}离职（{days_since}天前），账号{login}仍可登录。"
[reasons.left_without_date]
en = "{display_name} has left on a date nobody told, and {login} still works."
zh = "{display_name}已离职（日期不详），账号{login}仍可登录。"
[reasons.employed]
en = "{display_name} is employed, or within the days of grace."
zh = "{display_name}在职，或仍在宽限期内。"
[reasons.no_owner]
en = "Nobody is known to own {login}, so employment cannot be tested."
zh = "账号{login}找不到归属人，无法判断是否在职。"
[reasons.employment_unknown]
en = "The source does not tell whether {display_name} is still employed."
zh = "来源未提供{display_name}的任职状态，无法判断。"
*/
with tested as (
    select
        account_people.*,
        ($as_of at time zone $time_zone)::date as today,
        -- Somebody who started again after the last day has been rehired.
        coalesce(account_people.start_date > account_people.end_date, false)
            as is_rehired
    from snapshot.account_people
    where account_people.is_enabled
)

select
    tested.account_id as subject_id,
    tested.source,
    tested.account_id,
    tested.identity_id,
    tested.department_id,
    tested.display_name,
    tested.login,
    tested.department_name,
    tested.employment_status,
    tested.end_date,
    tested.today - tested.end_date as days_since,
    case
        when tested.identity_id is null then 'unknown'
        when tested.is_rehired then 'pass'
        when tested.end_date + $leaver_grace_days::integer < tested.today then 'fail'
        when tested.employment_status = 'left' and tested.end_date is null then 'fail'
        when tested.employment_status = 'unknown' and tested.end_date is null
            then 'unknown'
        else 'pass'
    end as status,
    case
        when tested.identity_id is null then 'no_owner'
        when tested.is_rehired then 'employed'
        when tested.end_date + $leaver_grace_days::integer < tested.today
            then 'owner_left'
        when tested.employment_status = 'left' and tested.end_date is null
            then 'left_without_date'
        when tested.employment_status = 'unknown' and tested.end_date is null
            then 'employment_unknown'
        else 'employed'
    end as reason

from tested

order by tested.end_date nulls last, tested.account_id
