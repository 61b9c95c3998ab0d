/*
id       = "conflicting_entitlements"
family   = "privilege"
severity = "high"
subject  = "identity"
controls = ["SOC2:CC6.3", "ISO27001:A.5.3", "PCI:7.2.1", "PCI:7.2.2", "NIST:AC-5", "MLPS:8.1.4.2d", "NIS2:11.2.2a"]

[title]
en = "Two duties in one hand that must be apart"
zh = "职责未分离：一人兼有互斥的权限"

[question]
en = "Is there always a second person where the policy asks for one?"
zh = "制度要求两人分工的事项，是否确由两人完成？"

[population]
en = "Every person, or account without an owner, who effectively holds at least one side of a rule, for each rule."
zh = "对每条规则，实际拥有其中至少一方权限的人员（或无归属人的账号）。"

[remediation]
en = "Decide which of the two duties the person keeps, and take the other away."
zh = "确定保留其中一项职责，收回另一项权限。"

[parameters]
sod_rules = "Pairs of duties that one person must not hold; each side a pattern of names."

[columns.rule_id]
en = "Rule"
zh = "规则编号"
[columns.title_en]
en = "Conflict"
zh = "冲突（英文）"
[columns.title_zh]
en = "Conflict (Chinese)"
zh = "冲突"
[columns.first_held]
en = "First side"
zh = "第一项权限"
[columns.second_held]
en = "Second side"
zh = "第二项权限"
[columns.logins]
en = "Logins"
zh = "登录名"
[columns.untold_sources]
en = "Systems that do not tell grants"
zh = "未提供授权明细的系统"

[reasons.holds_both]
en = "{display_name} holds both {first_held} and {second_held}. {title_en}."
zh = "{display_name}同时拥有「{first_held}」和「{second_held}」：{title_zh}。"
[reasons.holds_one]
en = "{display_name} holds only one of the two sides."
zh = "{display_name}只拥有其中一项权限。"
[reasons.other_account_not_told]
en = "{display_name} holds one side and has another account in {untold_sources}, which does not tell what it may do."
zh = "{display_name}拥有其中一项权限，且在{untold_sources}另有账号，而该系统未提供授权明细，无法判断。"
*/
with listed as (
    select
        unnest(
            $sod_rules::struct(
                id varchar,
                title_en varchar,
                title_zh varchar,
                first varchar,
                second varchar
            )[]
        ) as rule
),

rules as (
    select
        listed.rule.id as rule_id,
        listed.rule.title_en,
        listed.rule.title_zh,
        listed.rule.first as first_pattern,
        listed.rule.second as second_pattern
    from listed
),

-- Patterns are matched once for each entitlement, never for each grant.
matched as (
    select
        rules.rule_id,
        entitlements.entitlement_id,
        entitlements.name,
        regexp_matches(entitlements.name, rules.first_pattern, 'i') as is_first,
        regexp_matches(entitlements.name, rules.second_pattern, 'i') as is_second
    from snapshot.entitlements
    cross join rules
),

giving as (
    select
        matched.rule_id,
        entitlement_closure.holder_id as entitlement_id,
        matched.name,
        matched.is_first,
        matched.is_second
    from matched
    inner join snapshot.entitlement_closure
        on matched.entitlement_id = entitlement_closure.held_id
    where matched.is_first or matched.is_second
),

holders as (
    select
        account_people.*,
        coalesce(account_people.identity_id, account_people.account_id) as holder_id
    from snapshot.account_people
    where account_people.is_enabled
),

sides as (
    select
        holders.holder_id,
        giving.rule_id,
        min(holders.account_id) as account_id,
        arg_min(holders.source, holders.account_id) as source,
        min(holders.identity_id) as identity_id,
        arg_min(holders.department_id, holders.account_id) as department_id,
        arg_min(holders.display_name, holders.account_id) as display_name,
        string_agg(distinct giving.name, ' / ' order by giving.name)
        filter (where giving.is_first) as first_held,
        string_agg(distinct giving.name, ' / ' order by giving.name)
        filter (where giving.is_second) as second_held,
        string_agg(distinct holders.login, ' / ' order by holders.login) as logins
    from holders
    inner join snapshot.grants
        on holders.account_id = grants.account_id
    inner join giving
        on grants.entitlement_id = giving.entitlement_id
    group by holders.holder_id, giving.rule_id
),

untold as (
    select
        holders.holder_id,
        string_agg(distinct sources.title, ' / ' order by sources.title)
            as untold_sources
    from holders
    inner join snapshot.source_facts
        on holders.source = source_facts.source
    inner join snapshot.sources
        on holders.source = sources.source
    where source_facts.fact = 'grants' and not source_facts.is_told
    group by holders.holder_id
)

select
    sides.holder_id || ' > ' || sides.rule_id as subject_id,
    sides.source,
    sides.account_id,
    sides.identity_id,
    sides.department_id,
    sides.display_name,
    sides.rule_id,
    rules.title_en,
    rules.title_zh,
    sides.first_held,
    sides.second_held,
    sides.logins,
    untold.untold_sources,
    case
        when sides.first_held is not null and sides.second_held is not null
            then 'fail'
        when untold.untold_sources is not null then 'unknown'
        else 'pass'
    end as status,
    case
        when sides.first_held is not null and sides.second_held is not null
            then 'holds_both'
        when untold.untold_sources is not null then 'other_account_not_told'
        else 'holds_one'
    end as reason

from sides
inner join rules
    on sides.rule_id = rules.rule_id
left join untold
    on sides.holder_id = untold.holder_id

order by sides.rule_id, sides.holder_id
