"""Log exports of WuKong CRM: 登录日志 (who logged in) and 系统日志 (who did what).

Both exports drop the user's id and keep only the name on the screen. A name that
exactly one user of the CRM bears leads to that account; a name that two share, or
nobody, leads to none, and the notes say how many rows that concerns.

Source: WukongCRM-11.0-JAVA, SysLogController, LoginLogUtil, BehaviorEnum.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import polars as pl
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connectors.connector import (
    Connector,
    Context,
    Draft,
    Normalised,
    Parameters,
    RawExport,
    RawTable,
)
from connectors.files import read_table
from connectors.secret_references import check_reference
from connectors.wukong_tables import (
    WukongTable,
    read_database,
    read_dump,
    written_at,
)
from governance.schema import LOGIN_EVENTS, OPERATIONS, ExtractError

_PREFIXES = {"11": "wk_", "9": "72crm_"}
_LOGIN_COLUMNS = (
    "用户",
    "登陆时间",
    "ip地址",
    "登陆地点",
    "设备类型",
    "终端内核",
    "平台",
    "认证结果",
)
_SYSTEM_COLUMNS = (
    "用户",
    "时间",
    "ip地址",
    "模块",
    "子模块",
    "行为",
    "对象",
    "操作详情",
)
_OUTCOMES = {"成功": "success", "失败": "failure"}
FAILURE = "right password on a disabled account"
"""The one failure the CRM logs: a wrong password is counted elsewhere and forgotten."""
_ACTIONS = {"导出": "export", "导入": "import", "转移": "transfer", "删除": "delete"}
_CHANGES = ("编辑", "修改")
_AMOUNT = "金额"
_CONTRACT = "合同"


class WukongLogsParameters(Parameters):
    """Keys of a ``wukong_logs`` source."""

    login_log: Path | None = None
    """The 登录日志 export."""
    system_log: Path | None = None
    """The 系统日志 export."""
    users: Path | None = None
    """CSV of the CRM's user table: user_id, realname and, if there, is_del."""
    database: str | None = None
    """Instead of users: ``env:NAME`` or ``file:PATH`` of the CRM's database URL."""
    version: Literal["11", "9"] = "11"
    accounts_of: str = Field(default="crm", pattern=r"^[a-z][a-z0-9_]{0,31}$")
    """Name of the source that holds the accounts."""

    @field_validator("database")
    @classmethod
    def _is_a_reference(cls, told: str | None) -> str | None:
        if told is not None:
            check_reference(told)
        return told

    @model_validator(mode="after")
    def _is_enough(self) -> Self:
        if self.login_log is None and self.system_log is None:
            raise PydanticCustomError(
                "gatebook", "name login_log, system_log or both; there is none to read"
            )
        if (self.users is None) == (self.database is None):
            raise PydanticCustomError(
                "gatebook",
                "name the CRM's users either as users or by database, so that the "
                "names in the logs lead to accounts",
            )
        return self


def fetch(context: Context) -> RawExport:
    """Read the logs and the names of the CRM's users.

    Raises:
        ExtractError: a file or column is missing or unreadable, or the database
            cannot be read.
    """
    told: WukongLogsParameters = context.parameters
    folder = context.settings.folder
    tables: dict[str, RawTable] = {}
    paths: list[Path] = []
    for name, path, columns in (
        ("login_log", told.login_log, _LOGIN_COLUMNS),
        ("system_log", told.system_log, _SYSTEM_COLUMNS),
    ):
        if path is not None:
            tables[name] = _read_log(folder / path, path.as_posix(), name, columns)
            paths.append(folder / path)
    table = WukongTable(
        name=f"{_PREFIXES[told.version]}admin_user",
        key="user_id",
        columns=("user_id", "realname"),
        optional=("is_del",),
        may_be_empty=False,
    )
    if told.users is not None:
        tables["users"] = read_dump(folder / told.users, table, told.users.as_posix())
    elif told.database is not None:
        live = read_database(folder, told.database, (table,))
        tables["users"] = live.tables[table.name]
    return RawExport(tables=tables, extracted_at=written_at(iter(paths)), method="file")


