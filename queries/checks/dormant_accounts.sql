/*
id       = "dormant_accounts"
family   = "use"
severity = "medium"
subject  = "account"
controls = ["SOC2:CC6.2", "ISO27001:A.5.16", "ISO27001:A.5.18", "PCI:8.2.6", "NIST:AC-2(3)", "MLPS:8.1.4.2c", "NIS2:11.5.4"]

[title]
en = "Dormant accounts: enabled, and not used for a long time"
zh = "长期未使用但仍启用的账号"

[question]
en = "Is every enabled account still used?"
zh = "每个启用的账号是否仍在使用？"

[population]
en = "Enabled accounts."
zh = "启用的账号。"

[remediation]
en = "Ask the owner whether it is still needed; disable it if nobody answers."
zh = "向账号归属人确认是否仍需使用；无人答复则停用。"

[parameters]
as_of        = "Moment of the snapshot, UTC."
time_zone    = "Zone of the dates shown."
dormant_days = "Whole days without use, or since an unused account was created, that still pass."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.account_type]
en = "Kind of account"
zh = "账号类型"
[columns.last_used_on]
en = "Last used"
zh = "最近使用日期"
[columns.last_used_basis]
en = "Last use was"
zh = "使用记录性质"
[columns.created_on]
en = "Created"
zh = "创建日期"
[columns.days_idle]
en = "Days unused"
zh = "未使用天数"

[reasons.not_used_since]
en = "{login} was last used on {last_used_on}, {days_idle} days ago, and is still enabled."
zh = "账号{login}最近一次使用是{last_used_on}（{days_idle}天前），至今仍启用。"
[reasons.never_used]
en = "{login} was created on {created_on}, {days_idle} days ago, and has never been used."
zh = "账号{login}创建于{created_on}（{days_idle}天前），从未使用过。"
[reasons.in_use]
en = "{login} was used on {last_used_on}."
zh = "账号{login}最近一次使用是{last_used_on}，仍在使用。"
[reasons.newly_created]
en = "{login} was created on {created_on}, too recently to be dormant."
zh = "账号{login}创建于{created_on}，时间尚短，不属于长期未使用。"
[reasons.only_attempts]
en = "Somebody tried to use {login} on {last_used_on}; whether they got in is not told."
zh = "账号{login}在{last_used_on}有登录尝试，但来源未提供是否成功，无法判断。"
[reasons.not_told]
en = "{source} does not tell when {login} was last used."
zh = "来源{source}未提供账号{login}的最近使用时间，无法判断。"
[reasons.creation_not_told]
en = "{login} has never been used, and {source} does not tell when it was created."
zh = "账号{login}从未使用过，但来源{source}未提供创建时间，无法判断。"
*/
with uses as (
    select
        accounts.account_id,
        accounts.never_logged_in,
        accounts.created_at,
        greatest(
            case
                when accounts.last_login_basis = 'success' then accounts.last_login_at
            end,
            account_activity.last_success_at
        ) as success_at,
        -- A failed attempt is no use. One whose outcome nobody told may be.
        greatest(
            case
                when accounts.last_login_basis <> 'success' then accounts.last_login_at
            end,
            account_activity.last_unproven_at
        ) as unproven_at
    from snapshot.accounts
    left join snapshot.account_activity
        on accounts.account_id = account_activity.account_id
    where accounts.is_enabled
),

dated as (
    select
        uses.account_id,
        uses.never_logged_in,
        uses.success_at,
        uses.created_at,
        greatest(uses.success_at, uses.unproven_at) as used_at,
        $as_of - to_days($dormant_days::integer) as oldest
    from uses
),

judged as (
    select
        dated.*,
        case
            when dated.used_at < dated.oldest then 'not_used_since'
            when dated.success_at >= dated.oldest then 'in_use'
            -- An account cannot have lain idle for longer than it exists.
            when dated.created_at >= dated.oldest then 'newly_created'
            when dated.used_at is not null then 'only_attempts'
            when dated.never_logged_in is not true then 'not_told'
            when dated.created_at is null then 'creation_not_told'
            else 'never_used'
        end as reason
    from dated
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
    (judged.used_at at time zone $time_zone)::date as last_used_on,
    case
        when judged.used_at is null then null
        when judged.used_at = judged.success_at then 'success'
        else 'attempt'
    end as last_used_basis,
    (judged.created_at at time zone $time_zone)::date as created_on,
    date_sub('day', coalesce(judged.used_at, judged.created_at), $as_of) as days_idle,
    case
        when judged.reason in ('not_used_since', 'never_used') then 'fail'
        when judged.reason in ('in_use', 'newly_created') then 'pass'
        else 'unknown'
    end as status,
    judged.reason

from judged
inner join snapshot.account_people
    on judged.account_id = account_people.account_id

order by
    coalesce(judged.used_at, judged.created_at) nulls last,
    account_people.account_id
