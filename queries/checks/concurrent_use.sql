/*
id       = "concurrent_use"
family   = "shared"
severity = "high"
subject  = "account"
controls = ["SOC2:CC6.1", "ISO27001:A.5.16", "ISO27001:A.5.17", "ISO27001:A.8.5", "PCI:8.2.1", "PCI:8.2.2", "NIST:AC-2(9)", "NIST:IA-2", "NIST:IA-4", "MLPS:8.1.4.1a", "MLPS:8.1.4.2c", "NIS2:11.5.2b", "NIS2:11.5.3"]

[title]
en = "Accounts used from two cities at once"
zh = "同一账号几乎同时在两地登录"

[question]
en = "Is every account used from one place at a time, as one person would?"
zh = "每个账号在同一时间是否只在一地使用？"

[population]
en = "Enabled accounts."
zh = "启用的账号。"

[remediation]
en = "Ask the owner who else knows the password. Change it, set up 2FA, and give everybody who used the account one of their own."
zh = "向归属人核实还有谁知道密码；更换密码并启用双因素验证，为其他使用者开通个人账号。"

[parameters]
time_zone          = "Zone whose calendar days count."
concurrent_minutes = "Two cities at most this many minutes apart overlap."
concurrent_days    = "Days with such an overlap from which on an account fails."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.day_count]
en = "Days with an overlap"
zh = "异地重叠天数"
[columns.overlap_count]
en = "Overlaps"
zh = "异地重叠次数"
[columns.last_overlap_at]
en = "Last overlap"
zh = "最近一次"
[columns.minutes_apart]
en = "Minutes apart"
zh = "间隔分钟"
[columns.first_city]
en = "First city"
zh = "先登录城市"
[columns.second_city]
en = "Second city"
zh = "后登录城市"

[reasons.two_places]
en = "On {day_count} days {login} was used from two cities at nearly the same time, last at {last_overlap_at}: {first_city}, then {second_city} {minutes_apart} minutes later."
zh = "账号{login}有{day_count}天几乎同时在两地登录，最近一次为{last_overlap_at}：先在{first_city}，{minutes_apart}分钟后在{second_city}。"
[reasons.too_few_days]
en = "{login} was used from {first_city} and {second_city} {minutes_apart} minutes apart at {last_overlap_at}, but on {day_count} days only: a telephone or a wrong location may explain it."
zh = "账号{login}于{last_overlap_at}在{first_city}和{second_city}登录，间隔{minutes_apart}分钟，但仅出现{day_count}天，可能是手机网络或定位误差。"
[reasons.one_place]
en = "{login} was never used from two cities at nearly the same time."
zh = "账号{login}未出现几乎同时在两地登录的情况。"
[reasons.no_events]
en = "{source} tells no logins with a city, so overlapping use of {login} cannot be tested."
zh = "来源{source}未提供带城市的登录记录，无法判断账号{login}是否被多人同时使用。"
[reasons.no_city]
en = "The logins of {login} come without a city, so overlapping use cannot be tested."
zh = "账号{login}的登录记录没有城市信息，无法判断是否被多人同时使用。"
*/
with near_hops as (
    select
        city_hops.account_id,
        city_hops.at,
        city_hops.city,
        city_hops.previous_city,
        (city_hops.at at time zone $time_zone)::date as day,
        datediff('minute', city_hops.previous_at, city_hops.at) as minutes_apart,
        row_number() over (
            partition by city_hops.account_id
            order by city_hops.at desc, city_hops.city asc, city_hops.previous_city asc
        ) as newest
    from snapshot.city_hops
    where
        city_hops.at - city_hops.previous_at
        <= to_minutes($concurrent_minutes::bigint)
),

overlapping as (
    select
        near_hops.account_id,
        count(*) as overlap_count,
        count(distinct near_hops.day) as day_count,
        max(near_hops.at) as last_overlap_at,
        max(near_hops.minutes_apart) filter (where near_hops.newest = 1) as minutes_apart,
        max(near_hops.previous_city) filter (where near_hops.newest = 1) as first_city,
        max(near_hops.city) filter (where near_hops.newest = 1) as second_city
    from near_hops
    group by near_hops.account_id
),

telling as (
    select declared_facts.source
    from snapshot.declared_facts
    where declared_facts.fact = 'login_events.city'
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
    coalesce(overlapping.day_count, 0) as day_count,
    coalesce(overlapping.overlap_count, 0) as overlap_count,
    overlapping.last_overlap_at,
    overlapping.minutes_apart,
    overlapping.first_city,
    overlapping.second_city,
    case
        when overlapping.day_count >= $concurrent_days::integer then 'fail'
        when telling.source is null then 'unknown'
        when account_activity.success_count > 0 and account_activity.city_count = 0
            then 'unknown'
        else 'pass'
    end as status,
    case
        when overlapping.day_count >= $concurrent_days::integer then 'two_places'
        when telling.source is null then 'no_events'
        when account_activity.success_count > 0 and account_activity.city_count = 0
            then 'no_city'
        when overlapping.day_count > 0 then 'too_few_days'
        else 'one_place'
    end as reason

from snapshot.account_people
left join overlapping
    on account_people.account_id = overlapping.account_id
left join snapshot.account_activity
    on account_people.account_id = account_activity.account_id
left join telling
    on account_people.source = telling.source

where account_people.is_enabled

order by
    coalesce(overlapping.day_count, 0) desc,
    overlapping.last_overlap_at desc nulls last,
    account_people.account_id asc
