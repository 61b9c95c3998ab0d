/*
purpose = "Rows read but not taken in, each with its reason."

[parameters]
*/
select rejected_rows.*

from snapshot.rejected_rows

order by
    rejected_rows.source,
    rejected_rows.file,
    rejected_rows.table_name,
    rejected_rows.row,
    rejected_rows."column"
