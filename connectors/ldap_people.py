"""Entries as people, for a house whose directory stands in for an HR system.

Not a connector: the part of ``ldap`` that fills ``identities`` and ``departments``.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from connectors.connector import Context, Draft, RawTable
from connectors.ldap_accounts import account_type, is_machine, with_departments
from connectors.ldap_entries import dn_key, first_value, organizational_units
from connectors.ldap_values import first_of
from governance.schema import DEPARTMENTS, IDENTITIES


def people(
    context: Context,
    raw: RawTable,
    rows: pl.DataFrame,
    told: frozenset[str],
    identities: Mapping[str, str],
) -> Iterator[Draft]:
    """Yield persons and their departments.

    A directory cannot tell who still works here: nobody has an employment status.
    ``identities`` maps the ``dn_key`` of every user to its id; a manager who is not
    among them stays untold.
    """
    service_accounts = context.parameters.service_accounts
    is_person = account_type(told, service_accounts) == "person"
    persons = with_departments(rows.filter(is_person & ~is_machine(told)), told)
    if persons.is_empty():
        return
    by_unit = context.parameters.departments == "unit"
    columns: dict[str, pl.Expr | pl.Series] = {
        "identity_id": pl.format(f"{context.source}:{{}}", "native_id"),
        "directory_id": pl.col("native_id"),
        "department_id": pl.Series(
            [_innermost(context, dn) for dn in persons["dn"]], dtype=pl.String
        )
        if by_unit
        else pl.format(f"{context.source}:department:{{}}", "own_department"),
    }
    for canonical, attributes in (
        ("employee_number", ("employeeNumber", "employeeID")),
        ("display_name", ("displayName", "cn")),
        ("email", ("mail",)),
        ("phone", ("mobile", "telephoneNumber")),
        ("job_title", ("title",)),
    ):
        if not told.isdisjoint(attributes):
            columns[canonical] = first_of(told, *attributes)
    if "manager" in told:
        columns["manager_id"] = pl.Series(
            [
                None if dn is None else identities.get(dn_key(dn))
                for dn in persons["manager"]
            ],
            dtype=pl.String,
        )
    yield Draft(
        table=IDENTITIES,
        raw=raw,
        rows=persons.select("source_row", **columns),
        headers={"identity_id": "dn", "manager_id": "manager"},
    )
    rows = _units(context, persons) if by_unit else _named(context, persons)
    if rows.height:
        yield Draft(table=DEPARTMENTS, raw=raw, rows=rows)


def _innermost(context: Context, dn: str) -> str | None:
    units = organizational_units(dn)
    return _unit_id(context, units[0]) if units else None


def _unit_id(context: Context, unit: str) -> str:
    return f"{context.source}:unit:{dn_key(unit)}"


def _units(context: Context, persons: pl.DataFrame) -> pl.DataFrame:
    """Return the units of all DNs, each once, with the unit they are in."""
    found: dict[str, tuple[int, str, str, str | None]] = {}
    for row, dn in persons.select("source_row", "dn").iter_rows():
        units = organizational_units(dn)
        for at, unit in enumerate(units):
            name = _unit_id(context, unit)
            if name in found:
                break
            outer = units[at + 1] if at + 1 < len(units) else None
            parent = None if outer is None else _unit_id(context, outer)
            found[name] = (row, name, first_value(unit), parent)
    return pl.DataFrame(
        list(found.values()),
        schema={
            "source_row": pl.Int64,
            "department_id": pl.String,
            "name": pl.String,
            "parent_id": pl.String,
        },
        orient="row",
    )


def _named(context: Context, persons: pl.DataFrame) -> pl.DataFrame:
    named = persons.drop_nulls("own_department")
    return named.unique("own_department", keep="first", maintain_order=True).select(
        "source_row",
        department_id=pl.format(f"{context.source}:department:{{}}", "own_department"),
        name="own_department",
    )
