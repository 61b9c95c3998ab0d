"""Reading a directory over the network: paging, limits, rights, encryption, faults."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.conform import extract
from connectors.ldap import CONNECTOR
from connectors.ldap_attributes import WANTED, is_secret
from governance.schema import ACCOUNTS, GRANTS, Extract, ExtractError
from governance.settings import Settings
from tests.connectors.ldap_company import (
    dn_of,
    group_of_names,
    openldap,
    person,
    uid_dn,
)
from tests.ldap_relays import cut_after, pieces_of
from tests.slapd import BASE, PASSWORD, READER, Slapd, make_certificates, slapd, tree

Take = Callable[..., Extract]
MANY = 20_000
OPEN = 'kind = "openldap"'
GROUPS_HIDDEN = f'access to dn.subtree="ou=groups,{BASE}" by * none\n'


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    """Extract an OpenLDAP at a URL with the keys given, as the reader."""
    monkeypatch.setenv("LDAP_PASSWORD", PASSWORD)

    def extracted(url: str, *keys: str, kind: str = OPEN) -> Extract:
        config = tmp_path / "gatebook.toml"
        own = {key.partition(" ")[0] for key in keys}
        told = {
            "base": f'base = "{BASE}"',
            "bind_dn": f'bind_dn = "{READER}"',
            "password": 'password = "env:LDAP_PASSWORD"',
        }
        lines = [line for name, line in told.items() if name not in own]
        config.write_text(
            "\n".join(
                [
                    *("[sources.dir]", 'connector = "ldap"', kind, f'url = "{url}"'),
                    *lines,
                    *keys,
                ]
            ),
            "utf-8",
        )
        settings = Settings.read(config)
        context = CONNECTOR.context("dir", settings, settings.sources["dir"])
        return extract(CONNECTOR, context)

    return extracted


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """A directory of 20,000 persons in one group, that gives 500 entries at a time."""
    folder = tmp_path_factory.mktemp("crowd")
    with slapd(folder, crowd_of(MANY)) as server:
        yield server


def crowd_of(number: int) -> str:
    logins = [f"u{at:05d}" for at in range(number)]
    people = [person(login, f"员工 {login}") for login in logins]
    staff = group_of_names("Staff", [uid_dn(login) for login in logins])
    return tree("people", "groups") + "".join(people) + staff


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(tmp_path_factory.mktemp("secured"), openldap(), tls=True) as server:
        yield server


# Paging and limits --------------------------------------------------------------------


@pytest.mark.parametrize("page_size", [500, 499])
def test_every_page_is_read_to_the_last(
    take: Take, crowd: Slapd, page_size: int
) -> None:
    extracted = take(crowd.url, f"page_size = {page_size}")
    assert extracted.frame(ACCOUNTS).height == MANY + 1
    assert extracted.frame(ACCOUNTS)["login"].n_unique() == MANY + 1
    assert extracted.frame(GRANTS).height == MANY
    assert extracted.completeness == "unknown"


def test_a_search_that_a_limit_ends_is_scoped_and_says_so(
    take: Take, tmp_path: Path
) -> None:
    limits = "sizelimit size.soft=50 size.hard=50 size.prtotal=120"
    with slapd(tmp_path / "limited", crowd_of(200), limits=limits) as server:
        extracted = take(server.url, "page_size = 50")
    assert extracted.frame(ACCOUNTS).height == 120
    assert extracted.completeness == "scoped"
    assert any(
        note.startswith("users: the server's size limit ended the search after 120")
        for note in extracted.notes
    )


def test_a_server_without_paging_is_read_up_to_its_limit_and_scoped(
    take: Take, tmp_path: Path
) -> None:
    limits = "sizelimit size.soft=50 size.hard=50 size.prtotal=disabled"
    with slapd(tmp_path / "limited", crowd_of(200), limits=limits) as server:
        extracted = take(server.url)
    assert extracted.frame(ACCOUNTS).height == 50
    assert extracted.completeness == "scoped"


def test_a_server_without_paging_is_read_whole_if_it_may_be(
    take: Take, tmp_path: Path
) -> None:
    limits = "sizelimit size.soft=500 size.hard=500 size.prtotal=disabled"
    with slapd(tmp_path / "limited", crowd_of(200), limits=limits) as server:
        extracted = take(server.url)
    assert extracted.frame(ACCOUNTS).height == 201
    assert extracted.completeness == "unknown"


@pytest.mark.parametrize("number", [3, 4, 6, 7])
def test_long_lists_are_fetched_piece_by_piece(take: Take, number: int) -> None:
    members = [dn_of(f"p{at}").encode() for at in range(number)]
    entries = {
        dn.decode(): {"objectClass": [b"user"], "cn": [dn[3:5]]} for dn in members
    }
    for name in ("Staff", "Team"):
        entries[dn_of(name)] = {"objectClass": [b"group"], "member": members}
    with pieces_of(entries) as port:
        extracted = take(f"ldap://127.0.0.1:{port}", kind='kind = "active_directory"')
    assert extracted.frame(ACCOUNTS).height == number
    assert extracted.frame(GRANTS).height == 2 * number


def test_a_list_whose_rest_is_not_handed_out_stops_the_pull(take: Take) -> None:
    members = [dn_of(f"p{at}").encode() for at in range(4)]
    entries = {
        dn_of("p0"): {"objectClass": [b"user"]},
        dn_of("Staff"): {"objectClass": [b"group"], "member": members},
    }
    with (
        pieces_of(entries, lost=True) as port,
        pytest.raises(ExtractError, match="more than 3 values of member"),
    ):
        take(f"ldap://127.0.0.1:{port}", kind='kind = "active_directory"')


# Rights -------------------------------------------------------------------------------


def test_groups_that_are_not_shown_are_untold_and_not_empty(
    take: Take, tmp_path: Path
) -> None:
    access = f"{GROUPS_HIDDEN}access to * by * read"
    with slapd(tmp_path / "hidden", openldap(), access=access) as server:
        extracted = take(server.url)
    assert extracted.frame(ACCOUNTS).height == 4
    assert extracted.facts.isdisjoint({"entitlements", "grants"})
    assert any(note.startswith("groups: not one was") for note in extracted.notes)


def test_groups_that_may_not_be_searched_are_untold_and_the_source_scoped(
    take: Take,
) -> None:
    entries = {dn_of("p"): {"objectClass": [b"user"], "cn": [b"p"]}}
    with pieces_of(entries, refused=b"group") as port:
        url = f"ldap://127.0.0.1:{port}"
        extracted = take(url, kind='kind = "active_directory"')
    assert extracted.frame(ACCOUNTS).height == 1
    assert extracted.facts.isdisjoint({"entitlements", "grants"})
    assert extracted.completeness == "scoped"
    assert any("may not read them" in note for note in extracted.notes)


def test_users_that_may_not_be_searched_stop_the_pull(take: Take) -> None:
    entries = {dn_of("p"): {"objectClass": [b"user"], "cn": [b"p"]}}
    with (
        pieces_of(entries, refused=b"user") as port,
        pytest.raises(ExtractError, match=r"users under '.*' cannot be read"),
    ):
        take(f"ldap://127.0.0.1:{port}", kind='kind = "active_directory"')


def test_a_filter_of_the_operator_makes_nobody_missing(
    take: Take, secured: Slapd
) -> None:
    extracted = take(secured.url, 'user_filter = "(uid=bob)"')
    assert extracted.frame(ACCOUNTS)["login"].to_list() == ["bob"]
    missing = [
        account
        for account in extracted.frame(GRANTS)["account_id"]
        if account.startswith("dir:uid=")
    ]
    assert missing == [f"dir:uid=gone,ou=people,{BASE}"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (('base = "dc=example,dc=net"',), "has no entry 'dc=example,dc=net'"),
        (('user_filter = "(uid=none)"',), "shows not one user"),
        (('user_filter = "uid=("',), "is not a filter of LDAP"),
        ((f'bind_dn = "cn=nobody,{BASE}"',), "refuses the sign-in of cn=nobody"),
        (('password = "env:WRONG"',), "refuses the sign-in of"),
        (('password = "env:MISSING"',), "env:MISSING: there is no such"),
    ],
)
def test_what_the_server_refuses_is_one_sentence(
    take: Take,
    secured: Slapd,
    monkeypatch: pytest.MonkeyPatch,
    keys: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setenv("WRONG", "wrong-password")
    with pytest.raises(ExtractError, match=message.replace("(", r"\(")) as refused:
        take(secured.url, *keys)
    assert "wrong-password" not in str(refused.value)
    assert PASSWORD not in str(refused.value)


def test_no_attribute_that_is_asked_for_is_a_credential() -> None:
    asked = {
        name
        for kinds in WANTED.values()
        for wanted in kinds.values()
        for name in wanted.attributes
    }
    assert asked.isdisjoint({"*", "+"})
    assert not [name for name in sorted(asked) if is_secret(name)]


# Encryption ---------------------------------------------------------------------------


def test_ldaps_and_start_tls_are_verified_against_the_ca(
    take: Take, secured: Slapd
) -> None:
    by_ca = f'ca_file = "{secured.ca_file}"'
    over_tls = take(secured.secure_url, by_ca)
    started = take(f"ldap://localhost:{secured.port}", "start_tls = true", by_ca)
    assert over_tls.frame(ACCOUNTS).height == started.frame(ACCOUNTS).height == 4


@pytest.mark.parametrize("start_tls", [True, False])
@pytest.mark.parametrize("ca", ["another", "system", "own"])
def test_a_certificate_of_another_ca_or_another_name_is_refused(
    take: Take, secured: Slapd, tmp_path: Path, ca: str, start_tls: bool
) -> None:
    keys = ["start_tls = true"] if start_tls else []
    host = "localhost"
    if ca == "another":
        keys.append(f'ca_file = "{make_certificates(tmp_path / "other")}"')
    elif ca == "own":
        keys.append(f'ca_file = "{secured.ca_file}"')
        host = "127.0.0.1"
    url = (
        f"ldap://{host}:{secured.port}"
        if start_tls
        else f"ldaps://{host}:{secured.secure_port}"
    )
    with pytest.raises(ExtractError, match="certificate cannot be trusted"):
        take(url, *keys)


def test_a_server_that_does_not_start_tls_gets_no_password(
    take: Take, crowd: Slapd
) -> None:
    with pytest.raises(ExtractError, match="does not start TLS"):
        take(crowd.url, "start_tls = true")


@pytest.mark.parametrize(
    ("url", "keys", "message"),
    [
        ("ldap://dc1.example.com", (), "is not encrypted"),
        ("ldap://192.0.2.1", (), "is not encrypted"),
        ("ldaps://dc1.example.com", ("start_tls = true",), "is encrypted already"),
        ("https://dc1.example.com", (), "is not a URL such as ldaps"),
        ("ldaps://", (), "is not a URL such as ldaps"),
        ("ldaps://u:p@dc1.example.com", (), "names more than a host and a port"),
        ("ldaps://dc1.example.com", ('files = ["a.ldif"]',), "either url or files"),
        ("ldaps://dc1.example.com", ('base = ""',), "url needs base"),
        ("ldaps://dc1.example.com", ('password = "literal"',), "env:NAME"),
        ("ldaps://dc1.example.com", ("page_size = 0",), "greater than or equal to 1"),
    ],
)
def test_keys_that_would_be_unsafe_or_cannot_be_meant_are_refused(
    take: Take, url: str, keys: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ExtractError, match=message) as refused:
        take(url, *keys)
    assert "literal" not in str(refused.value)


# Faults -------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [3_000, 200_000])
def test_a_server_that_dies_half_way_is_one_sentence_and_no_rows(
    take: Take, tmp_path: Path, limit: int
) -> None:
    with slapd(tmp_path / "dying", crowd_of(2_000)) as server:

        def kill() -> None:
            server.process.kill()
            server.process.wait()

        with (
            cut_after(server.port, limit, kill) as port,
            pytest.raises(ExtractError, match="went away before the last entry"),
        ):
            take(f"ldap://127.0.0.1:{port}")


def test_a_server_that_is_not_there_is_one_sentence(take: Take) -> None:
    with pytest.raises(ExtractError, match="cannot be reached"):
        take("ldap://127.0.0.1:1")


def test_a_ca_file_that_is_not_there_is_one_sentence(take: Take) -> None:
    with pytest.raises(ExtractError, match=r"ca\.pem: no such file"):
        take("ldaps://localhost:1", 'ca_file = "ca.pem"')
