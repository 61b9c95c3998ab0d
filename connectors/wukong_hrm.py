"""WuKong HRM (悟空人资): the people who work here, from when, until when, for whom.

From CSV dumps of its tables or over MySQL, read-only. Leaving does not disable a CRM
login, and a missed run of the nightly job leaves a person 待离职 for ever: they stay on
notice here, with their end date, and the date decides.

Source: Wukong_HRM and the HRM of WukongCRM-11.0-JAVA, schema and EmployeeChangeCron.
"""

from collections.abc import Iterator

import polars as pl

from connectors.connector import Connector, Context, Draft, Normalised, RawExport
from connectors.wukong_tables import TableParameters, WukongTable, read_tables
from governance.schema import DEPARTMENTS, IDENTITIES

_EMPLOYEES = WukongTable(
    name="wk_hrm_employee",
    key="employee_id",
    columns=(
        "employee_id",
        "employee_name",
        "job_number",
        "mobile",
        "email",
        "dept_id",
        "parent_id",
        "post",
        "entry_time",
        "employment_forms",
        "status",
        "entry_status",
        "is_del",
    ),
    optional=("post_level",),
    may_be_empty=False,
)
_QUITS = WukongTable(
    name="wk_hrm_employee_quit_info",
    key="quit_info_id",
    columns=("quit_info_id", "employee_id", "plan_quit_time", "create_time"),
)
_DEPARTMENTS = WukongTable(
    name="wk_hrm_dept",
    key="dept_id",
    columns=("dept_id", "name", "main_employee_id", "leader_employee_id"),
    # The HRM inside CRM 11 says pid where the HRM of its own says parent_id.
    optional=("parent_id", "pid"),
)
_TYPES = {
    "1": "employee",  # 正式
    "2": "employee",  # 试用
    "3": "intern",  # 实习
    "4": "employee",  # 兼职
    "5": "contractor",  # 劳务
    "6": "contractor",  # 顾问
    "7": "employee",  # 返聘
    "8": "vendor",  # 外包
}
_STATUSES = {"1": "active", "2": "pending", "3": "notice", "4": "left"}
_NOBODY = "0"


class WukongHrmParameters(TableParameters):
    """Keys of a ``wukong_hrm`` source."""


