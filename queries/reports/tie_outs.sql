/*
purpose = "How the rows of every file were accounted for."

[parameters]
*/
select tie_outs.*

from snapshot.tie_outs

order by tie_outs.source, tie_outs.table_name, tie_outs.file