def _read_log(path: Path, shown: str, name: str, columns: tuple[str, ...]) -> RawTable:
    raw = read_table(path, name=name, file=shown)
    if missing := [column for column in columns if column not in raw.rows.columns]:
        raise ExtractError(
            f"{shown}: has no column {missing[0]}; export the log again from the CRM's "
            f"own page, with all of {', '.join(columns)}"
        )
    return raw


def normalise(context: Context, export: RawExport) -> Normalised:
    """Put rows into canonical columns, and name the account where that is certain."""
    bearers = _bearers(context.parameters.accounts_of, export.tables["users"].rows)
    drafts, notes = [], []
    if log := export.tables.get("login_log"):
        drafts.append(_logins(log, bearers))
        notes += [*_unattributed(log, bearers), *_unplaced(log)]
    if log := export.tables.get("system_log"):
        drafts.append(_operations(log, bearers))
        notes += _unattributed(log, bearers)
    return Normalised(drafts=tuple(drafts), notes=tuple(notes))


def _bearers(accounts_of: str, users: pl.DataFrame) -> pl.DataFrame:
    """Return each name with how many users bear it, and its account if one does.

    A deleted user counts: an event may be theirs. Their account is not named, as it is
    none of the source's accounts.
    """
    is_present = (pl.col("is_del") != "1").fill_null(value=True)
    account = pl.format(f"{accounts_of}:{{}}", "user_id")
    return (
        users.with_columns(pl.col("realname").str.strip_chars())
        .filter(pl.col("realname").is_not_null())
        .group_by("realname", maintain_order=True)
        .agg(
            bearer_count=pl.len(),
            account_id=pl.when((pl.len() == 1) & is_present.first()).then(
                account.first()
            ),
        )
    )


def _named(log: RawTable, bearers: pl.DataFrame) -> pl.DataFrame:
    """Return the log with the account of each row's user."""
    return (
        log.numbered()
        .with_columns(realname=pl.col("用户").str.strip_chars())
        .join(bearers, on="realname", how="left", maintain_order="left")
    )


def _logins(log: RawTable, bearers: pl.DataFrame) -> Draft:
    rows = _named(log, bearers)
    places = {
        text: place_of(text)
        for text in rows["登陆地点"].drop_nulls().unique().to_list()
    }
    countries = {text: place.country for text, place in places.items()}
    cities = {text: place.city for text, place in places.items()}
    outcome = pl.col("认证结果").replace(_OUTCOMES)
    return Draft(
        table=LOGIN_EVENTS,
        raw=log,
        rows=rows.select(
            "source_row",
            "account_id",
            login="realname",
            at="登陆时间",
            ip="ip地址",
            country=_looked_up("登陆地点", countries),
            city=_looked_up("登陆地点", cities),
            device=pl.concat_str(
                "设备类型", "终端内核", "平台", separator=" / ", ignore_nulls=True
            ).replace("", None),
            outcome=outcome,
            failure_reason=pl.when(outcome == "failure").then(pl.lit(FAILURE)),
        ),
        headers={"login": "用户", "at": "登陆时间", "outcome": "认证结果"},
    )


def _looked_up(column: str, found: Mapping[str, str | None]) -> pl.Expr:
    return pl.col(column).replace_strict(found, default=None, return_dtype=pl.String)


def _operations(log: RawTable, bearers: pl.DataFrame) -> Draft:
    """What was exported is a number only in the details, so no count is told."""
    of_contract = pl.concat_str("子模块", "对象", ignore_nulls=True).str.contains(
        _CONTRACT, literal=True
    )
    of_amount = pl.col("操作详情").str.contains(_AMOUNT, literal=True)
    is_amendment = pl.col("行为").is_in(_CHANGES) & of_contract & of_amount
    return Draft(
        table=OPERATIONS,
        raw=log,
        rows=_named(log, bearers).select(
            "source_row",
            "account_id",
            login="realname",
            at="时间",
            action=pl.when(is_amendment)
            .then(pl.lit("amend_amount"))
            .otherwise(pl.col("行为").replace(_ACTIONS)),
            object_type=pl.concat_str(
                "模块", "子模块", separator="/", ignore_nulls=True
            ).replace("", None),
        ),
        headers={"login": "用户", "at": "时间", "action": "行为"},
    )


