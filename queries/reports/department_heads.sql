/*
purpose = "People who head a department and still work here: one row per person, at the highest department headed."

[parameters]
*/
with recursive placed as (
    select
        departments.department_id,
        0 as depth
    from snapshot.departments
    where departments.parent_id is null

    union

    select
        departments.department_id,
        placed.depth + 1 as depth
    from snapshot.departments
    inner join placed
        on departments.parent_id = placed.department_id
    where placed.depth < 20
),

headed as (
    select
        identities.identity_id,
        identities.display_name,
        departments.name as department_name,
        placed.depth,
        exists(
            select 1
            from snapshot.departments as parts
            where parts.parent_id = departments.department_id
        ) as has_parts,
        row_number() over (
            partition by identities.identity_id
            order by placed.depth, departments.department_id
        ) as place
    from snapshot.departments
    inner join placed
        on departments.department_id = placed.department_id
    inner join snapshot.identities
        on departments.head_identity_id = identities.identity_id
    where identities.employment_status = 'active'
)

select
    headed.identity_id,
    headed.display_name,
    headed.department_name,
    headed.depth,
    headed.has_parts

from headed

where headed.place = 1

order by headed.depth, headed.identity_id
