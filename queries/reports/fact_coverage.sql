/*
purpose = "Which source tells which fact, and for what share of its rows."

[parameters]
*/
select
    source_facts.source,
    source_facts.fact,
    source_facts.is_told,
    source_facts.row_count,
    source_facts.known_count,
    case
        when source_facts.row_count > 0
            then source_facts.known_count / source_facts.row_count
    end as share

from snapshot.source_facts

order by source_facts.source, source_facts.fact
