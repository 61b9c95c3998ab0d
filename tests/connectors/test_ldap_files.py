"""LDIF and csvde files: what is refused, what is said, what values mean."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.conform import extract
from connectors.ldap import CONNECTOR
from connectors.ldap_attributes import is_secret
from connectors.ldap_entries import dn_key, guid, is_inside, sid
from connectors.ldap_values import filetime, generalized_time, unix_days
from governance.schema import (
    ACCOUNTS,
    ENTITLEMENT_MEMBERS,
    ENTITLEMENTS,
    GRANTS,
    Extract,
    ExtractError,
)
from governance.settings import Settings
from tests.connectors.ldap_company import (
    DOMAIN_SID,
    ad_group,
    ad_user,
    dn_of,
    group_of_names,
    guid_of,
    person,
    sid_bytes,
    uid_dn,
)
from tests.slapd import BASE, entry

Take = Callable[..., Extract]
SECRET = "e1NTSEF9bm90LWEtcmVhbC1oYXNo"


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Extract files of the given texts; ``.ldif`` unless the name says otherwise."""

    def extracted(
        *texts: str,
        kind: str = "openldap",
        name: str = "export{}.ldif",
        encoding: str = "utf-8",
        keys: tuple[str, ...] = (f'base = "{BASE}"',),
    ) -> Extract:
        files = [name.format(at) for at in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            (tmp_path / file).write_text(text, encoding)
        config = tmp_path / "gatebook.toml"
        config.write_text(
            f'[sources.dir]\nconnector = "ldap"\nkind = "{kind}"\nfiles = {files}\n'
            + "\n".join(keys),
            "utf-8",
        )
        settings = Settings.read(config)
        context = CONNECTOR.context("dir", settings, settings.sources["dir"])
        return extract(CONNECTOR, context)

    return extracted


def account(take: Take, kind: str = "openldap", /, **attributes: Any) -> dict[str, Any]:
    """Return the account that one entry becomes."""
    if kind == "openldap":
        text = person("ada", "Ada", **attributes)
    else:
        text = ad_user(1, "ada", "Ada", **attributes)
    (row,) = take(text, kind=kind).frame(ACCOUNTS).to_dicts()
    return row


# Reading ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attribute",
    [
        "userPassword",
        "unicodePwd",
        "sambaNTPassword",
        "dBCSPwd",
        "krbPrincipalKey",
        "ms-Mcs-AdmPwd",
        "userPassword;x-hash",
    ],
)
@pytest.mark.parametrize("mark", [":", "::"])
def test_a_file_with_passwords_is_refused_by_the_attribute_and_never_the_value(
    take: Take, attribute: str, mark: str
) -> None:
    text = person("ada", "Ada").rstrip("\n") + f"\n{attribute}{mark} {SECRET}\n"
    with pytest.raises(ExtractError) as refused:
        take(text)
    assert f"holds {attribute}, a password or a hash" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_csvde_with_passwords_is_refused_too(take: Take) -> None:
    text = f'DN,objectClass,cn,unicodePwd\n"{dn_of("a")}",user,a,{SECRET}\n'
    with pytest.raises(ExtractError, match="unicodePwd") as refused:
        take(text, kind="active_directory", name="u{}.csv")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "attribute",
    ["pwdLastSet", "pwdChangedTime", "badPwdCount", "pwdReset", "passwordExpires"],
)
def test_an_attribute_about_a_password_is_no_password(attribute: str) -> None:
    assert not is_secret(attribute)


def test_folded_lines_comments_and_every_line_ending_are_read(take: Take) -> None:
    text = (
        "version: 1\r\n\r\n# a comment\r\n that goes on\r\n"
        f"dn: uid=ada,ou=peo\r\n ple,{BASE}\r\nobjectClass: inetOrg\r\n Person\r\n"
        "uid: ada\r\ncn:: 5p2O\r\n 5Zub\r\nmail:ada@example.com"
    )
    (row,) = take(text).frame(ACCOUNTS).to_dicts()
    assert row["native_id"] == uid_dn("ada")
    assert (row["display_name"], row["email"]) == ("李四", "ada@example.com")
    assert row["source_row"] == 5