# Places -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where somebody logged in; null is not told, or inside the company's network."""

    country: str | None = None
    city: str | None = None


_CHINA = "中国"
_INTRANET = "内网"
_NOT_TOLD = "0"
_CITIES_WITH_PROVINCE_RANK = "北京|上海|天津|重庆"
_JOINED = re.compile(
    "中国0?(?:"
    f"(?P<municipality>{_CITIES_WITH_PROVINCE_RANK})市?"
    "|(?P<region>香港|澳门)(?:特别行政区)?"
    "|(?:[一-鿿]{2,3}省|台湾|内蒙古(?:自治区)?|广西(?:壮族自治区)?"
    "|宁夏(?:回族自治区)?|新疆(?:维吾尔自治区)?|西藏(?:自治区)?)"
    "(?P<city>[一-鿿]{1,10}?(?:市|自治州|地区|盟|县))?"
    ")?"
)
_FOREIGN = re.compile(r"([^0-9|]+?)0.*")


def place_of(address: str) -> Place:
    """Return country and city of a 登陆地点.

    It is written ``国家-省-市``, or, by the CRM as published, with the parts run
    together, the network operator last and 0 for a part that is not known, as in
    ``中国广东省深圳市电信``. What cannot be divided with certainty gives a null.
    """
    address = address.strip()
    if not address or address.startswith(_INTRANET):
        return Place()
    if re.search(r"[-|/]", address):
        parts = [part.strip() for part in re.split(r"[-|/]", address)]
        told = [None if part in ("", _NOT_TOLD) else part for part in parts]
        return Place(country=told[0], city=_city(told[-1]) if len(told) > 1 else None)
    if joined := _JOINED.match(address):
        city = joined["municipality"] or joined["region"] or joined["city"]
        return Place(country=_CHINA, city=_city(city))
    if foreign := _FOREIGN.fullmatch(address):
        return Place(country=foreign[1])
    return Place()


def _city(text: str | None) -> str | None:
    """Return a city without the word for city, so that both ways of writing agree."""
    return (
        text if text is None or len(text) < len("市") + 2 else text.removesuffix("市")
    )


# Notes --------------------------------------------------------------------------------


def _unattributed(log: RawTable, bearers: pl.DataFrame) -> Iterator[str]:
    """Count the rows whose user cannot be told, and say why."""
    rows = _named(log, bearers).filter(pl.col("account_id").is_null())
    shared = rows.filter(pl.col("bearer_count") > 1)
    if shared.height:
        names = shared["realname"].n_unique()
        yield (
            f"{log.file}: {shared.height} rows bear one of {names} names that several "
            "users of the CRM share; the export drops the user's id, so they are of no "
            "account."
        )
    deleted = rows.filter(pl.col("bearer_count") == 1)
    if deleted.height:
        yield f"{log.file}: {deleted.height} rows are of users deleted from the CRM."
    strangers = rows.filter(pl.col("bearer_count").is_null())
    if strangers.height:
        yield (
            f"{log.file}: {strangers.height} rows name nobody among the users of the "
            "CRM; they are of no account."
        )


def _unplaced(log: RawTable) -> Iterator[str]:
    """Count the places that are written and yet not understood."""
    unread = [
        address
        for address in log.rows["登陆地点"].drop_nulls().to_list()
        if not address.strip().startswith(_INTRANET) and place_of(address).city is None
    ]
    if unread:
        yield (
            f"{log.file}: {len(unread)} rows name a place without a city that can be "
            "told from it; their city is unknown."
        )


CONNECTOR = Connector(
    name="wukong_logs",
    title="WuKong CRM logs",
    parameters=WukongLogsParameters,
    fetch=fetch,
    normalise=normalise,
)
