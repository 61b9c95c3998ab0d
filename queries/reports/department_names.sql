/*
purpose = "Every department by id."

[parameters]
*/
select
    departments.department_id,
    departments.name

from snapshot.departments

order by departments.department_id
