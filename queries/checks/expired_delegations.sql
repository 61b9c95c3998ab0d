/*
id       = "expired_delegations"
family   = "privilege"
severity = "medium"
subject  = "grant"
controls = ["SOC2:CC6.3", "ISO27001:A.5.15", "ISO27001:A.5.18", "PCI:7.2.2", "PCI:7.2.4", "NIST:AC-6", "NIST:AC-6(7)", "MLPS:8.1.4.2c", "MLPS:8.1.4.2d", "NIS2:11.2.2a"]

[title]
en = "Lent or temporary access that was never taken back"
zh = "到期未收回的临时或代理权限"

[question]
en = "Was access that was lent, or given for a time, taken back when the time was over?"
zh = "临时授予或由他人转授的权限到期后是否已收回？"

[population]
en = "Roles and groups that enabled accounts were lent, or hold until a stated end."
zh = "启用账号通过转授获得或设有到期时间的角色和权限组。"

[remediation]
en = "Take the role away, or have its owner approve it anew with a new end."
zh = "收回该权限；确需延长的，由授权人重新审批并设定新的到期日。"

[parameters]
as_of     = "Moment of the snapshot, UTC."
time_zone = "Zone whose calendar days count."

[columns.login]
en = "Login"
zh = "登录名"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.entitlement_id]
en = "Entitlement id"
zh = "权限标识"
[columns.entitlement_name]
en = "Role or group"
zh = "角色或权限组"
[columns.delegated_by]
en = "Lent by"
zh = "转授人"
[columns.valid_until]
en = "Valid until"
zh = "有效期至"
[columns.days_over]
en = "Days overdue"
zh = "逾期天数"

[reasons.expired]
en = "{login} ({display_name}) still holds {entitlement_name}, which was to end at {valid_until}, {days_over} days ago."
zh = "账号{login}（{display_name}）仍持有“{entitlement_name}”，该权限应于{valid_until}到期，已逾期{days_over}天。"
[reasons.running]
en = "{login} may hold {entitlement_name} until {valid_until}."
zh = "账号{login}持有“{entitlement_name}”，有效期至{valid_until}，尚未到期。"
[reasons.no_end]
en = "{delegated_by} lent {entitlement_name} to {login}, and the source tells no end."
zh = "{delegated_by}将“{entitlement_name}”转授给账号{login}，来源未提供到期时间。"
*/
with limited as (
    select
        grants.account_id,
        grants.entitlement_id,
        min(grants.valid_until) as valid_until,
        min(grants.delegated_from) as delegated_from,
        bool_or(grants.valid_until is null) as has_no_end
    from snapshot.grants
    where grants.valid_until is not null or grants.delegated_from is not null
    group by grants.account_id, grants.entitlement_id
),

tested as (
    select
        account_people.*,
        limited.entitlement_id,
        limited.valid_until,
        coalesce(entitlements.name, limited.entitlement_id) as entitlement_name,
        coalesce(
            lenders.display_name, identities.display_name, limited.delegated_from
        ) as delegated_by,
        ($as_of at time zone $time_zone)::date
        - (limited.valid_until at time zone $time_zone)::date as days_over,
        case
            when limited.valid_until < $as_of then 'expired'
            when limited.has_no_end then 'no_end'
            else 'running'
        end as reason
    from limited
    inner join snapshot.account_people
        on limited.account_id = account_people.account_id
    left join snapshot.entitlements
        on limited.entitlement_id = entitlements.entitlement_id
    -- A source names the lender by account or by person.
    left join snapshot.account_people as lenders
        on limited.delegated_from = lenders.account_id
    left join snapshot.identities
        on limited.delegated_from = identities.identity_id
    where account_people.is_enabled
)

select
    tested.account_id || ' > ' || tested.entitlement_id as subject_id,
    tested.source,
    tested.account_id,
    tested.identity_id,
    tested.department_id,
    tested.display_name,
    tested.login,
    tested.department_name,
    tested.entitlement_id,
    tested.entitlement_name,
    tested.delegated_by,
    tested.valid_until,
    tested.days_over,
    case
        when tested.reason = 'expired' then 'fail'
        when tested.reason = 'no_end' then 'unknown'
        else 'pass'
    end as status,
    tested.reason

from tested

order by tested.valid_until nulls last, tested.account_id, tested.entitlement_id