def test_ldifde_in_utf_16_is_read(take: Take) -> None:
    text = ad_user(1, "ada", "李四").replace("\nobject", "\nchangetype: add\nobject", 1)
    extracted = take(text, kind="active_directory", encoding="utf-16")
    assert extracted.frame(ACCOUNTS)["login"].to_list() == ["ada"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# nothing\n", "holds no entry"),
        ("uid: ada\n", "line 1: uid stands outside an entry"),
        (f"dn: {BASE}\nno colon\n", "line 2: is not `attribute: value`"),
        (f"dn: {BASE}\nchangetype: modify\n", "line 2: is a list of changes"),
        (f"dn: {BASE}\ncn:: QUJ\n", "line 2: cn is not base64 to its end"),
        (f"dn: {BASE}\ncn:< file:///etc/hostname\n", "points to another file"),
        (f"dn: {BASE}\ndn: {BASE}\n", "line 2: a dn inside an entry"),
        (f"dn: {BASE}\nobjectClass: domain\n", "shows not one user"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_the_line(
    take: Take, text: str, message: str
) -> None:
    with pytest.raises(ExtractError, match=message):
        take(text)


@pytest.mark.parametrize(
    ("name", "message"),
    [("export{}.txt", "is neither LDIF nor csvde"), ("u{}.csv", "no columns DN")],
)
def test_a_file_of_another_kind_is_refused(take: Take, name: str, message: str) -> None:
    with pytest.raises(ExtractError, match=message):
        take("cn,mail\nAda,ada@example.com\n", name=name)


# Completeness -------------------------------------------------------------------------

ENDING = "# search result\nsearch: 2\nresult: {result}\n\n# numEntries: {count}\n"


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("", "unknown"),
        (ENDING.format(result="0 Success", count=1), "full"),
        (ENDING.format(result="0 Success", count=2), "scoped"),
        (ENDING.format(result="4 Size limit exceeded", count=1), "scoped"),
        ("search: 2\nresult: 0 Success\npagedresults: cookie=AAE=\n", "scoped"),
        ("search: 2\nresult: 0 Success\npagedresults: cookie=\n", "unknown"),
    ],
)
def test_a_file_is_complete_only_if_it_says_so(
    take: Take, ending: str, expected: str
) -> None:
    assert take(person("ada", "Ada") + ending).completeness == expected


def test_one_file_that_does_not_say_so_leaves_all_unknown(take: Take) -> None:
    stated = person("ada", "Ada") + ENDING.format(result="0 Success", count=1)
    extracted = take(stated, person("bob", "Bob"))
    assert extracted.completeness == "unknown"
    assert sorted(extracted.frame(ACCOUNTS)["login"]) == ["ada", "bob"]


def test_a_list_cut_off_in_a_file_is_scoped(take: Take) -> None:
    cut = group_of_names("Staff", [uid_dn("ada")]).replace(
        "member:", "member;range=0-0:"
    )
    extracted = take(person("ada", "Ada"), cut)
    assert extracted.completeness == "scoped"
    assert extracted.frame(GRANTS).height == 1
    whole = take(person("ada", "Ada"), cut.replace("0-0", "0-*"))
    assert whole.completeness == "unknown"
    assert whole.frame(GRANTS).height == 1


# Values -------------------------------------------------------------------------------

START = "2025-12-31T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", None),
        ("1", "1601-01-01T00:00:00.000000Z"),
        ("9223372036854775806", None),
        ("9223372036854775807", None),
        ("134116128000000000", START),
        ("", None),
        ("soon", "soon"),
    ],
)
def test_never_in_a_filetime_is_no_time_and_nonsense_stays(
    text: str, expected: str | None
) -> None:
    (told,) = pl.DataFrame({"t": [text]}).select(filetime("t")).to_series()
    if text.endswith("806"):
        assert told is not None and not told.startswith(("1", "2"))
    else:
        assert told == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20240105010203Z", "2024-01-05T01:02:03Z"),
        ("20240105010203.0Z", "2024-01-05T01:02:03.0Z"),
        ("20240105010203.1234567Z", "2024-01-05T01:02:03.123456Z"),
        ("202401050102+0800", "2024-01-05T01:02:00+08:00"),
        ("20240105010203", "20240105010203"),
        ("", None),
    ],
)
def test_generalized_times_are_read_with_their_zone(
    text: str, expected: str | None
) -> None:
    told = pl.DataFrame({"t": [text]}).select(generalized_time("t")).to_series()
    assert told.to_list() == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("-1", None), ("0", None), ("1", "1970-01-02T00:00:00.000000Z"), ("x", "x")],
)
def test_days_since_1970_have_no_day_zero(text: str, expected: str | None) -> None:
    told = pl.DataFrame({"t": [text]}).select(unix_days("t")).to_series()
    assert told.to_list() == [expected]


