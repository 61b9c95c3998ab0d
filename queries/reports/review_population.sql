/*
purpose = "How many rows each source gives a review, counted from the tables themselves: what the review must account for."

[parameters]
*/
with pairs as (
    select
        grants.account_id,
        grants.entitlement_id,
        coalesce(min(accounts.source), min(grants.source)) as source
    from snapshot.grants
    left join snapshot.accounts
        on grants.account_id = accounts.account_id
    group by grants.account_id, grants.entitlement_id
),

counted as (
    select
        pairs.source,
        count(*) as accepted
    from pairs
    group by pairs.source

    union all

    select
        accounts.source,
        count(*) as accepted
    from snapshot.accounts
    where
        accounts.account_id not in (
            select grants.account_id
            from snapshot.grants
        )
    group by accounts.source
)

select
    counted.source,
    sum(counted.accepted)::bigint as accepted

from counted

group by counted.source

order by counted.source
