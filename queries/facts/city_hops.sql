/*
purpose = "Consecutive successful logins of one account whose known city changed."
needs   = ["account_activity"]
*/
-- Few accounts are ever used from two cities: only their logins need to be put in order.
with located as (
    select
        login_events.account_id,
        login_events.at,
        login_events.city,
        lag(login_events.at) over account_logins as previous_at,
        lag(login_events.city) over account_logins as previous_city
    from snapshot.login_events
    inner join snapshot.account_activity
        on login_events.account_id = account_activity.account_id
    where
        account_activity.city_count > 1
        and login_events.outcome = 'success'
        and login_events.city is not null
    window
        account_logins as (
            partition by login_events.account_id
            order by login_events.at, login_events.city
        )
)

select
    located.account_id,
    located.at,
    located.city,
    located.previous_at,
    located.previous_city

from located

where located.previous_city <> located.city

order by located.account_id, located.at, located.city
