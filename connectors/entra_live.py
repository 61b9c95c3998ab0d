"""Pages of Microsoft Graph, asked for live: the same tables as the saved ones.

Not a connector: how ``entra_id`` reads a tenant itself. Each list is read to its last
page; users and groups are held to the totals that Graph states. A list that may not be
read, or that the tenant has no licence for, is a fact not told.

Source: Microsoft Graph v1.0: paging, advanced query capabilities, permissions.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, model_validator

from connectors import connector, web
from connectors.connector import Context, RawExport
from connectors.entra_tokens import credentials
from connectors.graph_lists import (
    ASSIGNMENTS,
    GROUPS,
    REGISTRATIONS,
    ROLES,
    SCHEDULES,
    SIGN_INS,
    USERS,
)
from connectors.graph_pages import COUNT, MEMBERS, NEXT_LINK, GraphList, Pages
from connectors.secret_references import SecretReference, read_secret
from connectors.web import (
    AnswerError,
    Credentials,
    ForbiddenError,
    HttpsAddress,
    WebClient,
    next_in_field,
)
from governance.schema import ExtractError

Found = TypeVar("Found")

_NOT_ASKED_OF_USERS = ("manager", "passwordProfile")
"""An expanded object, and what an application may never read."""
_NEED_RIGHTS_OF_THEIR_OWN = ("employeeLeaveDateTime", "signInActivity")
_USERS_AT_ONCE = 100
"""With signInActivity Graph gives no more than 120."""
_AT_ONCE = 999


class TenantParameters(connector.Parameters):
    """Keys of a source that asks a tenant itself."""

    tenant: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")
    """Id of the tenant or a domain of it; ``folder`` reads saved pages instead."""
    client_id: str | None = None
    client_secret: SecretReference | None = None
    certificate: SecretReference | None = None
    """Private key and certificate of the application in PEM, instead of a secret."""
    authority: HttpsAddress = "https://login.microsoftonline.com"
    graph: HttpsAddress = "https://graph.microsoft.com"
    ca_file: Path | None = None
    """Certificates to trust instead of the system's, relative to gatebook.toml."""
    sign_in_days: int = Field(default=30, ge=0, le=90)
    """Days back that sign-ins are read; Entra ID keeps 30, or 7 without a licence."""

    @model_validator(mode="after")
    def _proves_itself_one_way(self) -> "TenantParameters":
        proofs = [self.client_secret, self.certificate]
        if self.tenant is None:
            if self.client_id is not None or any(proofs):
                raise ValueError("client_id and its proof go with tenant")
        elif self.client_id is None or sum(one is not None for one in proofs) != 1:
            raise ValueError(
                "tenant needs client_id and one of client_secret and certificate"
            )
        return self


def read_tenant(context: Context) -> RawExport:
    """Read every list of the tenant.

    Raises:
        ExtractError: the application is refused, the users may not be read, or anything
            fails in another way than a refusal of one part.
    """
    told: TenantParameters = context.parameters
    began = datetime.now(UTC)
    ca_file = None if told.ca_file is None else context.settings.folder / told.ca_file
    forbidden: dict[str, str] = {}

    def client(**headers: str) -> WebClient:
        return WebClient(
            told.graph,
            authorise=lambda: _authorise(context, ca_file, headers),
            ca_file=ca_file,
            limits=web.LIMITS,
        )

    pages = Pages(told.graph.removeprefix("https://"))
    # Totals are only stated to who can live with a delay, and not beside $expand.
    with client() as graph, client(ConsistencyLevel="eventual") as counting:
        _read_users(graph, counting, pages, forbidden)
        for graph_list, path, query in _lists(told, began):
            _unless_forbidden(
                graph_list.name,
                forbidden,
                partial(_read, graph, pages, graph_list, path, query),
            )
        _unless_forbidden(
            GROUPS.name,
            forbidden,
            lambda: _read_groups(graph, counting, pages, forbidden),
        )
    tables = pages.all_tables()
    tables[web.FORBIDDEN] = web.forbidden_table(told.graph, forbidden)
    return RawExport(tables=tables, extracted_at=began, method="API")


def _authorise(
    context: Context, ca_file: Path | None, headers: Mapping[str, str]
) -> Credentials:
    """Return a fresh token, with further headers."""
    told: TenantParameters = context.parameters
    base = context.settings.folder
    fresh = credentials(
        authority=told.authority,
        tenant=told.tenant or "",
        client_id=told.client_id or "",
        secret=read_secret(base, told.client_secret) if told.client_secret else None,
        certificate=read_secret(base, told.certificate) if told.certificate else None,
        scope=f"{told.graph}/.default",
        ca_file=ca_file,
    )
    return Credentials(headers={**fresh.headers, **headers})


def _lists(
    told: TenantParameters, began: datetime
) -> Iterator[tuple[GraphList, str, dict[str, str | int]]]:
    """Yield the lists that are asked for as they are, with path and query."""
    roles = "/v1.0/roleManagement/directory"
    yield (
        REGISTRATIONS,
        "/v1.0/reports/authenticationMethods/userRegistrationDetails",
        {},
    )
    yield ROLES, f"{roles}/roleDefinitions", {}
    yield ASSIGNMENTS, f"{roles}/roleAssignments", {"$expand": "principal"}
    yield SCHEDULES, f"{roles}/roleAssignmentScheduleInstances", {}
    if told.sign_in_days:
        since = began - timedelta(days=told.sign_in_days)
        yield (
            SIGN_INS,
            "/v1.0/auditLogs/signIns",
            {
                "$filter": f"createdDateTime ge {since:%Y-%m-%dT%H:%M:%SZ}",
                "$top": _AT_ONCE,
            },
        )


