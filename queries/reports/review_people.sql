/*
purpose = "Every person with the facts that decide whether they can review: department, manager, and whether they work here today."

[parameters]
as_of     = "Moment of the snapshot, UTC."
time_zone = "Zone whose calendar days count."
*/
select
    identities.identity_id,
    coalesce(identities.display_name, identities.identity_id) as display_name,
    identities.email,
    identities.department_id,
    departments.name as department_name,
    identities.manager_id,
    -- Not known to have left is enough: some directories tell no status at all.
    identities.employment_status in ('active', 'notice', 'unknown')
    and not coalesce(
        identities.end_date < ($as_of at time zone $time_zone)::date
        and not coalesce(identities.start_date > identities.end_date, false),
        false
    ) as is_at_work

from snapshot.identities
left join snapshot.departments
    on identities.department_id = departments.department_id

order by identities.identity_id
