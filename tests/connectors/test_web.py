"""The shared behaviour of web sources, against a real server on loopback."""

import hashlib
import json
import logging
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.web import (
    Credentials,
    ForbiddenError,
    HttpsAddress,
    Limits,
    WebClient,
    next_by_token,
    next_in_field,
    next_in_link,
    raw_table,
)
from governance.schema import ExtractError
from tests.replay_server import (
    BAD_GATEWAY,
    CUT,
    EXPIRED,
    FORBIDDEN,
    MALFORMED,
    SERVER_ERROR,
    TOO_MANY,
    UNAVAILABLE,
    Asked,
    Fault,
    ReplayServer,
    Reply,
    pages,
    replay_server,
)

QUICK = Limits(tries=3, first_wait=0.01, connect=2, silence=0.5, longest_wait=2)
PEOPLE = [{"id": "1"}, {"id": "2"}], [{"id": "3"}], [{"id": "4"}]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplayServer]:
    with replay_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(started: ReplayServer) -> ReplayServer:
    """Return the one server, with nothing in it but three pages of people."""
    for kept in (started.routes, started.faults, started.faults_at, started.asked):
        kept.clear()
    started.routes["/people"] = pages(*PEOPLE)
    return started


def client(server: ReplayServer, **told: Any) -> WebClient:
    return WebClient(
        server.address, **{"ca_file": server.ca_file, "limits": QUICK, **told}
    )


def people(server: ReplayServer, **told: Any) -> list[str]:
    with client(server, **told) as web:
        return [
            record["id"]
            for answer in web.pages("/people", {"limit": 2}, next_of=next_in_link)
            for record in answer.records()
        ]


# Pages --------------------------------------------------------------------------------


def test_a_list_is_followed_to_its_last_page(server: ReplayServer) -> None:
    assert people(server) == ["1", "2", "3", "4"]
    assert [dict(asked.query) for asked in server.asked] == [
        {"limit": "2"},
        {"page": "1"},
        {"page": "2"},
    ]


def test_a_next_link_may_stand_in_a_field(server: ReplayServer) -> None:
    server.routes["/a"] = Reply(
        body={"value": [{"id": "1"}], "@odata.nextLink": f"{server.address}/b?x=1"}
    )
    server.routes["/b"] = Reply(body={"value": [{"id": "2"}]})
    with client(server) as web:
        found = list(web.pages("/a", next_of=next_in_field("@odata.nextLink")))
    assert [page.records("value") for page in found] == [[{"id": "1"}], [{"id": "2"}]]


def test_a_token_goes_into_the_query_and_leaves_the_rest_as_it_was(
    server: ReplayServer,
) -> None:
    def answer(asked: Asked) -> Reply:
        more = {} if "pageToken" in asked.query else {"nextPageToken": "t"}
        return Reply(body={"users": [{"id": "1"}], **more})

    server.routes["/users"] = answer
    with client(server) as web:
        found = web.pages(
            "/users", {"limit": 9}, next_of=next_by_token("nextPageToken", "pageToken")
        )
        assert len(list(found)) == 2
    assert server.asked[1].query == {"limit": "9", "pageToken": "t"}


def test_a_token_goes_into_the_body_of_a_question_that_has_one(
    server: ReplayServer,
) -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(body={"next": {"after": None if "after" in asked.json else 7}})

    server.routes["/search"] = answer
    with client(server) as web:
        found = web.pages(
            "/search", body={"q": "x"}, next_of=next_by_token("next.after", "after")
        )
        assert len(list(found)) == 2
    assert server.asked[1].json == {"q": "x", "after": "7"}


def test_pages_that_lead_back_are_refused(server: ReplayServer) -> None:
    server.routes["/people"] = Reply(
        body=[], headers={"Link": f'<{server.address}/people>; rel="next"'}
    )
    with pytest.raises(ExtractError, match="lead back to one already read"):
        people(server)


def test_pages_without_end_are_refused(server: ReplayServer) -> None:
    with pytest.raises(ExtractError, match="more than 2 pages"):
        people(server, limits=Limits(pages=2))
    assert people(server, limits=Limits(pages=3)) == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.test/people?page=1",
        "http://localhost/people",
        "https://localhost:1/people",
        "https://user:secret@localhost/people",
    ],
)
def test_a_next_link_to_another_host_is_not_followed(
    server: ReplayServer, link: str
) -> None:
    server.routes["/people"] = Reply(body=[], headers={"Link": f'<{link}>; rel="next"'})
    with pytest.raises(ExtractError, match="not a host of this source") as caught:
        people(server)
    assert "secret" not in str(caught.value)
    assert len(server.asked) == 1


