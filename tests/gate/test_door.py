"""Default deny, asked of a cold server from outside."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from governance.personas import AUDITOR, MANAGER
from governance.settings import ROOT
from tests.gate.conftest import Served, form_token, served

PAGES = (
    "/",
    "/overview",
    "/check",
    "/people",
    "/my-items",
    "/campaigns",
    "/returned",
    "/snapshots",
    "/evidence",
    "/audit-trail",
    "/main",
    "/secret",
)
MODULES = [
    "/" + path.relative_to(ROOT).with_suffix("").as_posix()
    for path in (ROOT / "pages").rglob("*.py")
]
NOWHERE = (
    "/media/0000.xlsx",
    "/_stcore/metrics",
    "/_stcore/upload_file/a/b",
    "/_stcore/agent/mcp",
    "/_stcore/agent/openapi.json",
    "/_stcore/script-health-check",
    "/_stcore/bidi-components/x",
    "/component/x/index.html",
    "/app/static/x.txt",
    "/auth/login",
    "/oauth2callback",
    "/static/../app.py",
    "//example.com",
    "/.streamlit/config.toml",
    "/app.py",
)


@pytest.mark.parametrize("path", [*PAGES, "/download/evidence/x", "/upload/workbook"])
def test_anonymous_reader_of_a_cold_server_is_sent_to_sign_in(
    cold: Served, path: str
) -> None:
    with cold.client() as client:
        answer = client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in"


@pytest.mark.parametrize("path", MODULES)
def test_no_module_of_pages_runs_by_its_own_address(cold: Served, path: str) -> None:
    with cold.client() as client:
        assert client.get(path).status_code in (303, 404)


@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_not_listed_does_not_exist_for_anybody(cold: Served, path: str) -> None:
    with cold.client() as anonymous, cold.signed_in(MANAGER.actor_id) as known:
        url = httpx2.URL(cold.address + "/").copy_with(raw_path=path.encode())
        assert anonymous.get(url).status_code in (303, 404)
        assert known.get(url).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_other_method_is_answered(cold: Served, method: str) -> None:
    with cold.signed_in(MANAGER.actor_id) as client:
        assert client.request(method, "/").status_code == 404


def test_health_alone_is_open(cold: Served) -> None:
    with cold.client() as client:
        assert client.get("/_stcore/health").status_code == 200
        assert client.get("/_stcore/host-config").status_code == 303


def test_foreign_host_name_is_refused(cold: Served) -> None:
    with cold.client() as client:
        for name in ("evil.example.com", "127.0.0.1.example.com", ""):
            answer = client.get("/sign-in", headers={"Host": name})
            assert answer.status_code == 421, name


def test_every_answer_carries_the_security_headers(cold: Served) -> None:
    with cold.signed_in(AUDITOR.actor_id) as client:
        for path in ("/", "/sign-in", "/nowhere/x", "/_stcore/health"):
            told = client.get(path).headers
            assert told["x-content-type-options"] == "nosniff", path
            assert told["x-frame-options"] == "DENY", path
            assert "frame-ancestors 'none'" in told["content-security-policy"], path
            assert told["cache-control"] == "no-store", path
            assert "'unsafe-eval'" not in told["content-security-policy"], path


def test_content_policy_allows_inline_scripts_by_digest_only(cold: Served) -> None:
    with cold.signed_in(AUDITOR.actor_id) as client:
        policy = client.get("/").headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in scripts
    assert "'sha256-" in scripts


# Signing in ---------------------------------------------------------------------------


def test_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    cold: Served,
) -> None:
    with cold.client() as client:
        token = form_token(client.get("/sign-in").text)
        answer = client.post(
            "/sign-in",
            data={"persona": MANAGER.actor_id, "form_token": token},
            headers={"Origin": cold.address},
        )
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("gatebook_session=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie


def test_form_of_another_browser_is_refused(cold: Served) -> None:
    with cold.client() as first, cold.client() as second:
        token = form_token(first.get("/sign-in").text)
        second.get("/sign-in")
        answer = second.post(
            "/sign-in",
            data={"persona": MANAGER.actor_id, "form_token": token},
            headers={"Origin": cold.address},
        )
    assert answer.status_code == 403
    assert "gatebook_session" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("origin", ["https://evil.example.com", "null", None])
def test_form_from_another_site_is_refused(cold: Served, origin: str | None) -> None:
    with cold.client() as client:
        token = form_token(client.get("/sign-in").text)
        answer = client.post(
            "/sign-in",
            data={"persona": MANAGER.actor_id, "form_token": token},
            headers={} if origin is None else {"Origin": origin},
        )
    assert answer.status_code == 403


def test_person_who_is_no_persona_gets_no_session(cold: Served) -> None:
    with cold.client() as client:
        token = form_token(client.get("/sign-in").text)
        answer = client.post(
            "/sign-in",
            data={"persona": "hr:nobody", "form_token": token},
            headers={"Origin": cold.address},
        )
    assert answer.status_code == 403


def test_signing_in_again_ends_the_session_before(cold: Served) -> None:
    with cold.signed_in(MANAGER.actor_id) as client:
        first = client.cookies["gatebook_session"]
        token = form_token(client.get("/sign-in").text)
        client.post(
            "/sign-in",
            data={"persona": AUDITOR.actor_id, "form_token": token},
            headers={"Origin": cold.address},
        )
    with cold.client() as thief:
        answer = thief.get("/", headers={"Cookie": f"gatebook_session={first}"})
    assert answer.status_code == 303


def test_persona_chooser_hides_behind_a_proxy(cold: Served) -> None:
    """A proxy on the same machine brings in strangers: its header closes the door."""
    with cold.client() as client:
        near = client.get("/sign-in")
        far = client.get("/sign-in", headers={"X-Forwarded-For": "192.0.2.7"})
    assert MANAGER.actor_id in near.text
    assert MANAGER.actor_id not in far.text


@pytest.fixture(scope="module")
def earnest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an installation that is no demo."""
    config = tmp_path_factory.mktemp("earnest") / "gatebook.toml"
    config.write_text('organisation = "Example Trading"\n', "utf-8")
    with served(config) as started:
        yield started


