/*
purpose = "The departments a person heads, and everything below them."

[parameters]
identity_id = "The person."
*/
with recursive headed as (
    select departments.department_id
    from snapshot.departments
    where departments.head_identity_id = $identity_id

    union

    select departments.department_id
    from snapshot.departments
    inner join headed
        on departments.parent_id = headed.department_id
)

select headed.department_id

from headed

order by headed.department_id
