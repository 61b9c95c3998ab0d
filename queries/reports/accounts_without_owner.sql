/*
purpose = "Enabled accounts that nobody owns, or that a person was confirmed to own."

[parameters]
*/
select
    accounts.account_id,
    accounts.source,
    accounts.login,
    accounts.display_name,
    accounts.email,
    accounts.phone,
    accounts.account_type,
    accounts.last_login_at,
    account_people.department_id,
    account_people.department_name,
    account_owners.identity_id,
    account_owners.match_rule

from snapshot.accounts
inner join snapshot.account_owners
    on accounts.account_id = account_owners.account_id
inner join snapshot.account_people
    on accounts.account_id = account_people.account_id

where
    accounts.is_enabled
    and (
        account_owners.identity_id is null or account_owners.match_rule = 'confirmed'
    )

order by accounts.source, accounts.login, accounts.account_id
