/*
id       = "logins_after_leaving"
family   = "leavers"
severity = "critical"
subject  = "account"
controls = ["SOC2:CC6.1", "SOC2:CC6.2", "SOC2:CC7.2", "ISO27001:A.5.18", "ISO27001:A.6.5", "ISO27001:A.8.15", "ISO27001:A.8.16", "PCI:8.2.5", "NIST:AC-2(12)", "NIST:PS-4", "MLPS:8.1.4.2c", "MLPS:8.1.4.3"]

[title]
en = "Accounts used after their owner had left"
zh = "离职之后仍有登录的账号"

[question]
en = "Did nobody sign in with the account of a person who had already left?"
zh = "人员离职之后，其账号是否再无登录？"

[population]
en = "Accounts, enabled or not, whose owner has left and was not hired again."
zh = "归属人已离职且未重新入职的账号（无论是否启用）。"

[remediation]
en = "Disable the account and end its sessions now. Treat it as an incident: find out who signed in, and what was read, exported or changed after the last day."
zh = "立即停用账号并结束会话，按安全事件处理：查明登录者，以及离职日之后查看、导出或修改了哪些数据。"

[parameters]
as_of     = "Moment of the snapshot, UTC."
time_zone = "Zone whose midnight ends the last day."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.is_enabled]
en = "Enabled"
zh = "是否启用"
[columns.employment_status]
en = "Employment"
zh = "任职状态"
[columns.end_date]
en = "Last day"
zh = "离职日期"
[columns.login_count]
en = "Logins since"
zh = "离职后登录次数"
[columns.last_used_at]
en = "Last known use"
zh = "最近使用时间"

[reasons.logged_in]
en = "{display_name} left on {end_date}; since then {login} was signed in with {login_count} times, last at {last_used_at}."
zh = "{display_name}已于{end_date}离职，此后账号{login}又登录{login_count}次，最近一次为{last_used_at}。"
[reasons.last_login_later]
en = "{display_name} left on {end_date}, yet the system says {login} was last signed in with at {last_used_at}."
zh = "{display_name}已于{end_date}离职，但系统显示账号{login}最近一次登录为{last_used_at}。"
[reasons.not_used]
en = "No login with {login} is known after {display_name} left on {end_date}."
zh = "{display_name}于{end_date}离职后，未见账号{login}登录。"
[reasons.no_end_date]
en = "{display_name} has left on a date nobody told, so logins after it cannot be told apart."
zh = "{display_name}已离职但未提供离职日期，无法判断账号{login}是否在离职后登录。"
[reasons.no_logins_told]
en = "{source} tells neither logins nor a last successful login, so use of {login} after {end_date} cannot be tested."
zh = "来源{source}既未提供登录记录，也未提供最近一次成功登录，无法判断账号{login}在{end_date}之后是否登录。"
[reasons.attempt_only]
en = "Somebody tried {login} at {last_used_at}, after {display_name} had left on {end_date}; the source does not tell whether it worked."
zh = "{display_name}于{end_date}离职后，{last_used_at}仍有人尝试登录账号{login}，来源未说明是否成功。"
*/
with leavers as (
    select
        account_people.*,
        -- Midnight that ends the last day, where the people work.
        (account_people.end_date + 1)::timestamp at time zone $time_zone as left_at
    from snapshot.account_people
    where
        account_people.identity_id is not null
        -- Somebody who started again after the last day has been rehired.
        and not coalesce(account_people.start_date > account_people.end_date, false)
        and (
            account_people.employment_status = 'left'
            or account_people.end_date < ($as_of at time zone $time_zone)::date
        )
),

logins_since as (
    select
        login_events.account_id,
        count(*) as login_count,
        max(login_events.at) as last_login_at
    from snapshot.login_events
    inner join leavers
        on login_events.account_id = leavers.account_id
    where login_events.outcome = 'success' and login_events.at >= leavers.left_at
    group by login_events.account_id
),

telling as (
    select declared_facts.source
    from snapshot.declared_facts
    where declared_facts.fact = 'login_events'
),

tested as (
    select
        leavers.*,
        logins_since.login_count,
        coalesce(
            logins_since.last_login_at,
            accounts.last_login_at,
            account_activity.last_success_at
        ) as last_used_at,
        case
            when leavers.end_date is null then 'no_end_date'
            when logins_since.login_count > 0 then 'logged_in'
            when
                accounts.last_login_basis = 'success'
                and accounts.last_login_at >= leavers.left_at
                then 'last_login_later'
            when telling.source is not null then 'not_used'
            when accounts.last_login_at >= leavers.left_at then 'attempt_only'
            when accounts.never_logged_in then 'not_used'
            when
                accounts.last_login_basis = 'success'
                and accounts.last_login_at is not null
                then 'not_used'
            else 'no_logins_told'
        end as reason
    from leavers
    inner join snapshot.accounts
        on leavers.account_id = accounts.account_id
    left join logins_since
        on leavers.account_id = logins_since.account_id
    left join snapshot.account_activity
        on leavers.account_id = account_activity.account_id
    left join telling
        on leavers.source = telling.source
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
    tested.is_enabled,
    tested.employment_status,
    tested.end_date,
    coalesce(tested.login_count, 0) as login_count,
    tested.last_used_at,
    case
        when tested.reason in ('logged_in', 'last_login_later') then 'fail'
        when tested.reason = 'not_used' then 'pass'
        else 'unknown'
    end as status,
    tested.reason

from tested

order by tested.last_used_at desc nulls last, tested.account_id asc
