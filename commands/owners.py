"""``owner``: whose an account is, where no key of it says so."""

from typing import Annotated

import polars as pl
import typer

from commands.terminal import (
    AsJson,
    Config,
    application,
    now,
    one_line_errors,
    operator,
    out,
    print_json,
    print_rows,
    settings_of,
)
from governance.owner_confirmations import confirm_owner, confirmed_owners
from governance.owner_suggestions import suggest
from governance.register import open_register
from governance.reports import report
from governance.snapshots import kept_open

app = application("Owners of accounts that no key of theirs names.")


@app.command("suggest")
@one_line_errors
def suggest_(config: Config = None, as_json: AsJson = False) -> None:
    """List accounts without an owner, and who may be theirs. Nothing is taken over."""
    snapshot = kept_open(settings_of(config))
    accounts = report(snapshot, "accounts_without_owner")
    unowned = accounts.filter(pl.col("identity_id").is_null())
    people = report(snapshot, "people_to_match")
    suggested = suggest(unowned, people)
    names = people.select("identity_id", person="display_name")
    rows = (
        unowned.select("account_id", "login", "display_name")
        .join(suggested, "account_id", "left", maintain_order="left")
        .join(names, "identity_id", "left", maintain_order="left")
    )
    if as_json:
        print_json({"suggestions": rows.to_dicts()})
    else:
        print_rows(rows, title="Accounts without an owner")


@app.command("confirm")
@one_line_errors
def confirm(
    account_id: str,
    identity_id: Annotated[
        str | None, typer.Argument(help="The person; left out takes it back.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say whose an account is; the next snapshot has it."""
    settings = settings_of(config)
    register = open_register(settings)
    snapshot = kept_open(settings)
    confirm_owner(register, snapshot, operator(), account_id, identity_id, now())
    if as_json:
        print_json({"account_id": account_id, "identity_id": identity_id})
    elif identity_id is None:
        out.print(f"{account_id}: taken back; the next snapshot has it without owner")
    else:
        out.print(f"{account_id} belongs to {identity_id} from the next snapshot on")


@app.command("list")
@one_line_errors
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List the owners that people confirmed."""
    rows = confirmed_owners(open_register(settings_of(config))).drop("row")
    if as_json:
        print_json({"confirmed": rows.to_dicts()})
    else:
        print_rows(rows, title="Confirmed owners")
