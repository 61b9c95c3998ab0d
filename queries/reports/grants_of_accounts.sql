/*
purpose = "What accounts hold, with everything each entitlement effectively gives."

[parameters]
account_ids = "The accounts."
*/
with effective as (
    select
        entitlement_closure.holder_id,
        bool_or(held.is_privileged) as is_privileged,
        list_sort(list_distinct(flatten(list(string_split(held.abilities, ',')))))
            as abilities,
        count(held.abilities) as told_count
    from snapshot.entitlement_closure
    inner join snapshot.entitlements as held
        on entitlement_closure.held_id = held.entitlement_id
    where
        entitlement_closure.holder_id in (
            select grants.entitlement_id
            from snapshot.grants
            where list_contains($account_ids::varchar[], grants.account_id)
        )
    group by entitlement_closure.holder_id
)

select
    grants.account_id,
    accounts.login,
    grants.source,
    grants.entitlement_id,
    coalesce(entitlements.name, grants.entitlement_id) as entitlement_name,
    entitlements.description,
    entitlements.kind,
    effective.is_privileged,
    case
        when effective.told_count > 0
            then
                array_to_string(
                    list_filter(
                        effective.abilities, lambda ability: ability <> ''
                    ),
                    ','
                )
    end as abilities,
    entitlements.data_scope,
    string_agg(distinct grants.via, ',' order by grants.via) as via,
    min(grants.granted_at) as granted_at,
    max(grants.valid_until) as valid_until,
    entitlements.entitlement_id is not null as is_known

from snapshot.grants
left join snapshot.accounts
    on grants.account_id = accounts.account_id
left join snapshot.entitlements
    on grants.entitlement_id = entitlements.entitlement_id
left join effective
    on grants.entitlement_id = effective.holder_id

where list_contains($account_ids::varchar[], grants.account_id)

group by all

order by
    effective.is_privileged desc nulls last, entitlement_name asc, grants.account_id asc