@pytest.mark.parametrize(
    ("control", "expected"),
    [("512", True), ("514", False), ("66048", True), ("66082", False), ("x", None)],
)
def test_only_the_bit_of_disabled_disables(
    take: Take, control: str, expected: bool | None
) -> None:
    told = account(take, "active_directory", userAccountControl=control)
    assert told["is_enabled"] is expected


@pytest.mark.parametrize(
    ("locked", "enabled", "is_locked"),
    [("000001010000Z", False, True), ("20250601080000Z", True, True)],
)
def test_a_lock_of_the_password_policy_disables_only_for_ever(
    take: Take, locked: str, enabled: bool, is_locked: bool
) -> None:
    told = take(
        person("ada", "Ada", pwdAccountLockedTime=locked) + person("bob", "Bob")
    )
    by_login = {row["login"]: row for row in told.frame(ACCOUNTS).to_dicts()}
    assert by_login["ada"]["is_enabled"] is enabled
    assert by_login["ada"]["is_locked"] is is_locked
    assert (by_login["bob"]["is_enabled"], by_login["bob"]["is_locked"]) == (
        True,
        False,
    )


def test_the_lock_of_389_directory_server_disables(take: Take) -> None:
    told = take(person("ada", "Ada", nsAccountLock="true") + person("bob", "Bob"))
    assert dict(told.frame(ACCOUNTS).select("login", "is_enabled").iter_rows()) == {
        "ada": False,
        "bob": True,
    }


def test_openldap_tells_password_and_login_times_where_its_policy_does(
    take: Take,
) -> None:
    told = account(
        take,
        pwdChangedTime="20250206010203Z",
        pwdLastSuccess="20250609080000.123456Z",
        pwdReset="TRUE",
        shadowExpire="20453",
        createTimestamp="20240105010203Z",
        entryUUID=str(guid_of(9)),
    )
    assert told["native_id"] == str(guid_of(9))
    assert told["password_changed_at"] == datetime(2025, 2, 6, 1, 2, 3, tzinfo=UTC)
    assert told["last_login_at"] == datetime(2025, 6, 9, 8, 0, 0, 123456, tzinfo=UTC)
    assert told["last_login_basis"] == "success"
    assert told["is_initial_password"] is True
    assert told["valid_until"] == datetime(2025, 12, 31, tzinfo=UTC)
    assert told["created_at"] == datetime(2024, 1, 5, 1, 2, 3, tzinfo=UTC)


def test_a_pattern_of_the_operator_names_service_accounts(take: Take) -> None:
    text = person("svc-backup", "Backup") + person("ada", "Ada")
    told = take(text, keys=('service_accounts = "^svc-"',))
    assert dict(told.frame(ACCOUNTS).select("login", "account_type").iter_rows()) == {
        "svc-backup": "service",
        "ada": "person",
    }


def test_member_of_tells_what_no_group_does(take: Take) -> None:
    text = ad_user(1, "ada", "Ada", memberOf=dn_of("Sales", "groups")) + ad_group(
        12, "Sales", [], memberOf=[dn_of("All", "groups"), dn_of("Most", "groups")]
    )
    told = take(text, kind="active_directory")
    sales = f"dir:group:{guid_of(12)}"
    assert told.frame(GRANTS).select("account_id", "entitlement_id").rows() == [
        (f"dir:{guid_of(1)}", sales)
    ]
    assert told.frame(ENTITLEMENT_MEMBERS).select("parent_id", "child_id").rows() == [
        (sales, f"dir:group:{dn_of('All', 'groups')}"),
        (sales, f"dir:group:{dn_of('Most', 'groups')}"),
    ]
    assert sorted(told.frame(ENTITLEMENTS)["name"]) == ["All", "Most", "Sales"]
    for beginning in (
        "groups: 2 were not read and are known from memberOf alone",
        "groups: the primary group of 1 accounts was not read",
    ):
        assert any(note.startswith(beginning) for note in told.notes), beginning


