/*
purpose = "The most recent login events of accounts, newest first."

[parameters]
account_ids = "The accounts."
limit       = "How many events."
*/
select
    login_events.at,
    login_events.account_id,
    login_events.login,
    login_events.source,
    login_events.outcome,
    login_events.failure_reason,
    login_events.ip,
    login_events.city,
    login_events.country,
    login_events.device

from snapshot.login_events

where list_contains($account_ids::varchar[], login_events.account_id)

order by
    login_events.at desc,
    login_events.account_id asc,
    login_events.ip asc,
    login_events.source_row asc

limit $limit
