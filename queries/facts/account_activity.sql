/*
purpose = "What the login events say of each account that has any."
needs   = []
*/
select
    login_events.account_id,
    count(*) filter (where login_events.outcome = 'success') as success_count,
    count(*) filter (where login_events.outcome = 'failure') as failure_count,
    min(login_events.at) filter (where login_events.outcome = 'success')
        as first_success_at,
    max(login_events.at) filter (where login_events.outcome = 'success')
        as last_success_at,
    max(login_events.at) as last_attempt_at,
    -- Neither a proved use nor a proved failure: somebody may have got in.
    max(login_events.at) filter (where login_events.outcome = 'unknown')
        as last_unproven_at,
    count(distinct login_events.device) filter (where login_events.outcome = 'success')
        as device_count,
    count(distinct login_events.city) filter (where login_events.outcome = 'success')
        as city_count

from snapshot.login_events

where login_events.account_id is not null

group by login_events.account_id

order by login_events.account_id
