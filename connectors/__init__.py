"""One module per source. A new source is one new module and one line here."""

from collections.abc import Mapping
from types import MappingProxyType

from connectors import (
    dingtalk,
    entra_id,
    espocrm,
    feishu,
    google_workspace,
    hubspot,
    ldap,
    okta,
    salesforce,
    table,
    wecom,
    wukong_crm,
    wukong_hrm,
    wukong_logs,
)
from connectors.connector import Connector
from governance.schema import ExtractError

CONNECTORS: Mapping[str, Connector] = MappingProxyType(
    {
        connector.name: connector
        for connector in (
            dingtalk.CONNECTOR,
            entra_id.CONNECTOR,
            espocrm.CONNECTOR,
            feishu.CONNECTOR,
            hubspot.CONNECTOR,
            ldap.CONNECTOR,
            salesforce.CONNECTOR,
            google_workspace.CONNECTOR,
            okta.CONNECTOR,
            table.CONNECTOR,
            wecom.CONNECTOR,
            wukong_crm.CONNECTOR,
            wukong_hrm.CONNECTOR,
            wukong_logs.CONNECTOR,
        )
    }
)
"""Every kind of source there is, by the name gatebook.toml calls it."""


def connector_named(name: str) -> Connector:
    """Return a connector.

    Raises:
        ExtractError: there is none of that name. Names those there are.
    """
    try:
        return CONNECTORS[name]
    except KeyError as error:
        raise ExtractError(
            f"there is no connector '{name}'; gatebook.toml may name "
            f"{', '.join(sorted(CONNECTORS))}"
        ) from error
