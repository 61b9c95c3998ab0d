/*
id       = "peer_outliers"
family   = "privilege"
severity = "medium"
subject  = "grant"
controls = ["SOC2:CC6.3", "ISO27001:A.5.15", "ISO27001:A.5.18", "ISO27001:A.8.2", "PCI:7.2.2", "PCI:7.2.4", "NIST:AC-6(7)", "MLPS:8.1.4.2d", "NIS2:11.2.2a"]

[title]
en = "Access that hardly any colleague of the same job has"
zh = "同岗位同事几乎都没有的权限"

[question]
en = "Do people of one department and title hold much the same access?"
zh = "同一部门、同一职位的人员是否拥有大致相同的权限？"

[population]
en = "Every role or group that an enabled account of somebody at work holds."
zh = "在职人员的启用账号所持有的每个角色或权限组。"

[remediation]
en = "Ask the manager what it is needed for; take it away if nobody can say."
zh = "请上级说明用途；说不清用途的，收回该权限。"

[parameters]
as_of             = "Moment of the snapshot, UTC."
time_zone         = "Zone whose calendar days count."
leaver_grace_days = "Whole days after the last day before somebody counts as having left."
peer_minimum      = "Peers, the holder included, below which a share says nothing."
peer_share        = "Share of the peers below which what they hold is unusual."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.job_title]
en = "Job title"
zh = "职位"
[columns.entitlement_id]
en = "Entitlement"
zh = "权限编号"
[columns.entitlement_name]
en = "Access"
zh = "权限名称"
[columns.holders]
en = "Peers who hold it"
zh = "拥有该权限的同岗人数"
[columns.peers]
en = "Peers"
zh = "同岗人数"

[reasons.unusual]
en = "{display_name} holds {entitlement_name}: {holders} of {peers} people with the title {job_title} in {department_name} do."
zh = "{department_name}的{peers}名{job_title}中，拥有「{entitlement_name}」的只有{holders}人，{display_name}是其中之一。"
[reasons.usual]
en = "{holders} of {peers} people with the title {job_title} in {department_name} hold {entitlement_name}."
zh = "{department_name}的{peers}名{job_title}中，有{holders}人拥有「{entitlement_name}」，并不少见。"
[reasons.too_few_peers]
en = "{department_name} has too few people with the title {job_title} to compare: {peers}."
zh = "{department_name}的{job_title}只有{peers}人，人数太少，无法比较。"
[reasons.no_peer_group]
en = "Department or job title of {display_name} is not told, so there is nobody to compare with."
zh = "来源未提供{display_name}的部门或职位，无法与同岗位人员比较。"
*/
with working as (
    select account_people.*
    from snapshot.account_people
    where
        account_people.is_enabled
        and account_people.employment_status = 'active'
        -- Left, by the rule of leaver_accounts.
        and not coalesce(
            account_people.end_date + $leaver_grace_days::integer
            < ($as_of at time zone $time_zone)::date
            and not coalesce(
                account_people.start_date > account_people.end_date, false
            ),
            false
        )
),

peer_groups as (
    select
        working.source,
        working.department_id,
        working.job_title,
        count(distinct working.identity_id) as peers
    from working
    where working.department_id is not null and working.job_title is not null
    group by working.source, working.department_id, working.job_title
),

held as (
    select distinct
        grants.account_id,
        grants.entitlement_id
    from snapshot.grants
),

-- A person with two accounts in the source counts once.
held_by_people as (
    select distinct
        working.source,
        working.department_id,
        working.job_title,
        working.identity_id,
        held.entitlement_id
    from held
    inner join working
        on held.account_id = working.account_id
    where working.department_id is not null and working.job_title is not null
),

holdings as (
    select
        held_by_people.source,
        held_by_people.department_id,
        held_by_people.job_title,
        held_by_people.entitlement_id,
        count(*) as holders
    from held_by_people
    group by
        held_by_people.source,
        held_by_people.department_id,
        held_by_people.job_title,
        held_by_people.entitlement_id
),

judged as (
    select
        working.*,
        held.entitlement_id,
        holdings.holders,
        peer_groups.peers,
        case
            when peer_groups.peers is null then 'no_peer_group'
            when peer_groups.peers < $peer_minimum::integer then 'too_few_peers'
            when holdings.holders / peer_groups.peers < $peer_share::double
                then 'unusual'
            else 'usual'
        end as reason
    from held
    inner join working
        on held.account_id = working.account_id
    left join peer_groups
        on
            working.source = peer_groups.source
            and working.department_id = peer_groups.department_id
            and working.job_title = peer_groups.job_title
    left join holdings
        on
            working.source = holdings.source
            and working.department_id = holdings.department_id
            and working.job_title = holdings.job_title
            and held.entitlement_id = holdings.entitlement_id
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
    judged.entitlement_id,
    coalesce(entitlements.name, judged.entitlement_id) as entitlement_name,
    judged.holders,
    judged.peers,
    case judged.reason
        when 'unusual' then 'fail'
        when 'usual' then 'pass'
        else 'unknown'
    end as status,
    judged.reason

from judged
left join snapshot.entitlements
    on judged.entitlement_id = entitlements.entitlement_id

order by judged.account_id, judged.entitlement_id
