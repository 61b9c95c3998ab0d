/*
id       = "excess_privileges"
family   = "privilege"
severity = "high"
subject  = "grant"
controls = ["SOC2:CC6.3", "ISO27001:A.5.15", "ISO27001:A.5.18", "ISO27001:A.8.2", "ISO27001:A.8.3", "PCI:7.2.1", "PCI:7.2.2", "PCI:7.2.4", "NIST:AC-6", "MLPS:8.1.4.2d", "NIS2:11.2.2a"]

[title]
en = "Access beyond what the job needs"
zh = "超出岗位需要的权限"

[question]
en = "Does everybody hold only what people of their job may hold?"
zh = "每个人是否只拥有本岗位允许的权限？"

[population]
en = "Every existing role or group that an enabled account with an owner holds."
zh = "有归属人的启用账号所持有的每个现存角色或权限组。"

[remediation]
en = "Take the access away, or have its need approved and add it to the baseline of the job."
zh = "收回该权限；确有需要的，经审批后纳入该岗位的权限基线。"

[parameters]
baselines = "What a person of a title or employment type may hold; the first that fits applies."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.job_title]
en = "Job title"
zh = "职位"
[columns.employment_type]
en = "Employment type"
zh = "用工类型"
[columns.entitlement_id]
en = "Entitlement"
zh = "权限编号"
[columns.entitlement_name]
en = "Access"
zh = "权限名称"
[columns.granted_on]
en = "Granted (UTC date)"
zh = "授予日期（UTC）"
[columns.baseline_id]
en = "Baseline"
zh = "权限基线"

[reasons.beyond_baseline]
en = "{display_name} ({job_title}) holds {entitlement_name}, which the baseline {baseline_id} for this job does not allow."
zh = "{display_name}（{job_title}）拥有「{entitlement_name}」，超出该岗位的权限基线（{baseline_id}）。"
[reasons.within_baseline]
en = "{entitlement_name} is allowed for this job by the baseline {baseline_id}."
zh = "「{entitlement_name}」在该岗位的权限基线（{baseline_id}）之内。"
[reasons.job_not_told]
en = "Neither title nor employment type of {display_name} is told, so no baseline can apply."
zh = "来源未提供{display_name}的职位和用工类型，无法对照权限基线。"
[reasons.name_not_told]
en = "{source} does not tell the name of {entitlement_id}, so it cannot be compared with a baseline."
zh = "来源{source}未提供权限{entitlement_id}的名称，无法对照权限基线。"
[reasons.no_baseline]
en = "No baseline of the policy fits {display_name} ({job_title}, {employment_type})."
zh = "策略中没有适用于{display_name}（{job_title}，{employment_type}）的权限基线。"
*/
with numbered as (
    select
        unnest(
            $baselines::struct(
                id varchar, employment_types varchar[], titles varchar, allowed varchar
            )[]
        ) as rule,
        generate_subscripts($baselines, 1) as position
),

baselines as (
    select
        numbered.position,
        numbered.rule.id as baseline_id,
        numbered.rule.employment_types,
        numbered.rule.titles,
        numbered.rule.allowed
    from numbered
),

-- Patterns are matched once for each job and once for each name, never for each grant.
jobs as (
    select distinct
        identities.job_title,
        identities.employment_type
    from snapshot.identities
),

fitting as (
    select
        jobs.job_title,
        jobs.employment_type,
        min(baselines.position) as position
    from jobs
    inner join baselines
        on (
            len(baselines.employment_types) = 0
            or list_contains(baselines.employment_types, jobs.employment_type)
        )
        and (
            regexp_matches(jobs.job_title, baselines.titles, 'i')
            -- An intern without a title is an intern all the same.
            or (
                jobs.job_title is null
                and baselines.titles = '.'
                and len(baselines.employment_types) > 0
            )
        )
    group by jobs.job_title, jobs.employment_type
),

names as (
    select distinct entitlements.name
    from snapshot.entitlements
    where entitlements.name is not null
),

allowed as (
    select
        baselines.position,
        names.name
    from baselines
    inner join names
        on regexp_matches(names.name, baselines.allowed, 'i')
),

held as (
    select
        grants.account_id,
        grants.entitlement_id,
        min(grants.granted_at) as granted_at
    from snapshot.grants
    group by grants.account_id, grants.entitlement_id
),

judged as (
    select
        held.account_id,
        held.entitlement_id,
        (held.granted_at at time zone 'UTC')::date as granted_on,
        account_people.source,
        account_people.identity_id,
        account_people.department_id,
        account_people.display_name,
        account_people.login,
        account_people.department_name,
        account_people.job_title,
        account_people.employment_type,
        entitlements.name as entitlement_name,
        baselines.baseline_id,
        case
            when
                account_people.job_title is null
                and coalesce(account_people.employment_type, 'unknown') = 'unknown'
                then 'job_not_told'
            when entitlements.name is null then 'name_not_told'
            when fitting.position is null then 'no_baseline'
            when allowed.position is null then 'beyond_baseline'
            else 'within_baseline'
        end as reason
    from held
    inner join snapshot.account_people
        on held.account_id = account_people.account_id
    inner join snapshot.entitlements
        on held.entitlement_id = entitlements.entitlement_id
    left join fitting
        on
            account_people.job_title is not distinct from fitting.job_title
            and account_people.employment_type
            is not distinct from fitting.employment_type
    left join baselines
        on fitting.position = baselines.position
    left join allowed
        on
            fitting.position = allowed.position
            and entitlements.name = allowed.name
    where account_people.is_enabled and account_people.identity_id is not null
)

select
    judged.account_id || ' > ' || judged.entitlement_id as subject_id,
    judged.source,
    judged.account_id,
    judged.identity_id,
    judged.department_id,
    judged.display_name,
    judged.login,
    judged.department_name,
    judged.job_title,
    judged.employment_type,
    judged.entitlement_id,
    judged.entitlement_name,
    judged.granted_on,
    judged.baseline_id,
    case judged.reason
        when 'beyond_baseline' then 'fail'
        when 'within_baseline' then 'pass'
        else 'unknown'
    end as status,
    judged.reason

from judged

order by judged.account_id, judged.entitlement_id
