/*
purpose = "People and unowned accounts whose name, login or number holds a text."

[parameters]
wanted        = "The text; empty finds everybody."
departments   = "Departments the reader may see."
is_everything = "Whether the reader may see every row."
limit         = "How many rows at most; ``found`` counts them all."
*/
with logins as (
    select
        account_people.identity_id,
        count(*) as account_count,
        string_agg(
            distinct account_people.login, ', '
            order by account_people.login
        ) as logins,
        string_agg(
            concat_ws(' ', account_people.login, account_people.account_name), ' '
        ) as searched
    from snapshot.account_people
    where account_people.identity_id is not null
    group by account_people.identity_id
),

everybody as (
    select
        identities.identity_id,
        null::varchar as account_id,
        identities.display_name,
        identities.department_id,
        departments.name as department_name,
        identities.job_title,
        identities.employment_status,
        coalesce(logins.account_count, 0) as account_count,
        logins.logins,
        concat_ws(
            ' ',
            identities.identity_id,
            identities.employee_number,
            identities.display_name,
            identities.email,
            logins.searched
        ) as searched
    from snapshot.identities
    left join snapshot.departments
        on identities.department_id = departments.department_id
    left join logins
        on identities.identity_id = logins.identity_id

    union all

    select
        null::varchar as identity_id,
        account_people.account_id,
        account_people.display_name,
        account_people.department_id,
        account_people.department_name,
        null::varchar as job_title,
        null::varchar as employment_status,
        1 as account_count,
        account_people.login as logins,
        concat_ws(
            ' ',
            account_people.account_id,
            account_people.login,
            account_people.account_name,
            account_people.email
        ) as searched
    from snapshot.account_people
    where account_people.identity_id is null
)

select
    everybody.identity_id,
    everybody.account_id,
    everybody.display_name,
    everybody.department_name,
    everybody.job_title,
    everybody.employment_status,
    everybody.account_count,
    everybody.logins,
    count(*) over () as found

from everybody

where
    (
        $is_everything
        or coalesce(
            list_contains($departments::varchar[], everybody.department_id), false
        )
    )
    and contains(lower(everybody.searched), lower($wanted))

order by
    everybody.display_name nulls last,
    everybody.identity_id,
    everybody.account_id

limit $limit