def fetch(context: Context) -> RawExport:
    """Read the three tables whole, without identity card, address or birthday.

    Raises:
        ExtractError: a dump, table or column is missing or may not be read, or the
            database goes away half-way.
    """
    return read_tables(context, (_EMPLOYEES, _QUITS, _DEPARTMENTS))


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put the tables into canonical columns."""
    employees = export.tables[_EMPLOYEES.name]
    quits = export.tables[_QUITS.name]
    departments = export.tables[_DEPARTMENTS.name]
    everyone = employees.numbered()
    is_deleted = (pl.col("is_del") == "1").fill_null(value=False)
    present = everyone.filter(~is_deleted)
    return Normalised(
        drafts=(
            Draft(
                table=IDENTITIES,
                raw=employees,
                rows=_identities(context, present, quits.rows),
                headers=_HEADERS,
                rejected=_deleted(everyone.filter(is_deleted)),
            ),
            Draft(
                table=DEPARTMENTS,
                raw=departments,
                rows=departments.numbered().select(
                    "source_row",
                    "name",
                    department_id=_id(context, "dept_id", "dept:"),
                    parent_id=_id(context, pl.coalesce("parent_id", "pid"), "dept:"),
                    head_identity_id=pl.coalesce(
                        _id(context, "main_employee_id"),
                        _id(context, "leader_employee_id"),
                    ),
                ),
                headers={"department_id": "dept_id"},
            ),
        ),
        completeness="full" if export.method == "database" else "unknown",
        notes=tuple(_notes(everyone, present, quits.rows)),
    )


_HEADERS = {
    "identity_id": "employee_id",
    "employee_number": "job_number",
    "display_name": "employee_name",
    "phone": "mobile",
    "department_id": "dept_id",
    "job_title": "post",
    "job_level": "post_level",
    "employment_type": "status",
    "employment_status": "entry_status",
    "manager_id": "parent_id",
    "start_date": "entry_time",
    "end_date": "plan_quit_time",
}


def _identities(
    context: Context, employees: pl.DataFrame, quits: pl.DataFrame
) -> pl.DataFrame:
    """The form of employment says no more than 正式 where the status is not told."""
    return employees.join(
        _newest(quits), on="employee_id", how="left", maintain_order="left"
    ).select(
        "source_row",
        "email",
        identity_id=_id(context, "employee_id"),
        employee_number="job_number",
        display_name="employee_name",
        phone="mobile",
        department_id=_id(context, "dept_id", "dept:"),
        job_title="post",
        job_level="post_level",
        employment_type=pl.coalesce(
            pl.col("status").replace(_TYPES),
            pl.when(pl.col("employment_forms") == "1").then(pl.lit("employee")),
        ),
        employment_status=pl.col("entry_status").replace(_STATUSES),
        manager_id=_id(context, "parent_id"),
        start_date=_day("entry_time"),
        end_date=_day("plan_quit_time"),
    )


def _newest(quits: pl.DataFrame) -> pl.DataFrame:
    """Return the last quit row of each employee, by when it was written, then by id."""
    return (
        quits.with_columns(number=pl.col("quit_info_id").str.to_integer(strict=False))
        .sort("create_time", "number", nulls_last=False)
        .unique("employee_id", keep="last", maintain_order=True)
        .select("employee_id", "plan_quit_time")
    )


def _id(context: Context, column: str | pl.Expr, kind: str = "") -> pl.Expr:
    """Return ``<source>:<kind><id>``; null for 0, which WuKong writes for nobody."""
    value = pl.col(column) if isinstance(column, str) else column
    return pl.when(value != _NOBODY).then(
        pl.format(f"{context.source}:{kind}{{}}", value)
    )


def _day(column: str) -> pl.Expr:
    """Return the day of a time, which WuKong sets to midnight and means as a day."""
    return pl.col(column).str.replace(r"^(\d{4}-\d\d-\d\d)[ T].*$", "${1}")


def _deleted(employees: pl.DataFrame) -> pl.DataFrame:
    return employees.select(
        "source_row",
        column=pl.lit("is_del"),
        code=pl.lit("deleted_at_source"),
        value=pl.col("employee_id"),
        reason=pl.format(
            "is_del is 1: the HRM has deleted employee {} and shows them nowhere; "
            "nothing to mend",
            "employee_id",
        ),
    )


def _notes(
    everyone: pl.DataFrame, present: pl.DataFrame, quits: pl.DataFrame
) -> Iterator[str]:
    """Say which quit rows say something the employee's own row does not."""
    known = everyone["employee_id"].to_list()
    if stray := quits.filter(~pl.col("employee_id").is_in(known)).height:
        yield (
            f"{stray} rows of {_QUITS.name} are of employees who are not in "
            f"{_EMPLOYEES.name}; they say nothing about anybody."
        )
    quitting = quits["employee_id"].unique().to_list()
    here = (pl.col("entry_status") == "1") & pl.col("employee_id").is_in(quitting)
    if contradicted := present.filter(here).height:
        yield (
            f"{contradicted} employees are 在职 (entry_status 1) and yet have a quit "
            "row; the date of the row was taken as their end date."
        )
    gone = pl.col("entry_status").is_in(["3", "4"])
    if undated := present.filter(gone & ~pl.col("employee_id").is_in(quitting)).height:
        yield (
            f"{undated} employees are leaving or have left without a quit row; their "
            "end date is unknown."
        )


CONNECTOR = Connector(
    name="wukong_hrm",
    title="WuKong HRM",
    parameters=WukongHrmParameters,
    fetch=fetch,
    normalise=normalise,
)