def test_placeholders_of_the_operator_are_no_members(take: Take) -> None:
    text = person("ada", "Ada") + group_of_names("G", [f"cn=admin,{BASE}"])
    assert take(text).frame(GRANTS).height == 1
    keys = (f'base = "{BASE}"', f'placeholder_members = ["CN=admin, {BASE}"]')
    told = take(text, keys=keys)
    assert told.frame(GRANTS).is_empty()
    assert any(note.startswith("groups: 1 members stand") for note in told.notes)


@pytest.mark.parametrize(
    ("name", "rid", "own", "expected"),
    [
        ("Domain Admins", f"{DOMAIN_SID}-512", {}, True),
        ("域管理员", f"{DOMAIN_SID}-512", {}, True),
        ("Administrators", "S-1-5-32-544", {}, True),
        ("Users", "S-1-5-32-545", {}, False),
        ("Domain Admins", f"{DOMAIN_SID}-1512", {}, None),
        ("Sales", f"{DOMAIN_SID}-1000", {}, None),
        ("Domain Guests", f"{DOMAIN_SID}-999", {}, False),
        ("Helpers", f"{DOMAIN_SID}-1600", {"adminCount": "1"}, True),
        ("Helpers", f"{DOMAIN_SID}-1600", {"adminCount": "0"}, None),
    ],
)
def test_identifiers_not_names_make_a_group_privileged(
    take: Take, name: str, rid: str, own: dict[str, str], expected: bool | None
) -> None:
    text = ad_user(1, "ada", "Ada") + ad_group(9, name, [], rid, **own)
    (group,) = take(text, kind="active_directory").frame(ENTITLEMENTS).to_dicts()
    assert group["is_privileged"] is expected


def test_without_identifiers_the_name_makes_a_group_privileged(take: Take) -> None:
    text = ad_user(1, "ada", "Ada") + "".join(
        entry(dn_of(name, "groups"), objectClass="group", cn=name)
        for name in ("Domain Admins", "Sales")
    )
    told = take(text, kind="active_directory").frame(ENTITLEMENTS)
    assert dict(told.select("name", "is_privileged").iter_rows()) == {
        "Domain Admins": True,
        "Sales": None,
    }


def test_identifiers_are_printed_as_microsoft_does() -> None:
    assert sid(sid_bytes("S-1-5-32-544")) == "S-1-5-32-544"
    assert sid(sid_bytes(DOMAIN_SID)) == DOMAIN_SID
    assert sid(DOMAIN_SID) == DOMAIN_SID
    assert sid(b"\x01\x05") is None
    assert guid(guid_of(1).bytes_le) == str(guid_of(1))
    assert guid("{" + str(guid_of(1)).upper() + "}") == str(guid_of(1))
    assert guid(b"short") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=Ada,DC=example", "cn=ada,dc=Example"),
        ("cn=Ada, dc = example", "cn=Ada,dc=example"),
        ("cn=A  B,dc=x", "cn=a b,dc=x"),
        ("cn=Li\\, Bob,dc=x", "cn=Li\\2C Bob,dc=x"),
        ('cn="Li, Bob",dc=x', "cn=Li\\, Bob,dc=x"),
        ("cn=\\E6\\9D\\8E,dc=x", "cn=李,dc=x"),
        ("cn=a+sn=b,dc=x", "SN=B+CN=A,DC=X"),
        ("cn=É,dc=x", "cn=é,dc=x"),
        ("cn=a;dc=x", "cn=a,dc=x"),
    ],
)
def test_two_spellings_of_a_name_are_one(one: str, other: str) -> None:
    assert dn_key(one) == dn_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("cn=a,dc=x", "cn=b,dc=x"), ("cn=a\\,dc=x", "cn=a,dc=x"), ("cn=ab", "cn=a b")],
)
def test_two_names_stay_two(one: str, other: str) -> None:
    assert dn_key(one) != dn_key(other)


def test_inside_is_the_base_and_what_is_below_it() -> None:
    base = dn_key("dc=example,dc=com")
    assert is_inside(base, base)
    assert is_inside(f"ou=x,{base}", base)
    assert not is_inside(f"dc=an{base}", base)
    assert not is_inside("dc=com", base)
    assert is_inside("dc=com", "")