# Faults -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    "fault", [TOO_MANY, SERVER_ERROR, BAD_GATEWAY, UNAVAILABLE, CUT, Fault(seconds=0.8)]
)
def test_a_passing_fault_loses_no_row(
    server: ReplayServer, fault: Fault, number: int
) -> None:
    server.faults[number] = fault
    assert people(server) == ["1", "2", "3", "4"]
    assert len(server.asked) == 4


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_page_that_is_not_json_is_refused_by_its_endpoint(
    server: ReplayServer, number: int
) -> None:
    server.faults[number] = MALFORMED
    host = server.address.removeprefix("https://")
    with pytest.raises(ExtractError, match=f"^{host}/people: answered with what is"):
        people(server)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (TOO_MANY, "answered 429 3 times"),
        (SERVER_ERROR, "answered 500 3 times"),
        (CUT, "the connection broke before the answer was whole"),
        (Fault(seconds=0.8), "it does not answer in time"),
    ],
)
def test_a_fault_that_stays_ends_the_pull_after_a_bounded_number_of_tries(
    server: ReplayServer, fault: Fault, said: str
) -> None:
    server.faults_at["/people"] = fault
    with pytest.raises(ExtractError, match=said):
        people(server)
    assert len(server.asked) == 3


def test_a_server_that_is_not_there_is_named(server: ReplayServer) -> None:
    with (
        WebClient("https://localhost:9", limits=QUICK) as web,
        pytest.raises(ExtractError, match=r"^localhost:9/x: it cannot be reached"),
    ):
        web.get_json("/x?token=secret")


def waits(server: ReplayServer, headers: Mapping[str, str]) -> float:
    server.faults[1] = Fault(reply=Reply(status=429, headers=headers))
    began = datetime.now(UTC)
    people(server)
    return (datetime.now(UTC) - began).total_seconds()


def test_the_seconds_of_retry_after_are_waited(server: ReplayServer) -> None:
    assert waits(server, {"Retry-After": "1"}) >= 1


@pytest.mark.parametrize("hours", [0, -7])
def test_the_date_of_retry_after_is_read_by_the_clock_of_the_server(
    server: ReplayServer, hours: int
) -> None:
    then = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    waited = waits(
        server,
        {
            "Date": format_datetime(then, usegmt=True),
            "Retry-After": format_datetime(then + timedelta(seconds=1), usegmt=True),
        },
    )
    assert 0.9 <= waited < 3


def test_the_moment_at_which_okta_lifts_its_limit_is_waited_for(
    server: ReplayServer,
) -> None:
    then = datetime.now(UTC).replace(microsecond=0)
    waited = waits(
        server,
        {
            "Date": format_datetime(then, usegmt=True),
            "X-Rate-Limit-Reset": str(int(then.timestamp()) + 1),
        },
    )
    assert 0.9 <= waited < 3


def test_a_server_that_asks_for_more_than_we_wait_is_not_waited_for(
    server: ReplayServer,
) -> None:
    with pytest.raises(ExtractError, match="asks to wait 3 seconds"):
        waits(server, {"Retry-After": "3"})
    assert len(server.asked) == 1


