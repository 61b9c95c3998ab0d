/*
purpose = "What the sources say of one person, if the reader may see the person."

[parameters]
identity_id   = "The person; null finds nobody."
departments   = "Departments the reader may see."
is_everything = "Whether the reader may see every row."
*/
select
    identities.identity_id,
    identities.source,
    identities.employee_number,
    identities.display_name,
    identities.email,
    identities.phone,
    identities.department_id,
    departments.name as department_name,
    identities.job_title,
    identities.job_level,
    identities.employment_type,
    identities.employment_status,
    identities.manager_id,
    managers.display_name as manager_name,
    identities.start_date,
    identities.end_date,
    identities.source_file,
    identities.source_row

from snapshot.identities
left join snapshot.departments
    on identities.department_id = departments.department_id
left join snapshot.identities as managers
    on identities.manager_id = managers.identity_id

where
    identities.identity_id = $identity_id
    and (
        $is_everything
        or coalesce(
            list_contains($departments::varchar[], identities.department_id), false
        )
    )

order by identities.identity_id
