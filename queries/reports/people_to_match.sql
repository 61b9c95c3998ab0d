/*
purpose = "Every person, with what their account's names may resemble."

[parameters]
*/
select
    identities.identity_id,
    identities.employee_number,
    identities.display_name,
    identities.email,
    identities.department_id,
    identities.job_title,
    identities.employment_status

from snapshot.identities

order by identities.identity_id
