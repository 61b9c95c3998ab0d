/*
purpose = "What a review asks about: every grant once, and every account that holds none, with the facts a reviewer needs and what changed since the prior snapshot."

[parameters]
has_prior = "Whether there is a prior snapshot to compare with."
*/
with held as (
    -- The same entitlement by two ways is one thing to decide.
    select
        grants.account_id,
        grants.entitlement_id,
        string_agg(distinct grants.via, ', ' order by grants.via) as via,
        min(grants.granted_at) as granted_at,
        min(grants.granted_by) as granted_by,
        max(grants.valid_until) as grant_valid_until,
        min(grants.source) as source
    from snapshot.grants
    group by grants.account_id, grants.entitlement_id
),

held_before as (
    select distinct
        grants.account_id,
        grants.entitlement_id
    from prior.grants
),

asked as (
    select held.*
    from held

    union all by name

    select
        accounts.account_id,
        accounts.source
    from snapshot.accounts
    anti join held
        on accounts.account_id = held.account_id
),

colleagues as (
    -- People of one department with an enabled account in one source.
    select
        account_people.department_id,
        account_people.source,
        count(distinct account_people.identity_id) as peers
    from snapshot.account_people
    where
        account_people.is_enabled
        and account_people.identity_id is not null
        and account_people.department_id is not null
    group by account_people.department_id, account_people.source
),

colleagues_holding as (
    select
        account_people.department_id,
        held.entitlement_id,
        count(distinct account_people.identity_id) as peer_holders
    from held
    inner join snapshot.account_people
        on held.account_id = account_people.account_id
    where
        account_people.is_enabled
        and account_people.identity_id is not null
        and account_people.department_id is not null
    group by account_people.department_id, held.entitlement_id
),

sources_before as (
    select distinct accounts.source
    from prior.accounts
)

select
    asked.account_id,
    asked.entitlement_id,
    coalesce(accounts.source, asked.source) as source,
    accounts.account_id is null as is_account_missing,
    accounts.login,
    coalesce(account_people.display_name, accounts.login) as display_name,
    account_people.identity_id,
    account_people.match_rule,
    account_people.department_id,
    account_people.department_name,
    account_people.job_title,
    account_people.employment_type,
    account_people.employment_status,
    account_people.end_date,
    accounts.account_type,
    accounts.is_enabled,
    accounts.mfa_state,
    accounts.created_at as account_created_at,
    greatest(
        accounts.last_login_at, account_activity.last_success_at
    ) as last_login_at,
    case
        when
            account_activity.last_success_at >= accounts.last_login_at
            or accounts.last_login_at is null
            then case
                when account_activity.last_success_at is not null then 'success'
            end
        else accounts.last_login_basis
    end as last_login_basis,
    accounts.never_logged_in,
    accounts.password_changed_at,
    accounts.sponsor_identity_id,
    coalesce(entitlements.name, entitlements.native_id, asked.entitlement_id)
        as entitlement_name,
    entitlements.kind as entitlement_kind,
    entitlements.description as entitlement_description,
    entitlements.abilities,
    entitlements.data_scope,
    entitlements.is_privileged,
    asked.via,
    asked.granted_at,
    asked.granted_by,
    asked.grant_valid_until,
    colleagues.peers,
    colleagues_holding.peer_holders,
    case
        when not $has_prior or sources_before.source is null then 'first_review'
        when prior_accounts.account_id is null then 'new'
        when asked.entitlement_id is not null and held_before.account_id is null
            then 'new'
        else 'same'
    end as change,
    -- A fact told now and not told before, or the other way round, is a change too.
    nullif(
        concat_ws(
            ',',
            case
                when
                    accounts.is_enabled
                    is distinct from prior_accounts.is_enabled
                    then 'is_enabled'
            end,
            case
                when
                    accounts.account_type
                    is distinct from prior_accounts.account_type
                    then 'account_type'
            end,
            case
                when
                    account_people.identity_id
                    is distinct from prior_people.identity_id
                    then 'owner'
            end,
            case
                when
                    account_people.department_id
                    is distinct from prior_people.department_id
                    then 'department'
            end,
            case
                when
                    account_people.job_title
                    is distinct from prior_people.job_title
                    then 'job_title'
            end,
            case
                when
                    entitlements.name
                    is distinct from prior_entitlements.name
                    then 'name'
            end,
            case
                when
                    entitlements.is_privileged
                    is distinct from prior_entitlements.is_privileged
                    then 'is_privileged'
            end,
            case
                when
                    entitlements.abilities
                    is distinct from prior_entitlements.abilities
                    then 'abilities'
            end,
            case
                when
                    entitlements.data_scope
                    is distinct from prior_entitlements.data_scope
                    then 'data_scope'
            end
        ),
        ''
    ) as changed_fields

from asked
left join snapshot.accounts
    on asked.account_id = accounts.account_id
left join snapshot.account_people
    on asked.account_id = account_people.account_id
left join snapshot.account_activity
    on asked.account_id = account_activity.account_id
left join snapshot.entitlements
    on asked.entitlement_id = entitlements.entitlement_id
left join colleagues
    on
        account_people.department_id = colleagues.department_id
        and accounts.source = colleagues.source
left join colleagues_holding
    on
        account_people.department_id = colleagues_holding.department_id
        and asked.entitlement_id = colleagues_holding.entitlement_id
left join sources_before
    on accounts.source = sources_before.source
left join prior.accounts as prior_accounts
    on asked.account_id = prior_accounts.account_id
left join prior.account_people as prior_people
    on asked.account_id = prior_people.account_id
left join prior.entitlements as prior_entitlements
    on asked.entitlement_id = prior_entitlements.entitlement_id
left join held_before
    on
        asked.account_id = held_before.account_id
        and asked.entitlement_id = held_before.entitlement_id

order by asked.account_id, asked.entitlement_id nulls first