def test_nothing_is_logged_on_the_way(
    server: ReplayServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults[1] = SERVER_ERROR
    people(server)
    assert caplog.records == []


def test_an_answer_may_not_be_too_long(server: ReplayServer) -> None:
    server.routes["/big"] = Reply(body=b'"' + b"x" * 98 + b'"')
    with client(server, limits=Limits(bytes=100)) as web:
        assert len(web.get_json("/big")) == 98
    with (
        client(server, limits=Limits(bytes=99)) as web,
        pytest.raises(ExtractError, match="more than 99 bytes"),
    ):
        web.get_json("/big")


# Credentials --------------------------------------------------------------------------


def test_a_part_that_is_forbidden_is_told_apart(server: ReplayServer) -> None:
    server.faults_at["/people"] = FORBIDDEN
    with pytest.raises(ForbiddenError, match=r"answered 403 \(not allowed\)") as caught:
        people(server)
    assert caught.value.status == 403
    assert caught.value.document == {"message": "not allowed"}
    assert len(server.asked) == 1


def test_an_expired_token_is_renewed_once_and_loses_no_row(
    server: ReplayServer,
) -> None:
    tokens = iter(["old-token", "new-token"])
    server.faults[2] = EXPIRED
    found = people(
        server,
        authorise=lambda: Credentials(headers={"Authorization": next(tokens)}),
    )
    assert found == ["1", "2", "3", "4"]
    sent = [asked.headers["authorization"] for asked in server.asked]
    assert sent == ["old-token", "old-token", "new-token", "new-token"]


def test_a_token_that_stays_refused_is_tried_twice_at_most(
    server: ReplayServer,
) -> None:
    tokens = iter(["one", "two", "three"])
    server.faults_at["/people"] = EXPIRED
    with pytest.raises(ExtractError, match="does not accept the credentials"):
        people(server, authorise=lambda: Credentials(headers={"X": next(tokens)}))
    assert len(server.asked) == 2


def test_a_token_that_cannot_be_renewed_is_tried_once(server: ReplayServer) -> None:
    server.faults_at["/people"] = EXPIRED
    with pytest.raises(ExtractError, match="does not accept the credentials"):
        people(server, authorise=lambda: Credentials(headers={"X": "only"}))
    assert len(server.asked) == 1


def test_an_expiry_told_in_the_document_is_renewed_too(server: ReplayServer) -> None:
    def answer(asked: Asked) -> Reply:
        is_new = asked.query["access_token"] == "new"
        return Reply(body={"errcode": 0 if is_new else 42001})

    server.routes["/user"] = answer
    tokens = iter(["old", "new"])
    with client(
        server,
        authorise=lambda: Credentials(parameters={"access_token": next(tokens)}),
        is_expired=lambda document: document["errcode"] == 42001,
    ) as web:
        assert web.get_json("/user", {"id": 1}) == {"errcode": 0}


def test_no_error_repeats_a_secret(server: ReplayServer) -> None:
    server.routes["/x"] = Reply(
        status=400, body={"message": "token s3cret-token is bad"}
    )
    with (
        client(
            server,
            authorise=lambda: Credentials(
                headers={"Authorization": "Bearer s3cret-token"},
                parameters={"key": "s3cret-token"},
            ),
        ) as web,
        pytest.raises(ExtractError) as caught,
    ):
        web.get_json("/x", {"name": "王伟"})
    assert str(caught.value).startswith(web.shown("/x") + ": answered 400; ")
    assert "s3cret" not in repr(caught.value) + repr(
        Credentials(headers={"a": "s3cret"})
    )


def test_a_secret_with_a_line_break_is_refused_without_being_repeated(
    server: ReplayServer,
) -> None:
    with pytest.raises(ExtractError, match="a character that no secret has") as caught:
        people(server, authorise=lambda: Credentials(headers={"X": "s3cret\n"}))
    assert "s3cret" not in str(caught.value)
    assert server.asked == []


# Hosts and certificates ---------------------------------------------------------------


def test_a_redirect_is_not_followed(server: ReplayServer) -> None:
    server.routes["/people"] = Reply(
        status=302, headers={"Location": "https://login.test/?state=secret"}
    )
    with pytest.raises(ExtractError, match=r"redirects to login\.test, and") as caught:
        people(server)
    assert "secret" not in str(caught.value)


def test_a_certificate_of_an_unknown_authority_is_refused(
    server: ReplayServer,
) -> None:
    with pytest.raises(ExtractError, match="certificate cannot be verified"):
        people(server, ca_file=None)
    assert server.asked == []


def test_a_certificate_for_another_name_is_refused(server: ReplayServer) -> None:
    address = server.address.replace("localhost", "127.0.0.2")
    with (
        WebClient(address, ca_file=server.ca_file, limits=QUICK) as web,
        pytest.raises(ExtractError, match=r"certificate cannot be verified|reached"),
    ):
        web.get_json("/people")
    assert server.asked == []


def test_the_environment_cannot_turn_trust_or_the_way(
    server: ReplayServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(server.ca_file))
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with pytest.raises(ExtractError, match="certificate cannot be verified"):
        people(server, ca_file=None)
    assert people(server) == ["1", "2", "3", "4"]
    assert not (tmp_path / "keys").exists()


def test_a_ca_file_that_is_none_is_named(server: ReplayServer, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ExtractError, match=r"^ca\.pem: is no file of certificates"):
        people(server, ca_file=tmp_path / "ca.pem")


def test_certificates_are_always_verified(server: ReplayServer) -> None:
    pool = client(server)._client._transport._pool  # type: ignore[attr-defined]
    assert pool._ssl_context.verify_mode == ssl.CERT_REQUIRED
    assert pool._ssl_context.check_hostname


@pytest.mark.parametrize(
    "told",
    [
        "http://okta.example.com",
        "okta.example.com",
        "",
        "https://",
        "https://user:pa55@okta.example.com",
        "https://okta.example.com/?token=pa55",
        "https://okta.example.com/#pa55",
        "https://169.254.169.254/latest",
        "https://[fe80::1]",
        "https://0.0.0.0",
        "file:///etc/passwd",
        "https://okta.example.com/ x",
    ],
)
def test_an_address_that_no_source_has_is_refused_and_not_repeated(told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(HttpsAddress).validate_python(told)
    assert "pa55" not in caught.value.errors()[0]["msg"]
    with pytest.raises(ExtractError) as refused:
        WebClient(told)
    assert "pa55" not in str(refused.value)


def test_an_address_may_have_a_port_and_a_path() -> None:
    told = "https://crm.example.com:8443/espo/"
    assert TypeAdapter(HttpsAddress).validate_python(told) == told[:-1]


# Rows ---------------------------------------------------------------------------------

RECORDS: list[dict[str, Any]] = [
    {"id": 1, "name": {"full": "李四"}, "on": True, "tags": ["a", "b"], "other": "x"},
    {"id": 2, "name": None, "phones": [{"value": "1"}, {"value": "2"}]},
]


def test_records_become_rows_of_text_with_the_columns_listed_and_no_other() -> None:
    columns = ("id", "name.full", "on", "tags", "phones.value", "absent")
    raw = raw_table("users", "crm.example.com/users", RECORDS, columns, stated=2)
    assert raw.rows.to_dicts() == [
        {
            "id": "1",
            "name.full": "李四",
            "on": "true",
            "tags": ["a", "b"],
            "phones.value": None,
        },
        {
            "id": "2",
            "name.full": None,
            "on": None,
            "tags": None,
            "phones.value": ["1", "2"],
        },
    ]
    assert (raw.name, raw.file, raw.stated) == ("users", "crm.example.com/users", 2)


def test_a_list_keeps_its_place_its_order_and_its_emptiness() -> None:
    told: list[Any] = [["b", "a"], None, [], "c", [None, 1], [{"x": "李"}]]
    raw = raw_table("users", "x", [{"tags": one} for one in told], ("tags",))
    assert raw.rows["tags"].to_list() == [
        ["b", "a"],
        None,
        [],
        ["c"],
        [None, "1"],
        ['{"x": "李"}'],
    ]


def test_the_digest_is_of_the_whole_list_as_canonical_json() -> None:
    records = [{"id": number, "名": "李"} for number in range(2_500)]
    text = json.dumps(records, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert raw_table("users", "x", records, ("id",)).sha256 == digest


def test_half_a_character_is_refused_by_its_column() -> None:
    with pytest.raises(ExtractError, match=r"^x: name holds half a character"):
        raw_table("users", "x", [{"name": "\ud800"}], ("name",))


def test_no_records_leave_every_column_told() -> None:
    raw = raw_table("users", "crm.example.com/users", [], ("id", "name"))
    assert raw.rows.columns == ["id", "name"]
    assert raw.rows.height == 0


def test_the_digest_is_of_the_records_whatever_the_order_of_their_names() -> None:
    def digest(record: dict[str, Any]) -> str | None:
        return raw_table("users", "x", [record], ("a",)).sha256

    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1, "b": 2}) != digest({"a": 1, "b": 3})


def test_records_that_hold_credentials_are_refused() -> None:
    with pytest.raises(ExtractError, match="'userPassword' holds passwords"):
        raw_table("users", "x", [{"userPassword": "hunter2"}], ("userPassword",))
