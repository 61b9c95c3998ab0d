"""What is asked of a directory: attributes by an explicit list, and which entries.

Not a connector: the vocabulary of ``ldap``. Nothing but these attributes is ever asked
for, or kept of a file; none of them is a credential.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ACTIVE_DIRECTORY = "active_directory"
OPENLDAP = "openldap"

USERS = "users"
GROUPS = "groups"
OTHERS = "others"
"""Entries that are neither, and yet may stand among the members of a group."""

_OF_BOTH = (
    "objectClass",
    "uid",
    "cn",
    "displayName",
    "mail",
    "telephoneNumber",
    "mobile",
    "employeeNumber",
    "departmentNumber",
    "title",
    "ou",
    "manager",
    "memberOf",
)
_OF_ACTIVE_DIRECTORY = (
    "objectGUID",
    "objectSid",
    "sAMAccountName",
    "userPrincipalName",
    "employeeID",
    "department",
    "userAccountControl",
    "msDS-User-Account-Control-Computed",
    "lockoutTime",
    "whenCreated",
    "lastLogonTimestamp",
    "lastLogon",
    "pwdLastSet",
    "accountExpires",
    "primaryGroupID",
)
_OF_OPENLDAP = (
    "entryUUID",
    "createTimestamp",
    "department",
    "pwdAccountLockedTime",
    "pwdChangedTime",
    "pwdReset",
    "pwdLastSuccess",
    "pwdEndTime",
    "nsAccountLock",
    "lastLoginTime",
    "shadowExpire",
    "gidNumber",
)
_OF_GROUPS = ("objectClass", "cn", "description", "memberOf", "groupType", "member")
_GROUPS_OF_ACTIVE_DIRECTORY = ("objectGUID", "objectSid", "sAMAccountName")
_GROUPS_OF_OPENLDAP = ("entryUUID", "uniqueMember", "memberUid", "gidNumber")

LISTS = frozenset(
    {"objectClass", "ou", "memberOf", "member", "uniqueMember", "memberUid"}
)
"""Attributes whose every value counts; of all others there is one."""
BINARY = frozenset({"objectGUID", "objectSid"})

USER_CLASSES = (
    "person",
    "organizationalPerson",
    "inetOrgPerson",
    "user",
    "account",
    "posixAccount",
    "simpleSecurityObject",
    "OpenLDAPperson",
    "pilotPerson",
    "newPilotPerson",
)
"""Those below person stand here by name too: a file does not tell what they derive
from, and a server that does not know one finds nothing by it."""
PERSON_CLASSES = (
    "person",
    "organizationalperson",
    "inetorgperson",
    "user",
    "openldapperson",
    "pilotperson",
    "newpilotperson",
)
MANAGED_SERVICE_CLASSES = (
    "msds-groupmanagedserviceaccount",
    "msds-managedserviceaccount",
    "msds-delegatedmanagedserviceaccount",
)
"""Accounts whose password the domain keeps; in Active Directory computers, too."""
GROUP_CLASSES = (
    "group",
    "groupOfNames",
    "groupOfUniqueNames",
    "groupOfMembers",
    "groupOfURLs",
    "posixGroup",
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of one kind of directory for one kind of entry."""

    attributes: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def filter(self) -> str:
        """Return the search filter for entries of these classes. Source: RFC 4515."""
        tests = "".join(f"(objectClass={name})" for name in self.classes)
        return tests if len(self.classes) == 1 else f"(|{tests})"

    def is_one(self, classes: frozenset[str]) -> bool:
        """Return whether an entry of these classes, in small letters, is meant."""
        return any(name.lower() in classes for name in self.classes)


WANTED: Mapping[str, Mapping[str, Wanted]] = MappingProxyType(
    {
        ACTIVE_DIRECTORY: {
            USERS: Wanted(
                attributes=_OF_BOTH + _OF_ACTIVE_DIRECTORY, classes=("user",)
            ),
            GROUPS: Wanted(
                attributes=(*_OF_GROUPS, *_GROUPS_OF_ACTIVE_DIRECTORY, "adminCount"),
                classes=("group",),
            ),
        },
        OPENLDAP: {
            USERS: Wanted(attributes=_OF_BOTH + _OF_OPENLDAP, classes=USER_CLASSES),
            GROUPS: Wanted(
                attributes=_OF_GROUPS + _GROUPS_OF_OPENLDAP, classes=GROUP_CLASSES
            ),
        },
    }
)
"""By kind of directory, then by kind of entry."""

_SECRETS = frozenset(
    {
        "authpassword",
        "dbcspwd",
        "gecospassword",
        "ipanthash",
        "krb5key",
        "krbprincipalkey",
        "lmpwdhistory",
        "ms-mcs-admpwd",
        "mslaps-encryptedpassword",
        "mslaps-encryptedpasswordhistory",
        "mslaps-password",
        "msds-managedpassword",
        "msfve-keypackage",
        "msfve-recoverypassword",
        "ntpwdhistory",
        "olcrootpw",
        "passwordhistory",
        "pwdhistory",
        "sambalmpassword",
        "sambantpassword",
        "sambapasswordhistory",
        "supplementalcredentials",
        "trustauthincoming",
        "trustauthoutgoing",
        "unicodepwd",
        "userpassword",
        "userpkcs12",
    }
)
_SECRET_ENDS = ("password", "passwd", "pwd", "nthash", "lmhash", "privatekey", "secret")


def is_secret(attribute: str) -> bool:
    """Return whether an attribute holds a password, a hash or a key by its name."""
    name = attribute.partition(";")[0].lower()
    return name in _SECRETS or name.endswith(_SECRET_ENDS)


@dataclass(frozen=True, kw_only=True)
class WellKnownGroup:
    """A group of every domain that rules it, or can make itself rule it."""

    name: str
    sid_end: str
    """What its security identifier ends in: ``-512``, or all of a built-in one."""


PRIVILEGED_GROUPS = (
    WellKnownGroup(name="Domain Admins", sid_end="-512"),
    WellKnownGroup(name="Domain Controllers", sid_end="-516"),
    WellKnownGroup(name="Schema Admins", sid_end="-518"),
    WellKnownGroup(name="Enterprise Admins", sid_end="-519"),
    WellKnownGroup(name="Group Policy Creator Owners", sid_end="-520"),
    WellKnownGroup(name="Key Admins", sid_end="-526"),
    WellKnownGroup(name="Enterprise Key Admins", sid_end="-527"),
    WellKnownGroup(name="Administrators", sid_end="S-1-5-32-544"),
    WellKnownGroup(name="Account Operators", sid_end="S-1-5-32-548"),
    WellKnownGroup(name="Server Operators", sid_end="S-1-5-32-549"),
    WellKnownGroup(name="Print Operators", sid_end="S-1-5-32-550"),
    WellKnownGroup(name="Backup Operators", sid_end="S-1-5-32-551"),
)
"""Source: Microsoft Learn, "Active Directory security groups" and Appendix C,
"Protected accounts and groups in Active Directory"."""
