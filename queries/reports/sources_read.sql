/*
purpose = "What was read from each source, and how completely."

[parameters]
*/
select
    sources.source,
    sources.title,
    sources.connector,
    sources.method,
    sources.operator,
    sources.extracted_at,
    sources.completeness,
    sources.rows_read,
    sources.rows_accepted,
    sources.rows_rejected,
    sources.rows_duplicate,
    sources.is_balanced,
    sources.notes

from snapshot.sources

order by sources.source
