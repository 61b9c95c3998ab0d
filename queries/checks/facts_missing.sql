/*
id       = "facts_missing"
family   = "governance"
severity = "low"
subject  = "source"
controls = ["SOC2:CC4.1", "ISO27001:A.5.36", "PCI:7.2.4", "NIST:AC-2"]

[title]
en = "Facts a review needs and a source does not tell"
zh = "来源未提供的审阅所需信息"

[question]
en = "Does every source tell what the checks need to know?"
zh = "每个来源是否都提供了检查所需的信息？"

[population]
en = "Every fact a review leans on, for every source that has rows it could be told for."
zh = "每个来源中，与审阅有关且该来源有相应数据的每项信息。"

[remediation]
en = "Have the source's administrator add the field to the extract, or record that it has none."
zh = "请系统管理员在导出中补充该字段；系统确无此信息的，予以书面说明。"

[parameters]
fact_share = "Share of the rows below which a fact counts as told in part only."

[columns.fact]
en = "Field"
zh = "字段"
[columns.fact_en]
en = "Fact"
zh = "信息（英文）"
[columns.fact_zh]
en = "Fact (Chinese)"
zh = "信息"
[columns.known_count]
en = "Rows told"
zh = "已提供行数"
[columns.row_count]
en = "Rows"
zh = "总行数"
[columns.known_percent]
en = "Percent told"
zh = "提供比例（%）"

[reasons.not_told]
en = "{display_name} does not tell {fact_en}, so whatever depends on it stays unknown."
zh = "{display_name}未提供{fact_zh}，与之有关的检查均无法判断。"
[reasons.partly_told]
en = "{display_name} tells {fact_en} for {known_count} of {row_count} rows only."
zh = "{display_name}只提供了部分{fact_zh}：{row_count}行中仅{known_count}行。"
[reasons.told]
en = "{display_name} tells {fact_en}: {known_count} of {row_count} rows."
zh = "{display_name}已提供{fact_zh}：{row_count}行中有{known_count}行。"
*/
with review_facts (fact, fact_en, fact_zh) as (
    values
    ('accounts.account_type', 'what kind each account is', '账号类型'),
    ('accounts.created_at', 'when accounts were created', '账号创建时间'),
    ('accounts.is_enabled', 'whether accounts are enabled', '账号启用状态'),
    ('accounts.last_login_at', 'when accounts were last used', '最近登录时间'),
    ('accounts.mfa_state', 'whether accounts have a second factor', '双因素验证状态'),
    ('accounts.password_changed_at', 'when passwords were changed', '密码更换时间'),
    ('entitlements.abilities', 'what roles let their holders do', '角色可执行的操作'),
    ('entitlements.data_scope', 'whose records roles let their holders see', '角色的数据范围'),
    ('entitlements.is_privileged', 'which roles are privileged', '角色是否属于特权'),
    ('grants.granted_at', 'when access was granted', '权限授予时间'),
    ('identities.end_date', 'the last day of people who left', '离职日期'),
    ('identities.employment_status', 'who is still employed', '任职状态'),
    ('identities.manager_id', 'who manages whom', '直属上级'),
    ('login_events', 'single logins', '登录日志')
)

select
    source_facts.source || ' > ' || source_facts.fact as subject_id,
    source_facts.source,
    null::varchar as account_id,
    null::varchar as identity_id,
    null::varchar as department_id,
    sources.title as display_name,
    source_facts.fact,
    review_facts.fact_en,
    review_facts.fact_zh,
    source_facts.known_count,
    source_facts.row_count,
    -- Null where there is nobody to tell it of: without leavers, no last day is owed.
    floor(100.0 * source_facts.known_count / nullif(source_facts.row_count, 0))::integer
        as known_percent,
    case
        when not source_facts.is_told then 'fail'
        when source_facts.known_count / source_facts.row_count < $fact_share::double
            then 'fail'
        else 'pass'
    end as status,
    case
        when not source_facts.is_told then 'not_told'
        when source_facts.known_count / source_facts.row_count < $fact_share::double
            then 'partly_told'
        else 'told'
    end as reason

from snapshot.source_facts
inner join review_facts
    on source_facts.fact = review_facts.fact
inner join snapshot.sources
    on source_facts.source = sources.source

order by source_facts.source, source_facts.fact
