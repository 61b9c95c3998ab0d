/*
purpose = "How many accounts the people of each department have."

[parameters]
*/
select
    account_people.department_id,
    count(*) as accounts

from snapshot.account_people

group by account_people.department_id

order by account_people.department_id nulls last
