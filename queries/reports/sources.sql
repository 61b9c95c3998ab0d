/*
purpose = "What each source is, when and how it was read."

[parameters]
*/
select sources.*

from snapshot.sources

order by sources.source
