/*
purpose = "Rows read but not taken in, one page of them, and how many there are."

[parameters]
source = "One source; null means all."
limit  = "Rows of a page."
offset = "Rows before it."
*/
select
    rejected_rows.source,
    rejected_rows.file,
    rejected_rows.row,
    rejected_rows.column,
    rejected_rows.value,
    rejected_rows.reason,
    rejected_rows.table_name,
    rejected_rows.code,
    count(*) over () as found

from snapshot.rejected_rows

where $source is null or rejected_rows.source = $source

order by
    rejected_rows.source,
    rejected_rows.file,
    rejected_rows.row,
    rejected_rows.column,
    rejected_rows.reason

limit $limit offset $offset
