/*
purpose = "One person, if the snapshot knows them."

[parameters]
identity_id = "The person."
*/
select
    identities.identity_id,
    identities.display_name

from snapshot.identities

where identities.identity_id = $identity_id

order by identities.identity_id
