/*
purpose = "How the rows of every file were accounted for."

[parameters]
*/
select
    tie_outs.source,
    tie_outs.file,
    tie_outs.table_name,
    tie_outs.stated,
    tie_outs.read,
    tie_outs.accepted,
    tie_outs.rejected,
    tie_outs.duplicate,
    tie_outs.is_balanced,
    tie_outs.encoding,
    tie_outs.sha256

from snapshot.tie_outs

order by tie_outs.source, tie_outs.file, tie_outs.table_name
