"""The Entra ID connector asking a tenant, through msal, on a loopback HTTPS server."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from connectors import entra_id, web
from connectors.conform import extract
from governance.schema import (
    ACCOUNTS,
    ENTITLEMENT_MEMBERS,
    GRANTS,
    LOGIN_EVENTS,
    Extract,
    ExtractError,
    Table,
)
from governance.settings import Settings
from tests import replay_server
from tests.openid_provider import (
    CLIENT,
    TENANT,
    OpenidProvider,
    application_certificate,
)
from tests.replay_server import Asked, Fault, ReplayServer, Reply, Route

Take = Callable[..., Extract]
USERS, GROUPS = "/v1.0/users", "/v1.0/groups"
REGISTRATIONS = "/v1.0/reports/authenticationMethods/userRegistrationDetails"
DIRECTORY = "/v1.0/roleManagement/directory"
ROLES, ASSIGNMENTS = f"{DIRECTORY}/roleDefinitions", f"{DIRECTORY}/roleAssignments"
SCHEDULES = f"{DIRECTORY}/roleAssignmentScheduleInstances"
SIGN_INS = "/v1.0/auditLogs/signIns"
TOKEN = f"/{TENANT}/oauth2/v2.0/token"
DISCOVERY = f"/{TENANT}/v2.0/.well-known/openid-configuration"
BY_SECRET = 'client_secret = "env:ENTRA_SECRET"\n'

PEOPLE = [
    {
        "id": f"u{number}",
        "userPrincipalName": f"user{number}@example.com",
        "displayName": f"User {number}",
        "accountEnabled": number != 3,
        "userType": "Member",
        "createdDateTime": "2020-01-02T03:04:05Z",
        "signInActivity": {"lastSuccessfulSignInDateTime": "2026-10-01T08:00:00Z"},
        "employeeLeaveDateTime": None,
        "manager": {"id": "u1"},
    }
    for number in range(1, 6)
]
REGISTERED = [
    {
        "id": "u1",
        "isMfaRegistered": True,
        "isMfaCapable": True,
        "methodsRegistered": ["microsoftAuthenticatorPush"],
    },
    {"id": "u2", "isMfaRegistered": False, "isMfaCapable": False},
]
DEFINED = [
    {"id": "r1", "displayName": "Global Administrator", "isEnabled": True},
    {"id": "r2", "displayName": "Own role", "isEnabled": True},
]
ASSIGNED = [
    {
        "id": f"a{number}",
        "principalId": principal,
        "roleDefinitionId": role,
        "directoryScopeId": "/",
        "principal": {"@odata.type": "#microsoft.graph.user"},
    }
    for number, (principal, role) in enumerate((("u1", "r1"), ("u2", "r2")))
]
SCHEDULED: list[dict[str, Any]] = [
    {
        "principalId": "u1",
        "roleDefinitionId": "r1",
        "startDateTime": "2026-11-01T00:00:00Z",
        "endDateTime": "2026-12-01T00:00:00Z",
    },
    {
        "principalId": "u2",
        "roleDefinitionId": "r2",
        "startDateTime": "2025-01-01T00:00:00Z",
        "endDateTime": None,
    },
]
GATHERED: list[dict[str, Any]] = [
    {"id": "g1", "displayName": "Export", "isAssignableToRole": False},
    {"id": "g2", "displayName": "Inner", "isAssignableToRole": True},
    {"id": "g3", "displayName": "Nobody", "isAssignableToRole": None},
]
INSIDE: dict[str, list[dict[str, Any]]] = {
    "g1": [
        {"@odata.type": "#microsoft.graph.user", "id": "u1"},
        {"@odata.type": "#microsoft.graph.user", "id": "u2"},
        {"@odata.type": "#microsoft.graph.group", "id": "g2"},
    ],
    "g2": [{"@odata.type": "#microsoft.graph.user", "id": "u4"}],
    "g3": [],
}
SIGNED_IN = [
    {
        "createdDateTime": f"2026-11-{day:02}T08:00:00Z",
        "userId": "u1",
        "userPrincipalName": "user1@example.com",
        "ipAddress": "192.0.2.1",
        "isInteractive": True,
        "status": {"errorCode": code, "failureReason": "Other."},
    }
    for day, code in ((1, 0), (2, 50126), (3, 0))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def application() -> tuple[x509.Certificate, str]:
    return application_certificate()


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    monkeypatch.setattr(web, "LIMITS", web.Limits(first_wait=0.01, tries=3))
    with replay_server.replay_server(folder) as running:
        yield running


@pytest.fixture
def provider(server: ReplayServer) -> OpenidProvider:
    """Lay out a tenant whose pages hold two objects each."""
    provider = OpenidProvider(server=server)

    def served(*things: Any) -> Route:
        def answer(asked: Asked) -> Reply:
            if not provider.is_good(asked):
                error = {"error": {"code": "InvalidAuthenticationToken"}}
                return Reply(status=401, body=error)
            if asked.query.get("$count") == "true":
                assert asked.headers["consistencylevel"] == "eventual"
                return Reply(body={"@odata.count": len(things), "value": [things[0]]})
            start = int(asked.query.get("$skiptoken", "0"))
            chosen = [_selected(asked, thing) for thing in things[start : start + 2]]
            body: dict[str, Any] = {"value": chosen}
            if start + 2 < len(things):
                query = f"$skiptoken={start + 2}"
                if "$select" in asked.query:
                    query += f"&$select={asked.query['$select']}"
                body["@odata.nextLink"] = f"{server.address}{asked.path}?{query}"
            return Reply(body=body)

        return answer

    server.routes |= {
        USERS: served(*PEOPLE),
        REGISTRATIONS: served(*REGISTERED),
        ROLES: served(*DEFINED),
        ASSIGNMENTS: served(*ASSIGNED),
        SCHEDULES: served(*SCHEDULED),
        GROUPS: served(*GATHERED),
        SIGN_INS: served(*SIGNED_IN),
        **{f"{GROUPS}/{of}/members": served(*inside) for of, inside in INSIDE.items()},
    }
    return provider


def _selected(asked: Asked, thing: dict[str, Any]) -> dict[str, Any]:
    """Return what $select leaves of an object, as Graph does, but for $expand."""
    if "$select" not in asked.query:
        return thing
    names = {*asked.query["$select"].split(","), "@odata.type", "manager"}
    return {name: value for name, value in thing.items() if name in names}


@pytest.fixture
def take(
    server: ReplayServer,
    provider: OpenidProvider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Take:
    """Extract from the tenant; ``told`` is how the application proves itself."""
    monkeypatch.setenv("ENTRA_SECRET", provider.secret)

    def extracted(told: str = BY_SECRET, ca_file: Path = server.ca_file) -> Extract:
        return _extract(
            tmp_path,
            f'tenant = "{TENANT}"\nclient_id = "{CLIENT}"\n'
            f'authority = "{server.address}"\ngraph = "{server.address}"\n'
            f'ca_file = "{ca_file.as_posix()}"\n{told}',
        )

    return extracted


def _extract(place: Path, told: str) -> Extract:
    config = place / "gatebook.toml"
    config.write_text(f'[sources.entra]\nconnector = "entra_id"\n{told}', "utf-8")
    settings = Settings.read(config)
    source = settings.sources["entra"]
    connector = entra_id.CONNECTOR
    return extract(connector, connector.context("entra", settings, source))


def rows(extract: Extract, table: Table, *columns: str) -> list[tuple[Any, ...]]:
    return extract.frame(table).select(columns).rows()


def instant(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


# Signing in ---------------------------------------------------------------------------


def test_a_secret_signs_in_and_every_page_is_read(
    take: Take, provider: OpenidProvider, server: ReplayServer
) -> None:
    taken = take()
    assert taken.frame(ACCOUNTS).height == 5
    assert taken.frame(LOGIN_EVENTS).height == 3
    assert taken.completeness == "full"
    assert taken.method == "API"
    assert set(provider.scopes) == {f"{server.address}/.default"}
    assert all(tie.is_balanced for tie in taken.tie_outs)


def test_a_certificate_signs_in(
    take: Take,
    provider: OpenidProvider,
    application: tuple[x509.Certificate, str],
    tmp_path: Path,
) -> None:
    provider.certificate, pem = application
    key = tmp_path / "application.pem"
    key.touch(0o600)
    key.write_text(pem)
    assert take('certificate = "file:application.pem"\n').frame(ACCOUNTS).height == 5


def test_another_certificate_is_refused(
    take: Take,
    provider: OpenidProvider,
    application: tuple[x509.Certificate, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider.certificate = application[0]
    monkeypatch.setenv("ENTRA_PEM", application_certificate()[1])
    with pytest.raises(ExtractError, match="refuses the application"):
        take('certificate = "env:ENTRA_PEM"\n')


def test_a_certificate_without_its_key_is_named(
    take: Take,
    application: tuple[x509.Certificate, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pem = application[1]
    monkeypatch.setenv("ENTRA_PEM", pem[pem.index("-----BEGIN CERTIFICATE") :])
    with pytest.raises(ExtractError, match="does not hold a private key"):
        take('certificate = "env:ENTRA_PEM"\n')


def test_a_wrong_secret_is_refused_and_never_shown(
    take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENTRA_SECRET", "not-a-real-secret-0007")
    with pytest.raises(ExtractError, match="AADSTS7000215") as caught:
        take()
    assert "not-a-real-secret-0007" not in str(caught.value)


def test_the_environments_certificates_and_proxies_are_not_heard(
    take: Take, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(nothing))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(nothing))
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:1")
    assert take().frame(ACCOUNTS).height == 5


def test_the_environment_cannot_vouch_for_a_stranger(
    take: Take, server: ReplayServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.ca_file))
    with (
        replay_server.replay_server(tmp_path / "others") as other,
        pytest.raises(ExtractError, match="certificate cannot be verified"),
    ):
        take(ca_file=other.ca_file)
    assert server.asked == []


def test_a_sign_in_on_another_host_is_sent_nothing(
    take: Take, server: ReplayServer, tmp_path: Path
) -> None:
    with replay_server.replay_server(tmp_path / "others") as other:
        document = dict(server.routes[DISCOVERY].body)  # type: ignore[union-attr]
        document["token_endpoint"] = f"{other.address}{TOKEN}"
        server.routes[DISCOVERY] = Reply(body=document)
        with pytest.raises(ExtractError, match="another host"):
            take()
        assert other.asked == []


@pytest.mark.parametrize("path", [DISCOVERY, TOKEN])
def test_a_redirect_of_the_sign_in_is_not_followed(
    take: Take, server: ReplayServer, path: str
) -> None:
    elsewhere = Reply(status=307, headers={"Location": "/elsewhere"})
    server.faults_at[path] = Fault(reply=elsewhere)
    with pytest.raises(ExtractError, match="redirects, which is not followed"):
        take()
    assert "/elsewhere" not in server.paths()


@pytest.mark.parametrize(
    "fault",
    [
        replay_server.TOO_MANY,
        replay_server.SERVER_ERROR,
        replay_server.UNAVAILABLE,
        replay_server.CUT,
    ],
    ids=["429", "500", "503", "cut"],
)
@pytest.mark.parametrize("number", [1, 2])
def test_a_passing_fault_of_the_sign_in_costs_nothing(
    take: Take, server: ReplayServer, fault: Fault, number: int
) -> None:
    server.faults[number] = fault
    assert take().frame(ACCOUNTS).height == 5


@pytest.mark.parametrize(
    "fault",
    [
        replay_server.TOO_MANY,
        replay_server.SERVER_ERROR,
        replay_server.CUT,
        replay_server.MALFORMED,
        Fault(reply=Reply(status=302, headers={"Location": "https://example.test/"})),
        Fault(reply=Reply(status=404, body={})),
    ],
    ids=["429", "500", "cut", "malformed", "redirect", "404"],
)
@pytest.mark.parametrize("path", [DISCOVERY, TOKEN])
def test_a_lasting_fault_of_the_sign_in_is_one_sentence(
    take: Take, server: ReplayServer, path: str, fault: Fault
) -> None:
    server.faults_at[path] = fault
    with pytest.raises(ExtractError) as caught:
        take()
    assert str(caught.value).startswith("source entra: localhost:")
    assert TENANT in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ("", "either folder"),
        ('folder = "entra"\ntenant = "t"\nclient_id = "c"\n' + BY_SECRET, "either"),
        ('tenant = "t"\n', "needs client_id"),
        ('tenant = "t"\nclient_id = "c"\n', "one of client_secret and certificate"),
        (
            'tenant = "t"\nclient_id = "c"\ncertificate = "env:A"\n' + BY_SECRET,
            "one of client_secret and certificate",
        ),
        ('tenant = "t"\nclient_id = "c"\nclient_secret = "literal"\n', "env:NAME"),
        ('folder = "entra"\nclient_id = "c"\n', "go with tenant"),
        ('tenant = "a/b"\nclient_id = "c"\n' + BY_SECRET, "tenant"),
        (
            'tenant = "t"\nclient_id = "c"\ngraph = "http://example.test"\n'
            + BY_SECRET,
            "https",
        ),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(
    tmp_path: Path, told: str, match: str
) -> None:
    with pytest.raises(ExtractError, match=match):
        _extract(tmp_path, told)


# What is read -------------------------------------------------------------------------


def test_live_and_saved_pages_say_the_same(take: Take, tmp_path: Path) -> None:
    live = take(BY_SECRET + "people = true\n")
    saved = tmp_path / "pages"
    saved.mkdir()
    for name, things in {
        "users": PEOPLE,
        "userRegistrationDetails": REGISTERED,
        "roleDefinitions": DEFINED,
        "roleAssignments": ASSIGNED,
        "roleAssignmentScheduleInstances": SCHEDULED,
        "groups": [{**one, "members": INSIDE[one["id"]]} for one in GATHERED],
        "signIns": SIGNED_IN,
    }.items():
        (saved / f"{name}.json").write_text(json.dumps({"value": things}))
    read = _extract(tmp_path, 'folder = "pages"\npeople = true\n')
    origin = ("source_file", "source_row")
    assert live.frames.keys() == read.frames.keys()
    for name, frame in read.frames.items():
        assert live.frames[name].drop(origin).equals(frame.drop(origin)), name
    assert live.facts == read.facts


def test_groups_nest_and_their_members_are_read_to_the_last_page(take: Take) -> None:
    taken = take()
    held = rows(taken, GRANTS, "account_id", "entitlement_id")
    assert [row for row in held if "group:" in row[1]] == [
        ("entra:u1", "entra:group:g1"),
        ("entra:u2", "entra:group:g1"),
        ("entra:u4", "entra:group:g2"),
    ]
    assert rows(taken, ENTITLEMENT_MEMBERS, "parent_id", "child_id") == [
        ("entra:group:g2", "entra:group:g1")
    ]


def test_schedules_say_from_when_and_until_when_a_role_is_held(take: Take) -> None:
    held = rows(take(), GRANTS, "entitlement_id", "granted_at", "valid_until")
    assert held[:2] == [
        ("entra:role:r1", instant(2026, 11, 1), instant(2026, 12, 1)),
        ("entra:role:r2", instant(2025, 1, 1), None),
    ]


@pytest.mark.parametrize(
    "empty",
    [
        (REGISTRATIONS,),
        (ROLES,),
        (ASSIGNMENTS,),
        (SCHEDULES,),
        (SIGN_INS,),
        (GROUPS,),
        tuple(f"{GROUPS}/{of}/members" for of in INSIDE),
        (REGISTRATIONS, ROLES, ASSIGNMENTS, SCHEDULES, SIGN_INS, GROUPS),
    ],
)
def test_an_empty_list_is_empty_and_whole(
    take: Take, server: ReplayServer, empty: tuple[str, ...]
) -> None:
    for path in empty:
        server.routes[path] = Reply(body={"value": []})
    taken = take()
    assert taken.frame(ACCOUNTS).height == 5
    assert taken.completeness == "full"
    if SIGN_INS in empty:
        assert "login_events" in taken.facts


@pytest.mark.parametrize(
    ("ends", "valid_until"),
    [
        (["2026-12-01T00:00:00Z", None], None),
        (["2026-12-01T00:00:00Z", "2026-12-05T00:00:00Z"], instant(2026, 12, 5)),
        (["0001-01-01T00:00:00Z"], None),
    ],
)
def test_a_role_held_several_times_ends_with_the_last(
    take: Take,
    server: ReplayServer,
    ends: list[str | None],
    valid_until: datetime | None,
) -> None:
    again = [SCHEDULED[0] | {"endDateTime": end} for end in ends]
    server.routes[SCHEDULES] = Reply(body={"value": again})
    held = rows(take(), GRANTS, "entitlement_id", "valid_until")
    assert held[:2] == [("entra:role:r1", valid_until), ("entra:role:r2", None)]


def test_sign_ins_are_asked_for_since_a_day(take: Take, server: ReplayServer) -> None:
    take(BY_SECRET + "sign_in_days = 7\n")
    asked = next(asked for asked in server.asked if asked.path == SIGN_INS)
    since = datetime.fromisoformat(asked.query["$filter"].split(" ge ")[1])
    assert abs(datetime.now(UTC) - since - timedelta(days=7)) < timedelta(minutes=1)


def test_no_sign_ins_are_asked_for_on_request(take: Take, server: ReplayServer) -> None:
    taken = take(BY_SECRET + "sign_in_days = 0\n")
    assert SIGN_INS not in server.paths()
    assert "login_events" not in taken.facts


def test_a_total_that_is_not_met_is_said(
    take: Take, provider: OpenidProvider, server: ReplayServer
) -> None:
    del provider
    pages = server.routes[USERS]
    assert callable(pages)

    def one_more(asked: Asked) -> Reply:
        reply = pages(asked)
        if asked.query.get("$count") == "true":
            return Reply(body=reply.body | {"@odata.count": 6})
        return reply

    server.routes[USERS] = one_more
    taken = take()
    assert taken.completeness == "scoped"
    assert any("stated 6 rows and the pages hold 5" in note for note in taken.notes)


# Faults -------------------------------------------------------------------------------

LICENCE = Fault(
    reply=Reply(
        status=400,
        body={"error": {"code": "AadPremiumLicenseRequired", "message": "P2 needed"}},
    )
)


@pytest.mark.parametrize("fault", [replay_server.FORBIDDEN, LICENCE])
@pytest.mark.parametrize(
    ("path", "untold"),
    [
        (REGISTRATIONS, "accounts.mfa_state"),
        (ROLES, "entitlements.is_enabled"),
        (ASSIGNMENTS, "grants.valid_until"),
        (SCHEDULES, "grants.valid_until"),
        (GROUPS, "entitlement_members"),
        (f"{GROUPS}/g2/members", "entitlement_members"),
        (SIGN_INS, "login_events"),
    ],
)
def test_a_refused_part_is_untold_not_empty(
    take: Take, server: ReplayServer, path: str, untold: str, fault: Fault
) -> None:
    whole = take().facts
    server.faults_at[path] = fault
    taken = take()
    assert taken.frame(ACCOUNTS).height == 5
    lost = whole - taken.facts
    if untold == "entitlement_members":
        assert taken.frame(ENTITLEMENT_MEMBERS).is_empty()
    else:
        assert untold in lost
    assert taken.completeness == "scoped"
    assert any(path in note for note in taken.notes)


@pytest.mark.parametrize(
    ("needed", "untold"),
    [
        ({"signInActivity"}, "accounts.last_login_at"),
        ({"employeeLeaveDateTime"}, "identities.employment_status"),
        ({"signInActivity", "employeeLeaveDateTime"}, "accounts.last_login_at"),
    ],
)
def test_a_property_that_needs_a_right_of_its_own_is_untold(
    take: Take, server: ReplayServer, needed: set[str], untold: str
) -> None:
    pages = server.routes[USERS]
    assert callable(pages)

    def guarded(asked: Asked) -> Reply:
        if needed & set(asked.query.get("$select", "").split(",")):
            return Reply(status=403, body={"error": {"message": "not licensed"}})
        return pages(asked)

    server.routes[USERS] = guarded
    taken = take(BY_SECRET + "people = true\n")
    assert taken.frame(ACCOUNTS).height == 5
    assert untold not in taken.facts
    assert taken.completeness == "scoped"
    for name in ("signInActivity", "employeeLeaveDateTime"):
        said = any(note.startswith(f"users.{name}: not told") for note in taken.notes)
        assert said == (name in needed)


def test_refused_users_are_an_error(take: Take, server: ReplayServer) -> None:
    server.faults_at[USERS] = replay_server.FORBIDDEN
    with pytest.raises(ExtractError, match=f"{USERS}: answered 403"):
        take()


def test_no_users_are_an_error(take: Take, server: ReplayServer) -> None:
    server.routes[USERS] = Reply(body={"value": []})
    with pytest.raises(ExtractError, match="shows not one user"):
        take()


@pytest.mark.parametrize(
    "fault",
    [
        replay_server.TOO_MANY,
        replay_server.SERVER_ERROR,
        replay_server.BAD_GATEWAY,
        replay_server.CUT,
        replay_server.EXPIRED,
    ],
    ids=["429", "500", "502", "cut", "expired"],
)
@pytest.mark.parametrize("number", [3, 4, 8, 11, 16])
def test_a_passing_fault_loses_no_row(
    take: Take, server: ReplayServer, fault: Fault, number: int
) -> None:
    whole = take()
    server.asked.clear()
    server.faults[number] = fault
    taken = take()
    for name, frame in whole.frames.items():
        assert taken.frames[name].equals(frame), name
    assert taken.completeness == "full"


def test_a_token_that_expires_half_way_is_renewed(
    take: Take, provider: OpenidProvider, server: ReplayServer
) -> None:
    groups = server.routes[GROUPS]
    assert callable(groups)
    expired: list[str] = []

    def late(asked: Asked) -> Reply:
        if not expired:
            expired.extend(provider.tokens)
            provider.tokens.clear()
        return groups(asked)

    server.routes[GROUPS] = late
    taken = take()
    assert expired
    assert taken.frame(ACCOUNTS).height == 5
    assert taken.completeness == "full"


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        (replay_server.TOO_MANY, "429"),
        (replay_server.SERVER_ERROR, "500"),
        (replay_server.CUT, "connection broke"),
        (replay_server.MALFORMED, "not JSON"),
        (replay_server.EXPIRED, "does not accept the credentials"),
        (Fault(reply=Reply(body={"values": []})), "without a list"),
    ],
)
@pytest.mark.parametrize("path", [USERS, ASSIGNMENTS, GROUPS, f"{GROUPS}/g2/members"])
def test_a_lasting_fault_takes_in_nothing(
    take: Take, server: ReplayServer, path: str, fault: Fault, match: str
) -> None:
    server.faults_at[path] = fault
    with pytest.raises(ExtractError, match=match) as caught:
        take()
    assert path in str(caught.value)
    assert "Bearer" not in str(caught.value)


def test_a_next_page_on_another_host_is_not_asked_for(
    take: Take, server: ReplayServer
) -> None:
    body = {"value": PEOPLE[:1], "@odata.nextLink": "https://example.test/v1.0/users"}
    server.routes[USERS] = Reply(body=body)
    with pytest.raises(ExtractError, match="not a host of this source"):
        take()
