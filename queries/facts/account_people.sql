/*
purpose = "Each account with the person who owns it and that person's place at work."
needs   = []
*/
with named_once as (
    -- A department's name places an account where one department bears it; of several,
    -- as where the HR and the CRM both list it, the only one that has a head.
    select
        departments.name,
        coalesce(
            any_value(departments.department_id)
            filter (where departments.head_identity_id is not null),
            any_value(departments.department_id)
        ) as department_id
    from snapshot.departments
    where departments.name is not null
    group by departments.name
    having count(*) = 1 or count(departments.head_identity_id) = 1
)

select
    accounts.account_id,
    accounts.source,
    accounts.native_id,
    accounts.login,
    accounts.display_name as account_name,
    accounts.account_type,
    accounts.is_enabled,
    accounts.email,
    accounts.phone,
    account_owners.identity_id,
    account_owners.match_rule,
    identities.display_name as person_name,
    coalesce(identities.display_name, accounts.display_name, accounts.login)
        as display_name,
    coalesce(identities.department_id, named_once.department_id) as department_id,
    coalesce(departments.name, accounts.department_name) as department_name,
    identities.job_title,
    identities.job_level,
    identities.employment_type,
    identities.employment_status,
    identities.manager_id,
    identities.start_date,
    identities.end_date

from snapshot.accounts
left join snapshot.account_owners
    on accounts.account_id = account_owners.account_id
left join snapshot.identities
    on account_owners.identity_id = identities.identity_id
left join snapshot.departments
    on identities.department_id = departments.department_id
left join named_once
    on accounts.department_name = named_once.name and identities.identity_id is null

order by
    coalesce(identities.department_id, named_once.department_id) nulls last,
    accounts.account_id
