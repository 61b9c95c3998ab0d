/*
purpose = "Every department with its head and the department above it."

[parameters]
*/
select
    departments.department_id,
    departments.name,
    departments.parent_id,
    departments.head_identity_id

from snapshot.departments

order by departments.department_id
