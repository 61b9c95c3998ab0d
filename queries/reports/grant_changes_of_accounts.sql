/*
purpose = "Grants that accounts gained or lost since the snapshot before."

[parameters]
account_ids = "The accounts."
*/
with held_now as (
    select distinct
        grants.account_id,
        grants.entitlement_id
    from snapshot.grants
    where list_contains($account_ids::varchar[], grants.account_id)
),

held_before as (
    select distinct
        grants.account_id,
        grants.entitlement_id
    from prior.grants
    where list_contains($account_ids::varchar[], grants.account_id)
),

changed as (
    select
        'gained' as change,
        held_now.account_id,
        held_now.entitlement_id
    from held_now
    anti join held_before
        on
            held_now.account_id = held_before.account_id
            and held_now.entitlement_id = held_before.entitlement_id

    union all

    select
        'lost' as change,
        held_before.account_id,
        held_before.entitlement_id
    from held_before
    anti join held_now
        on
            held_before.account_id = held_now.account_id
            and held_before.entitlement_id = held_now.entitlement_id
)

select
    changed.change,
    changed.account_id,
    changed.entitlement_id,
    coalesce(entitlements.name, former.name, changed.entitlement_id)
        as entitlement_name

from changed
left join snapshot.entitlements
    on changed.entitlement_id = entitlements.entitlement_id
left join prior.entitlements as former
    on changed.entitlement_id = former.entitlement_id

order by changed.change, changed.account_id, changed.entitlement_id
