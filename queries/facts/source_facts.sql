/*
purpose = "Which source tells which fact, and for how many of its rows."
needs   = []
*/
-- declared_facts holds what each connector says it can tell. Events belong to the
-- source of the account they name, whoever delivered the log.
with counted as (
    select
        accounts.source,
        count(*) as row_count,
        count(accounts.is_enabled) as is_enabled,
        count(accounts.created_at) as created_at,
        count(*) filter (
            where accounts.last_login_at is not null or accounts.never_logged_in
        ) as last_login_at,
        count(accounts.password_changed_at) as password_changed_at,
        count(*) filter (where accounts.mfa_state <> 'unknown') as mfa_state,
        count(*) filter (where accounts.account_type <> 'unknown') as account_type
    from snapshot.accounts
    group by accounts.source
),

account_facts as (
    unpivot counted
    on is_enabled, created_at, last_login_at, password_changed_at, mfa_state,
    account_type
    into name fact value known_count
),

entitlement_counts as (
    select
        entitlements.source,
        count(*) as row_count,
        count(entitlements.is_privileged) as is_privileged,
        count(entitlements.abilities) as abilities
    from snapshot.entitlements
    group by entitlements.source
),

entitlement_facts as (
    unpivot entitlement_counts
    on is_privileged, abilities
    into name fact value known_count
),

identity_counts as (
    select
        identities.source,
        count(*) as row_count,
        count(identities.manager_id) as manager_id,
        count(*) filter (where identities.employment_status <> 'unknown')
            as employment_status
    from snapshot.identities
    group by identities.source
),

identity_facts as (
    unpivot identity_counts
    on manager_id, employment_status
    into name fact value known_count
),

all_counts as (
    select
        account_facts.source,
        'accounts.' || account_facts.fact as fact,
        account_facts.row_count,
        account_facts.known_count
    from account_facts
    union all
    select
        entitlement_facts.source,
        'entitlements.' || entitlement_facts.fact as fact,
        entitlement_facts.row_count,
        entitlement_facts.known_count
    from entitlement_facts
    union all
    select
        identity_facts.source,
        'identities.' || identity_facts.fact as fact,
        identity_facts.row_count,
        identity_facts.known_count
    from identity_facts
    union all
    -- A single permission has no data scope of its own; the role that holds it has.
    select
        entitlements.source,
        'entitlements.data_scope' as fact,
        count(*) filter (
            where entitlements.kind is null
            or entitlements.kind not in ('permission', 'directory')
        ) as row_count,
        count(*) filter (
            where entitlements.data_scope <> 'unknown'
            and (
                entitlements.kind is null
                or entitlements.kind not in ('permission', 'directory')
            )
        ) as known_count
    from snapshot.entitlements
    group by entitlements.source
    union all
    -- Only people who left have an end date.
    select
        identities.source,
        'identities.end_date' as fact,
        count(*) filter (where identities.employment_status = 'left') as row_count,
        count(identities.end_date) filter (where identities.employment_status = 'left')
            as known_count
    from snapshot.identities
    group by identities.source
    union all
    select
        grants.source,
        'grants.granted_at' as fact,
        count(*) as row_count,
        count(grants.granted_at) as known_count
    from snapshot.grants
    group by grants.source
    union all
    select
        accounts.source,
        'grants' as fact,
        count(*) as row_count,
        count(*) as known_count
    from snapshot.accounts
    group by accounts.source
    union all
    select
        accounts.source,
        'login_events' as fact,
        count(*) as row_count,
        count(*) as known_count
    from snapshot.accounts
    group by accounts.source
)

select
    all_counts.source,
    all_counts.fact,
    coalesce(declared_facts.fact is not null, false) as is_told,
    all_counts.row_count,
    case
        when declared_facts.fact is null then 0
        else all_counts.known_count
    end as known_count

from all_counts
left join snapshot.declared_facts
    on
        all_counts.source = declared_facts.source
        and all_counts.fact = declared_facts.fact

order by all_counts.source, all_counts.fact
