/*
id       = "export_rights"
family   = "privilege"
severity = "high"
subject  = "account"
controls = ["SOC2:CC6.3", "ISO27001:A.5.15", "ISO27001:A.8.2", "ISO27001:A.8.3", "PCI:7.2.1", "PCI:7.2.2", "NIST:AC-6", "MLPS:8.1.4.2d", "NIS2:11.2.2a"]

[title]
en = "Export of records in the wrong hands"
zh = "不应拥有导出权限的账号"

[question]
en = "May only those whose job needs it carry records out of the system?"
zh = "是否只有工作需要的人员才能将数据导出系统？"

[population]
en = "Enabled accounts."
zh = "启用的账号。"

[remediation]
en = "Take the export right away; give a report instead of a file where figures are needed."
zh = "收回导出权限；确需数据的，改为提供报表而非文件。"

[parameters]
export_titles = "Pattern of job titles that may export."
export_never  = "Employment types that never export, whatever the title."

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
[columns.exports_by]
en = "Export is given by"
zh = "导出权限来自"

[reasons.never_exports]
en = "{display_name} is an {employment_type} and can export records by {exports_by}; people so employed never may."
zh = "{display_name}（用工类型：{employment_type}）通过「{exports_by}」可以导出数据，而此类人员一律不得导出。"
[reasons.title_may_not_export]
en = "{display_name} ({job_title}) can export records by {exports_by}; this job does not need it."
zh = "{display_name}（{job_title}）通过「{exports_by}」可以导出数据，而该职位无需导出。"
[reasons.title_may_export]
en = "{display_name} ({job_title}) can export records by {exports_by}, as the job allows."
zh = "{display_name}（{job_title}）通过「{exports_by}」可以导出数据，符合职位需要。"
[reasons.holds_no_export]
en = "{login} holds nothing that exports records."
zh = "账号{login}没有导出权限。"
[reasons.no_owner]
en = "{login} can export records by {exports_by}, and nobody is known to own it."
zh = "账号{login}通过「{exports_by}」可以导出数据，但找不到归属人，无法判断。"
[reasons.title_not_told]
en = "{display_name} can export records by {exports_by}, and the job title is not told."
zh = "{display_name}通过「{exports_by}」可以导出数据，但来源未提供其职位，无法判断。"
[reasons.role_not_told]
en = "{login} holds a role whose rights {source} does not tell."
zh = "账号{login}持有的角色中，有来源{source}未说明权限的，无法判断。"
[reasons.abilities_not_told]
en = "{source} does not tell which roles can export records."
zh = "来源{source}未提供哪些角色可以导出数据，无法判断。"
*/
with exporting as (
    select distinct entitlement_closure.holder_id as entitlement_id
    from snapshot.entitlement_closure
    inner join snapshot.entitlements
        on entitlement_closure.held_id = entitlements.entitlement_id
    where list_contains(string_split(entitlements.abilities, ','), 'export')
),

holders as (
    select
        grants.account_id,
        string_agg(
            distinct coalesce(entitlements.name, entitlements.native_id), ' / '
            order by coalesce(entitlements.name, entitlements.native_id)
        ) as exports_by
    from snapshot.grants
    inner join exporting
        on grants.entitlement_id = exporting.entitlement_id
    inner join snapshot.entitlements
        on grants.entitlement_id = entitlements.entitlement_id
    group by grants.account_id
),

-- A role of which not all is told may export for all that is known.
blind as (
    select distinct grants.account_id
    from snapshot.grants
    inner join snapshot.entitlement_closure
        on grants.entitlement_id = entitlement_closure.holder_id
    inner join snapshot.entitlements
        on entitlement_closure.held_id = entitlements.entitlement_id
    where entitlements.abilities is null
),

telling as (
    select source_facts.source
    from snapshot.source_facts
    where source_facts.fact = 'entitlements.abilities' and source_facts.is_told
),

judged as (
    select
        account_people.*,
        holders.exports_by,
        case
            when holders.exports_by is null and telling.source is null
                then 'abilities_not_told'
            when holders.exports_by is null and blind.account_id is not null
                then 'role_not_told'
            when holders.exports_by is null then 'holds_no_export'
            when account_people.identity_id is null then 'no_owner'
            when
                list_contains($export_never::varchar[], account_people.employment_type)
                then 'never_exports'
            when account_people.job_title is null then 'title_not_told'
            when regexp_matches(account_people.job_title, $export_titles, 'i')
                then 'title_may_export'
            else 'title_may_not_export'
        end as reason
    from snapshot.account_people
    left join holders
        on account_people.account_id = holders.account_id
    left join blind
        on account_people.account_id = blind.account_id
    left join telling
        on account_people.source = telling.source
    where account_people.is_enabled
)

select
    judged.account_id as subject_id,
    judged.source,
    judged.account_id,
    judged.identity_id,
    judged.department_id,
    judged.display_name,
    judged.login,
    judged.department_name,
    judged.job_title,
    judged.employment_type,
    judged.exports_by,
    case
        when judged.reason in ('never_exports', 'title_may_not_export') then 'fail'
        when judged.reason in ('title_may_export', 'holds_no_export') then 'pass'
        else 'unknown'
    end as status,
    judged.reason

from judged

order by judged.source, judged.account_id
