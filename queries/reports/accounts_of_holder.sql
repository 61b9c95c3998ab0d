/*
purpose = "The accounts of one person, or of whoever owns one account."

[parameters]
identity_id   = "The person; null when an account is asked for."
account_id    = "The account; null when a person is asked for."
departments   = "Departments the reader may see."
is_everything = "Whether the reader may see every row."
*/
with wanted as (
    select account_people.identity_id
    from snapshot.account_people
    where
        account_people.identity_id = $identity_id
        or ($identity_id is null and account_people.account_id = $account_id)
)

select
    account_people.account_id,
    account_people.identity_id,
    account_people.source,
    account_people.login,
    account_people.display_name,
    account_people.account_name,
    account_people.account_type,
    account_people.is_enabled,
    account_people.match_rule,
    accounts.mfa_state,
    accounts.mfa_methods,
    accounts.created_at,
    coalesce(account_activity.last_success_at, accounts.last_login_at)
        as last_login_at,
    accounts.password_changed_at,
    accounts.valid_until,
    account_people.department_id,
    account_people.department_name,
    accounts.source_file,
    accounts.source_row

from snapshot.account_people
inner join snapshot.accounts
    on account_people.account_id = accounts.account_id
left join snapshot.account_activity
    on account_people.account_id = account_activity.account_id

where
    (
        account_people.identity_id in (select wanted.identity_id from wanted)
        or ($identity_id is null and account_people.account_id = $account_id)
    )
    and (
        $is_everything
        or coalesce(
            list_contains($departments::varchar[], account_people.department_id),
            false
        )
    )

order by account_people.is_enabled desc nulls last, account_people.account_id asc
