"""Salesforce objects over its REST API, each read to its end.

Not a connector: how ``salesforce`` asks a live organisation. simple-salesforce was
tried for this and left: it has no time-outs and no retries of its own, follows
redirects, and its ``query_all`` overwrites the total the server states with the number
of rows it happened to get, which is the proof of completeness we are after.

Source: Salesforce REST API Developer Guide, sObject Describe, Query, Query More; OAuth
    2.0 Client Credentials Flow.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.connector import RawExport, RawTable
from connectors.salesforce_objects import (
    OBJECTS,
    UNTOLD,
    SalesforceObject,
    declared,
    untold_table,
)
from connectors.secret_references import read_secret
from connectors.web import (
    Answer,
    AnswerError,
    Credentials,
    WebClient,
    next_in_field,
    raw_table,
)
from governance.schema import ExtractError

_NOT_A_RIGHT = frozenset(
    {"REQUEST_LIMIT_EXCEEDED", "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"}
)
"""Errors that come as 403 and are no want of rights to one object."""
_NO_SUCH_OBJECT = frozenset({"INVALID_TYPE", "NOT_FOUND", "INSUFFICIENT_ACCESS"})
_REFUSALS = (400, 403, 404)


def read_organisation(
    client: WebClient, *, api_version: str, history_days: int
) -> RawExport:
    """Read every object, the logs no further back than the days asked for.

    An object that the user may not read is untold, with the server's reason; so is a
    field that the user may not see.

    Raises:
        ExtractError: users may not be read, the server states another number of rows
            than it gave, the daily limit of requests is used up, or the server keeps
            failing. Names the object.
    """
    asked_at = datetime.now(UTC)
    since = asked_at - timedelta(days=history_days)
    tables: dict[str, RawTable] = {}
    refused: list[tuple[str, str]] = []
    for one in OBJECTS:
        try:
            tables[one.name] = _read_object(client, one, api_version, since)
        except AnswerError as error:
            if one.required or not _is_want_of_rights(error):
                raise
            refused.append((one.name, str(error)))
    host = client.shown("")
    return RawExport(
        tables=tables | {UNTOLD: untold_table(host, refused)},
        extracted_at=asked_at,
        method="API",
    )


def _is_want_of_rights(error: AnswerError) -> bool:
    """Return whether this one object is hidden from the user, and no more is amiss.

    Salesforce says so with 403, with 404, or with 400 and INVALID_TYPE.
    """
    document = error.document
    first = document[0] if isinstance(document, list) and document else document
    code = first.get("errorCode") if isinstance(first, dict) else None
    if error.status == 403:
        return code not in _NOT_A_RIGHT
    return error.status in _REFUSALS and code in _NO_SUCH_OBJECT


def _read_object(
    client: WebClient, one: SalesforceObject, api_version: str, since: datetime
) -> RawTable:
    data = f"/services/data/v{api_version}"
    described = client.ask("GET", f"{data}/sobjects/{one.name}/describe")
    fields = {field.get("name") for field in described.records("fields")}
    names = [name for name in one.columns if name in fields]
    shown = client.shown(f"{data}/sobjects/{one.name}")
    if missing := [name for name in one.needed if name not in names]:
        if one.required:
            raise ExtractError(
                f"{shown}: does not show its field {missing[0]}; let the reading user "
                "see that field"
            )
        raise AnswerError(
            f"{shown}: does not show its field {missing[0]}; let the reading user see "
            "that field",
            404,
            {"errorCode": "NOT_FOUND"},
        )
    # Names come from the declarations of this package, never from outside.
    soql = f"SELECT {', '.join(names)} FROM {one.name}"  # noqa: S608
    if one.timed_by:
        soql += f" WHERE {one.timed_by} >= {since:%Y-%m-%dT%H:%M:%SZ}"
    pages = list(
        client.pages(
            f"{data}/query", {"q": soql}, next_of=next_in_field("nextRecordsUrl")
        )
    )
    records = [record for page in pages for record in page.records("records")]
    stated = _stated(shown, pages, len(records))
    return declared(one, raw_table(one.name, shown, records, names, stated=stated))


def _stated(shown: str, pages: list[Answer], read: int) -> int:
    """Return the total stated, having held the rows and the last page to it."""
    total = pages[0].document.get("totalSize")
    if pages[-1].document.get("done") is not True or total != read:
        raise ExtractError(
            f"{shown}: states {total} rows and gave {read}; nothing was taken in, pull "
            "again, and report it to Salesforce if it stays so"
        )
    return read


def by_token(base: Path, reference: str) -> Callable[[], Credentials]:
    """Return credentials of an access token, read again whenever it is refused."""

    def authorise() -> Credentials:
        return _bearer(read_secret(base, reference))

    return authorise


def by_client(
    base: Path, address: str, client_id: str, reference: str, ca_file: Path | None
) -> Callable[[], Credentials]:
    """Return credentials by the client credentials flow, renewed when they expire."""

    def authorise() -> Credentials:
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": read_secret(base, reference),
        }
        with WebClient(address, ca_file=ca_file) as client:
            told = client.post_json("/services/oauth2/token", form=form)
        token = told.get("access_token") if isinstance(told, dict) else None
        if not isinstance(token, str) or not token:
            raise ExtractError(
                f"{address}/services/oauth2/token: answered without an access token; "
                "enable the client credentials flow of the connected app"
            )
        return _bearer(token)

    return authorise


def _bearer(token: str) -> Credentials:
    return Credentials(headers={"Authorization": f"Bearer {token}"})