def _read_users(
    graph: WebClient, counting: WebClient, pages: Pages, forbidden: dict[str, str]
) -> None:
    """Read the users, without the properties that need a right we have not.

    Raises:
        ExtractError: there are none, or they may not be read at all.
    """
    all_told = [
        name
        for name in dict.fromkeys(column.split("/")[0] for column in USERS.columns)
        if name not in _NOT_ASKED_OF_USERS
    ]
    path = "/v1.0/users"
    leave, activity = _NEED_RIGHTS_OF_THEIR_OWN
    refusal = ""
    for left_out in ((), (leave,), (activity,), (leave, activity)):
        query: dict[str, str | int] = {
            "$select": ",".join(name for name in all_told if name not in left_out),
            "$expand": "manager($select=id)",
            "$top": _USERS_AT_ONCE,
        }
        refused: dict[str, str] = {}
        found = _unless_forbidden(
            USERS.name, refused, partial(_documents, graph, path, query)
        )
        if found is not None:
            break
        refusal = refused[USERS.name]
    else:
        raise ExtractError(refusal)
    forbidden |= {f"{USERS.name}.{name}": refusal for name in left_out}
    if not any(page.get("value") for page in found):
        raise ExtractError(
            f"{graph.shown(path)}: shows not one user; grant the application "
            "User.Read.All"
        )
    found[0][COUNT] = _total(counting, path)
    _add(pages, graph, USERS, path, found)


def _read(
    graph: WebClient,
    pages: Pages,
    graph_list: GraphList,
    path: str,
    query: Mapping[str, str | int],
) -> None:
    """Read one list whole before any of its pages counts."""
    _add(pages, graph, graph_list, path, _documents(graph, path, query))


def _read_groups(
    graph: WebClient, counting: WebClient, pages: Pages, forbidden: dict[str, str]
) -> None:
    """Read the groups, and the members of each to the last page."""
    path = "/v1.0/groups"
    wanted = [name for name in GROUPS.columns if not name.startswith(MEMBERS)]
    found = _documents(graph, path, {"$select": ",".join(wanted), "$top": _AT_ONCE})
    found[0][COUNT] = _total(counting, path)
    query: dict[str, str | int] = {
        "$select": ",".join(name for name in GROUPS.members if "@" not in name),
        "$top": _AT_ONCE,
    }

    def with_members() -> list[dict[str, Any]]:
        return [
            {
                **page,
                "value": [
                    {**group, MEMBERS: _members(graph, path, group, query)}
                    for group in page["value"]
                ],
            }
            for page in found
        ]

    whole = _unless_forbidden(f"{GROUPS.name}.{MEMBERS}", forbidden, with_members)
    _add(pages, graph, GROUPS, path, whole or found)


def _members(
    graph: WebClient,
    path: str,
    group: Mapping[str, Any],
    query: Mapping[str, str | int],
) -> list[dict[str, Any]]:
    pages = _documents(graph, f"{path}/{group['id']}/{MEMBERS}", query)
    return [member for page in pages for member in page["value"]]


def _documents(
    graph: WebClient, path: str, query: Mapping[str, str | int]
) -> list[dict[str, Any]]:
    """Return all pages of a list."""
    found: list[dict[str, Any]] = []
    for page in graph.pages(path, query, next_of=next_in_field(NEXT_LINK)):
        page.records("value")
        found.append(dict(page.document))
    return found


def _total(counting: WebClient, path: str) -> int | None:
    """Return the total that Graph states, null if it states none."""
    answer = counting.get_json(path, {"$count": "true", "$top": 1, "$select": "id"})
    total = answer.get(COUNT) if isinstance(answer, dict) else None
    return total if isinstance(total, int) else None


def _add(
    pages: Pages,
    graph: WebClient,
    graph_list: GraphList,
    path: str,
    found: list[dict[str, Any]],
) -> None:
    """Take in a list as one page, whose rows are numbered through all of them."""
    things = [thing for page in found for thing in page["value"]]
    digest = hashlib.sha256()
    for thing in things:
        line = json.dumps(thing, sort_keys=True, separators=(",", ":"))
        digest.update(line.encode() + b"\n")
    whole: dict[str, Any] = {"value": things}
    if COUNT in found[0]:
        whole[COUNT] = found[0][COUNT]
    pages.add(graph_list, graph.shown(path), whole, digest.hexdigest())


def _unless_forbidden(
    part: str, forbidden: dict[str, str], ask: Callable[[], Found]
) -> Found | None:
    """Return what ``ask`` does; a refusal, or a licence that lacks, is noted: null."""
    try:
        return ask()
    except AnswerError as error:
        document = error.document if isinstance(error.document, dict) else {}
        inner = document.get("error")
        code = str(inner.get("code", "")) if isinstance(inner, dict) else ""
        lacks_licence = "license" in code.lower() or "premium" in code.lower()
        if not (isinstance(error, ForbiddenError) or lacks_licence):
            raise
        forbidden[part] = str(error)
        return None
