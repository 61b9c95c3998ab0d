"""An invented company in two directories, of Microsoft's shape and of OpenLDAP's."""

import struct
import uuid
from datetime import UTC, datetime, timedelta

from tests.slapd import BASE, entry, record, tree

DOMAIN_SID = "S-1-5-21-1004336348-1177238915-682003330"
NEVER = "9223372036854775807"
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)

Told = str | bytes | list[str] | list[bytes]


def filetime(moment: datetime) -> str:
    """Return a time as Active Directory writes it."""
    return str((moment - _EPOCH) // timedelta(microseconds=1) * 10)


def sid_bytes(text: str) -> bytes:
    _, revision, authority, *parts = text.split("-")
    head = bytes([int(revision), len(parts)]) + int(authority).to_bytes(6, "big")
    return head + b"".join(struct.pack("<I", int(part)) for part in parts)


def guid_of(number: int) -> uuid.UUID:
    return uuid.UUID(int=0x11111111_2222_4333_8444_000000000000 + number)


def dn_of(name: str, unit: str = "people") -> str:
    return f"cn={name},ou={unit},{BASE}"


def ad_user(number: int, login: str, name: str, /, **attributes: Told) -> str:
    """Return a user as Active Directory shows it; ``_`` in a name stands for ``-``."""
    told: dict[str, Told] = {
        "objectClass": ["top", "person", "organizationalPerson", "user"],
        "cn": name,
        "sn": name,
        "sAMAccountName": login,
        "objectGUID": guid_of(number).bytes_le,
        "objectSid": sid_bytes(f"{DOMAIN_SID}-{1000 + number}"),
        "userAccountControl": "512",
        "whenCreated": "20240105010203.0Z",
        "primaryGroupID": "513",
    }
    own = {key.replace("_", "-"): value for key, value in attributes.items()}
    return record(dn_of(name), told | own)


def ad_group(
    number: int, name: str, members: list[str], /, rid: str | None = None, **own: Told
) -> str:
    told: dict[str, Told] = {
        "objectClass": ["top", "group"],
        "cn": name,
        "sAMAccountName": name,
        "objectGUID": guid_of(number).bytes_le,
        "objectSid": sid_bytes(rid or f"{DOMAIN_SID}-{1000 + number}"),
        "groupType": "-2147483646",
        "member": members,
    }
    return record(dn_of(name, "groups"), told | own)


def active_directory() -> str:
    """Return a small domain: 4 persons, a service account, a computer, 4 groups."""
    ada, bob = dn_of("李 四"), dn_of("Li, Bob").replace("Li,", "Li\\,")
    return "".join(
        [
            tree("people", "groups"),
            ad_user(
                1,
                "ada",
                "李 四",
                displayName="李四",
                mail="ada.li@example.com",
                telephoneNumber="+86 10 0000 0001",
                mobile="+86 138 0000 0001",
                employeeID="007",
                department="销售部",
                title="销售员",
                lastLogonTimestamp=filetime(datetime(2025, 6, 1, 8, tzinfo=UTC)),
                lastLogon=filetime(datetime(2025, 6, 9, 8, tzinfo=UTC)),
                pwdLastSet=filetime(datetime(2025, 2, 6, 1, 2, 3, tzinfo=UTC)),
                accountExpires=NEVER,
                lockoutTime="0",
                manager=bob,
                memberOf=dn_of("Sales", "groups"),
            ),
            ad_user(
                2,
                "bob",
                "Li, Bob",
                userAccountControl="66082",
                pwdLastSet="0",
                accountExpires=filetime(datetime(2025, 12, 31, tzinfo=UTC)),
                lockoutTime=filetime(datetime(2025, 6, 1, tzinfo=UTC)),
                memberOf=[dn_of("Sales", "groups"), dn_of("Domain Admins", "groups")],
            ).replace(dn_of("Li, Bob"), bob),
            ad_user(3, "cleo", "Cleo", accountExpires="0", userAccountControl="66048"),
            ad_user(
                500,
                "Administrator",
                "Administrator",
                objectSid=sid_bytes(f"{DOMAIN_SID}-500"),
            ),
            ad_user(
                4,
                "gmsa-web$",
                "gmsa-web",
                objectClass=[
                    *("top", "person", "organizationalPerson", "user", "computer"),
                    "msDS-GroupManagedServiceAccount",
                ],
                userAccountControl="4096",
            ),
            ad_user(
                5,
                "PC-1$",
                "PC-1",
                objectClass=[
                    *("top", "person", "organizationalPerson", "user", "computer"),
                ],
                userAccountControl="4096",
            ),
            ad_group(
                11,
                "Domain Admins",
                [dn_of("Administrator"), bob, dn_of("Sales", "groups")],
                rid=f"{DOMAIN_SID}-512",
            ),
            ad_group(12, "Sales", [ada, bob, dn_of("PC-1")], description="销售"),
            ad_group(13, "Domain Users", [], rid=f"{DOMAIN_SID}-513"),
            ad_group(14, "Letters", [dn_of("Gone")], groupType="2"),
        ]
    )


def person(login: str, name: str, /, **attributes: Told) -> str:
    """Return a person as OpenLDAP keeps it."""
    told: dict[str, Told] = {
        "objectClass": ["inetOrgPerson"],
        "cn": name,
        "sn": name,
        "uid": login,
    }
    return record(f"uid={login},ou=people,{BASE}", told | attributes)


def group_of_names(name: str, members: list[str], /, **attributes: Told) -> str:
    told: dict[str, Told] = {
        "objectClass": ["groupOfNames"],
        "cn": name,
        "member": members,
    }
    return record(dn_of(name, "groups"), told | attributes)


def uid_dn(login: str) -> str:
    return f"uid={login},ou=people,{BASE}"


def openldap() -> str:
    """Return a small OpenLDAP: UTF-8 names, nesting, placeholders, posix groups."""
    return "".join(
        [
            tree("people", "groups"),
            person(
                "ada",
                "李四",
                displayName="李四",
                mail=["ada.li@example.com", "ada@example.com"],
                employeeNumber="007",
                departmentNumber="销售部",
                title="销售员",
                manager=uid_dn("bob"),
            ),
            person("bob", "Bob", ou=["People", "Finance"], mobile="+86 138 0000 0002"),
            record(
                f"cn=王 五+sn=王,ou=people,{BASE}",
                {"objectClass": "inetOrgPerson", "cn": "王 五", "sn": "王"},
            ),
            group_of_names(
                "Sales",
                [uid_dn("ada"), f"SN=王 + CN=王 五, OU=People,{BASE}", uid_dn("gone")],
            ),
            group_of_names("Everyone", [dn_of("Sales", "groups"), uid_dn("BOB")]),
            group_of_names("Empty", [f"cn=placeholder,{BASE}"]),
            group_of_names("Own", [dn_of("Own", "groups")]),
            group_of_names("Abroad", ["uid=eve,dc=example,dc=net"]),
            group_of_names("Machines", [f"ou=people,{BASE}"]),
            entry(
                dn_of("shell", "groups"),
                objectClass="posixGroup",
                cn="shell",
                gidNumber="5000",
                memberUid=["bob", "root"],
            ),
        ]
    )
