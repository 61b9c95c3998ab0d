/*
purpose = "Which source tells which fact, and for how many rows."

[parameters]
*/
select source_facts.*

from snapshot.source_facts

order by source_facts.source, source_facts.fact