def test_without_a_demo_nobody_gets_in(earnest: Served) -> None:
    with earnest.client() as client:
        page = client.get("/sign-in")
        assert page.status_code == 200
        assert "Sign-in is not set up" in page.text
        assert "form_token" not in page.text
        answer = client.post(
            "/sign-in",
            data={"persona": MANAGER.actor_id, "form_token": "x"},
            headers={"Origin": earnest.address},
        )
        assert answer.status_code == 403
        assert client.get("/").status_code == 303


# The stream ---------------------------------------------------------------------------


def stream(
    place: Served,
    *,
    token: str | None = None,
    origin: str | None = "own",
    resume: str | None = None,
    header: str | None = None,
) -> ClientConnection:
    """Open Streamlit's websocket as a browser would, or as a thief would."""
    told = {} if token is None else {"Cookie": f"gatebook_session={token}"}
    if header is not None:
        told["X-Gatebook-Session"] = header
    protocols = ["streamlit", "x", *([resume] if resume else [])]
    return connect(
        f"ws://127.0.0.1:{place.port}/_stcore/stream",
        origin=None
        if origin is None
        else Origin(place.address if origin == "own" else origin),
        additional_headers=told,
        subprotocols=[Subprotocol(name) for name in protocols],
        proxy=None,
    )


def token_of(place: Served, persona: str) -> str:
    with place.signed_in(persona) as client:
        return str(client.cookies["gatebook_session"])


@pytest.mark.parametrize("token", [None, "", "x" * 43])
def test_stream_without_a_session_is_refused(cold: Served, token: str | None) -> None:
    with pytest.raises(InvalidStatus) as refusal, stream(cold, token=token):
        pass
    assert refusal.value.response.status_code == 403


@pytest.mark.parametrize("origin", [None, "https://evil.example.com", "null"])
def test_stream_from_another_site_is_refused(cold: Served, origin: str | None) -> None:
    token = token_of(cold, MANAGER.actor_id)
    with (
        pytest.raises(InvalidStatus) as refusal,
        stream(cold, token=token, origin=origin),
    ):
        pass
    assert refusal.value.response.status_code == 403


def streamlit_session(connection: ClientConnection) -> str:
    """Ask for a run; return the session Streamlit gave."""
    from streamlit.proto.BackMsg_pb2 import BackMsg

    asked = BackMsg()
    asked.rerun_script.query_string = ""
    connection.send(asked.SerializeToString())
    while True:
        data = connection.recv(timeout=60)
        told = ForwardMsg()
        told.ParseFromString(data if isinstance(data, bytes) else data.encode())
        if told.WhichOneof("type") == "new_session":
            return str(told.new_session.initialize.session_id)


def test_session_of_another_sign_in_cannot_be_resumed(cold: Served) -> None:
    """Streamlit's own session id is a bearer token; the gate ties it to the cookie."""
    manager, auditor = (
        token_of(cold, MANAGER.actor_id),
        token_of(cold, AUDITOR.actor_id),
    )
    with stream(cold, token=manager) as own:
        stolen = streamlit_session(own)
    with stream(cold, token=manager, resume=stolen) as own:
        assert streamlit_session(own) == stolen
    with stream(cold, token=auditor, resume=stolen) as thief:
        assert streamlit_session(thief) != stolen


def test_client_cannot_write_the_header_of_the_gate(cold: Served) -> None:
    import hashlib

    manager, auditor = (
        token_of(cold, MANAGER.actor_id),
        token_of(cold, AUDITOR.actor_id),
    )
    with stream(cold, token=manager) as own:
        stolen = streamlit_session(own)
    forged = hashlib.sha256(manager.encode()).hexdigest()
    with stream(cold, token=auditor, resume=stolen, header=forged) as thief:
        assert streamlit_session(thief) != stolen


def test_no_page_lies_beside_the_script_that_streamlit_runs() -> None:
    text = Path(ROOT, "app.py").read_text("utf-8")
    assert '"pages" / "main.py"' in text
    assert not Path(ROOT, "pages", "pages").exists()
