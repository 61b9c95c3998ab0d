/*
purpose = "Everything an entitlement effectively gives, itself included."
needs   = []
*/
with recursive holdings as (
    select
        entitlements.entitlement_id as holder_id,
        entitlements.entitlement_id as held_id
    from snapshot.entitlements

    union

    -- "union" and not "union all": groups that nest each other end here.
    select
        holdings.holder_id,
        entitlement_members.child_id as held_id
    from holdings
    inner join snapshot.entitlement_members
        on holdings.held_id = entitlement_members.parent_id
)

select
    holdings.holder_id,
    holdings.held_id

from holdings

order by holdings.holder_id, holdings.held_id
