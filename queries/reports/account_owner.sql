/*
purpose = "One account and whom it belongs to, and by which rule."

[parameters]
account_id = "The account."
*/
select
    account_owners.account_id,
    account_owners.identity_id,
    account_owners.match_rule

from snapshot.account_owners

where account_owners.account_id = $account_id

order by account_owners.account_id
