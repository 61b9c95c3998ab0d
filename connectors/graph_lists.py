"""The Graph lists that ``entra_id`` reads, and what Microsoft says of its roles.

Not a connector. Which properties are asked for is all here, so that whoever saves the
pages knows what to name in ``$select`` and ``$expand``.

Source: Microsoft Graph v1.0, resource types user, signInActivity, group, signIn,
    userRegistrationDetails, unifiedRoleDefinition, unifiedRoleAssignment,
    unifiedRoleAssignmentScheduleInstance.
"""

from connectors.graph_pages import MEMBERS, MEMBERS_NEXT_LINK, GraphList

USERS = GraphList(
    name="users",
    columns=(
        "id",
        "userPrincipalName",
        "displayName",
        "mail",
        "mobilePhone",
        "employeeId",
        "employeeType",
        "employeeHireDate",
        "employeeLeaveDateTime",
        "department",
        "jobTitle",
        "userType",
        "accountEnabled",
        "createdDateTime",
        "lastPasswordChangeDateTime",
        "passwordProfile/password",
        "signInActivity",
        "signInActivity/lastSignInDateTime",
        "signInActivity/lastNonInteractiveSignInDateTime",
        "signInActivity/lastSuccessfulSignInDateTime",
        "manager/id",
    ),
    needed=("id",),
    required=True,
)
REGISTRATIONS = GraphList(
    name="userRegistrationDetails",
    columns=("id", "isMfaRegistered", "isMfaCapable", "methodsRegistered"),
    needed=("id", "isMfaRegistered"),
    lists=("methodsRegistered",),
)
ROLES = GraphList(
    name="roleDefinitions",
    columns=(
        "id",
        "templateId",
        "displayName",
        "description",
        "isBuiltIn",
        "isEnabled",
        "isPrivileged",
    ),
    needed=("id",),
)
ASSIGNMENTS = GraphList(
    name="roleAssignments",
    columns=(
        "id",
        "principalId",
        "roleDefinitionId",
        "directoryScopeId",
        "principal/@odata.type",
        "principal/displayName",
        "principal/accountEnabled",
        "principal/appId",
        "roleDefinition/displayName",
    ),
    needed=("principalId", "roleDefinitionId"),
)
SCHEDULES = GraphList(
    name="roleAssignmentScheduleInstances",
    columns=("principalId", "roleDefinitionId", "startDateTime", "endDateTime"),
    needed=("principalId", "roleDefinitionId"),
)
"""When the assignments of ``roleAssignments`` began and end (PIM)."""
GROUPS = GraphList(
    name="groups",
    columns=(
        "id",
        "displayName",
        "description",
        "isAssignableToRole",
        "groupTypes",
        MEMBERS_NEXT_LINK,
    ),
    needed=("id",),
    lists=("groupTypes",),
    members=("id", "@odata.type", "displayName", "accountEnabled", "appId"),
)
SIGN_INS = GraphList(
    name="signIns",
    columns=(
        "createdDateTime",
        "userId",
        "servicePrincipalId",
        "userPrincipalName",
        "ipAddress",
        "location/countryOrRegion",
        "location/city",
        "deviceDetail/displayName",
        "deviceDetail/operatingSystem",
        "deviceDetail/browser",
        "userAgent",
        "clientAppUsed",
        "isInteractive",
        "status/errorCode",
        "status/failureReason",
    ),
    needed=("createdDateTime", "userId"),
)
GROUP_MEMBERS = f"{GROUPS.name}.{MEMBERS}"
"""Name of the raw tables that hold the members expanded in groups."""
GRAPH_LISTS = (
    USERS,
    REGISTRATIONS,
    ROLES,
    ASSIGNMENTS,
    SCHEDULES,
    GROUPS,
    SIGN_INS,
)

PRIVILEGED_ROLES: frozenset[str] = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
        "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
        "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",  # Privileged Authentication Admin.
        "194ae4cb-b126-40b2-bd5b-6091b380977d",  # Security Administrator
        "5f2222b1-57c3-48ba-8ad5-d4759f1fde6f",  # Security Operator
        "5d6b6bb7-de71-4623-b4af-96380a352509",  # Security Reader
        "f2ef992c-3afb-46b9-b7cf-a126ee74c451",  # Global Reader
        "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",  # Conditional Access Administrator
        "fe930be7-5e62-47db-91af-98c3a49a38b1",  # User Administrator
        "729827e3-9c14-49f7-bb1b-9608f156bbb8",  # Helpdesk Administrator
        "966707d0-3269-4727-9be2-8c3a10f19b9d",  # Password Administrator
        "c4e39bd9-1100-46d3-8c65-fb160da0071f",  # Authentication Administrator
        "25a516ed-2fa0-40ea-a2d0-12923a21473a",  # Authentication Extensibility Admin.
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",  # Application Administrator
        "cf1c38e5-3621-4004-a7cb-879624dced7c",  # Application Developer
        "158c047a-c907-4556-b7ef-446551a6b5f7",  # Cloud Application Administrator
        "7698a772-787b-4ac8-901f-60d6b08affd2",  # Cloud Device Administrator
        "3a2c62db-5318-420d-8d74-23affee5d9d5",  # Intune Administrator
        "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",  # Hybrid Identity Administrator
        "8329153b-31d0-4727-b945-745eb3bc5f31",  # Domain Name Administrator
        "be2f45a1-457d-42af-a067-6ec1fa63bc45",  # External Identity Provider Admin.
        "9360feb5-f418-4baa-8175-e2a00bac4301",  # Directory Writers
        "59d46f88-662b-457b-bceb-5c3809e5908f",  # Lifecycle Workflows Administrator
        "aaf43236-0c0d-4d5f-883a-6955382ac081",  # B2C IEF Keyset Administrator
        "ecb2c6bf-0ab6-418e-bd87-7986f8d63bbe",  # Attribute Provisioning Administrator
        "422218e4-db15-4ef9-bbe0-8afb41546d79",  # Attribute Provisioning Reader
        "4ba39ca4-527c-499a-b93d-d9b492c50246",  # Partner Tier1 Support
        "e00e864a-17c5-4a4b-9c06-f5b95a8d5bd8",  # Partner Tier2 Support
    }
)
"""Template ids of the built-in roles that Microsoft labels privileged, May 2025.

Asked only where the pages tell no ``isPrivileged``, which v1.0 does not.

Source: Microsoft Entra built-in roles, "All roles", label "privileged".
"""
