"""Rules every file under queries/ keeps, whoever adds it."""

import re
import string
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
import sqlglot
from polars.testing import assert_frame_equal
from sqlglot import exp

from governance.catalog import (
    Check,
    QueryHeaderError,
    load_checks,
    load_facts,
    read_check,
    read_report,
)
from governance.model import Language
from governance.policy import Policy
from governance.schema import TABLES
from governance.settings import ROOT
from governance.snapshots import folder_of
from tests.company import AS_OF, BEFORE, Company

QUERIES = ROOT / "queries"
CHECKS = list(load_checks(QUERIES).values())
FACTS = {fact.id: fact for fact in load_facts(QUERIES)}
REPORTS = [path.stem for path in sorted((QUERIES / "reports").glob("*.sql"))]
FILES = sorted(QUERIES.rglob("*.sql"))

FRAMEWORKS = re.compile(
    r"SOC2:CC\d\.\d"
    r"|ISO27001:A\.[5-8]\.\d{1,2}"
    r"|PCI:\d{1,2}(\.\d{1,2}){2,3}"
    r"|NIST:[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?"
    r"|MLPS:8\.1\.\d{1,2}\.\d[a-z]?"
    r"|NIS2:\d{1,2}\.\d\.\d[a-z]?|NIS2:\d{1,2}\.\d[a-z]?"
)
SHARED_ACCOUNTS = (
    "SOC2:CC6.1 ISO27001:A.5.16 ISO27001:A.5.17 ISO27001:A.8.5 PCI:8.2.1 PCI:8.2.2 "
    "NIST:AC-2(9) NIST:IA-2 NIST:IA-4 MLPS:8.1.4.1a MLPS:8.1.4.2c NIS2:11.5.2b "
    "NIS2:11.5.3"
)
# What each check is evidence for, written down apart from the headers: an auditor
# relies on it, so a control comes and goes here and in the header, by two hands.
CONTROLS = {
    "accounts_without_mfa": (
        "SOC2:CC6.1 ISO27001:A.8.5 PCI:8.4.2 PCI:8.4.3 NIST:IA-2(2) MLPS:8.1.4.1d "
        "NIS2:11.7.1"
    ),
    "accounts_without_roles": (
        "SOC2:CC6.2 ISO27001:A.5.16 ISO27001:A.5.18 PCI:7.2.4 NIST:AC-2 MLPS:8.1.4.2c "
        "NIS2:11.5.4"
    ),
    "concurrent_use": SHARED_ACCOUNTS,
    "conflicting_entitlements": (
        "SOC2:CC6.3 ISO27001:A.5.3 PCI:7.2.1 PCI:7.2.2 NIST:AC-5 MLPS:8.1.4.2d "
        "NIS2:11.2.2a"
    ),
    "dormant_accounts": (
        "SOC2:CC6.2 ISO27001:A.5.16 ISO27001:A.5.18 PCI:8.2.6 NIST:AC-2(3) "
        "MLPS:8.1.4.2c NIS2:11.5.4"
    ),
    "excess_privileges": (
        "SOC2:CC6.3 ISO27001:A.5.15 ISO27001:A.5.18 ISO27001:A.8.2 ISO27001:A.8.3 "
        "PCI:7.2.1 PCI:7.2.2 PCI:7.2.4 NIST:AC-6 MLPS:8.1.4.2d NIS2:11.2.2a"
    ),
    "expired_delegations": (
        "SOC2:CC6.3 ISO27001:A.5.15 ISO27001:A.5.18 PCI:7.2.2 PCI:7.2.4 NIST:AC-6 "
        "NIST:AC-6(7) MLPS:8.1.4.2c MLPS:8.1.4.2d NIS2:11.2.2a"
    ),
    "export_rights": (
        "SOC2:CC6.3 ISO27001:A.5.15 ISO27001:A.8.2 ISO27001:A.8.3 PCI:7.2.1 PCI:7.2.2 "
        "NIST:AC-6 MLPS:8.1.4.2d NIS2:11.2.2a"
    ),
    "facts_missing": "SOC2:CC4.1 ISO27001:A.5.36 PCI:7.2.4 NIST:AC-2",
    "generic_names": SHARED_ACCOUNTS,
    "ghost_grants": (
        "SOC2:CC6.3 ISO27001:A.5.18 PCI:7.2.4 NIST:AC-2 NIST:AC-6(7) MLPS:8.1.4.2c "
        "NIS2:11.2.3"
    ),
    "leaver_accounts": (
        "SOC2:CC6.2 SOC2:CC6.3 ISO27001:A.5.18 ISO27001:A.6.5 PCI:8.2.5 NIST:AC-2(3) "
        "NIST:PS-4 MLPS:8.1.4.2c NIS2:11.2.2b"
    ),
    "leaver_grants_remaining": (
        "SOC2:CC6.2 SOC2:CC6.3 ISO27001:A.5.18 ISO27001:A.6.5 PCI:8.2.5 NIST:AC-2 "
        "NIST:PS-4 MLPS:8.1.4.2c NIS2:11.2.2b"
    ),
    "logins_after_leaving": (
        "SOC2:CC6.1 SOC2:CC6.2 SOC2:CC7.2 ISO27001:A.5.18 ISO27001:A.6.5 "
        "ISO27001:A.8.15 ISO27001:A.8.16 PCI:8.2.5 NIST:AC-2(12) NIST:PS-4 "
        "MLPS:8.1.4.2c MLPS:8.1.4.3"
    ),
    "peer_outliers": (
        "SOC2:CC6.3 ISO27001:A.5.15 ISO27001:A.5.18 ISO27001:A.8.2 PCI:7.2.2 PCI:7.2.4 "
        "NIST:AC-6(7) MLPS:8.1.4.2d NIS2:11.2.2a"
    ),
    "privileged_accounts_without_mfa": (
        "SOC2:CC6.1 ISO27001:A.8.2 ISO27001:A.8.5 PCI:8.4.1 PCI:8.4.2 PCI:8.4.3 "
        "NIST:IA-2(1) MLPS:8.1.4.1d NIS2:11.3.2a NIS2:11.7.1"
    ),
    "several_owners": SHARED_ACCOUNTS,
    "stale_passwords": (
        "SOC2:CC6.1 ISO27001:A.5.17 PCI:8.3.9 PCI:8.3.10.1 PCI:8.6.3 NIST:IA-5 "
        "MLPS:8.1.4.1a"
    ),
    "unowned_accounts": (
        "SOC2:CC6.1 SOC2:CC6.2 ISO27001:A.5.16 ISO27001:A.5.18 PCI:7.2.4 PCI:7.2.5 "
        "PCI:8.2.1 NIST:AC-2 NIST:AC-2(3) NIST:IA-4 MLPS:8.1.4.2c NIS2:11.5.2b "
        "NIS2:11.5.4"
    ),
}

SEALED = {
    *TABLES,
    "account_owners",
    "declared_facts",
    "owner_claims",
    "rejected_rows",
    "snapshot_info",
    "sources",
    "tie_outs",
}
"""Tables of a snapshot that no query derives."""
FACT_KEYS = {
    "account_activity": {"account_id"},
    "account_people": {"account_id"},
    "city_hops": {"account_id", "at", "city"},
    "entitlement_closure": {"holder_id", "held_id"},
    "source_facts": {"source", "fact"},
}
"""What names a row of each derived table."""

CLOCK_OR_DICE = re.compile(
    r"\b(now|today|clock_timestamp|transaction_timestamp|get_current_\w+|random|setseed"
    r"|(gen_random_)?uuid(v\d)?|txid_current|nextval)\s*\("
    r"|\bcurrent_(date|time|timestamp|localtime\w*)\b|\blocaltime(stamp)?\b"
    r"|\b(using|table)\s*sample\b",
    re.IGNORECASE,
)
CHINESE = re.compile("[\u4e00-\u9fff]")


def sql_of(path: Path) -> str:
    """Return a file's query, without the header."""
    return path.read_text("utf-8").split("\n*/\n", 1)[1]


def sql(fact: str) -> str:
    """Return the query of a derived table."""
    return FACTS[fact].sql


def without_comments(sql: str) -> str:
    """Return a query without its line comments."""
    return re.sub(r"--[^\n]*", "", sql)


def parsed(sql: str) -> exp.Query:
    """Return a query's tree."""
    (tree,) = sqlglot.parse(sql, dialect="duckdb")
    assert isinstance(tree, exp.Query)
    return tree


def tables_outside(sql: str) -> set[str]:
    """Return what a query reads, as ``schema.table``, but for its own parts."""
    tree = parsed(sql)
    own = {part.alias for part in tree.find_all(exp.CTE)}
    return {
        f"{table.db}.{table.name}"
        for table in tree.find_all(exp.Table)
        if table.db or not table.name or table.name not in own
    }


def reason_codes(sql: str) -> set[str]:
    """Return every code that the column ``reason`` may hold, in any part."""
    codes: set[str] = set()
    for alias in parsed(sql).find_all(exp.Alias):
        if alias.alias == "reason":
            codes |= set(_outcomes(alias.this))
    return codes


def _outcomes(told: exp.Expression | None) -> Iterator[str]:
    """Yield the text literals an expression may come to."""
    if isinstance(told, exp.Case):
        for branch in told.args["ifs"]:
            yield from _outcomes(branch.args["true"])
        yield from _outcomes(told.args.get("default"))
    elif isinstance(told, exp.Literal):
        yield told.name
    else:
        plain = told is None or isinstance(told, exp.Column | exp.Null)
        assert plain, f"reason made by {told}"


def texts_of(check: Check) -> Iterator[tuple[str, dict[Language, str]]]:
    """Yield every text of a header with its key."""
    yield "title", dict(check.title)
    yield "question", dict(check.question)
    yield "population", dict(check.population)
    yield "remediation", dict(check.remediation)
    for name, text in check.columns.items():
        yield f"columns.{name}", dict(text)
    for code, text in check.reasons.items():
        yield f"reasons.{code}", dict(text)


@pytest.mark.parametrize(
    "path", FILES, ids=lambda path: path.relative_to(QUERIES).as_posix()
)
class TestEveryFile:
    def test_is_one_select(self, path: Path) -> None:
        (statement,) = duckdb.extract_statements(sql_of(path))
        assert statement.type == duckdb.StatementType.SELECT

    def test_reads_neither_clock_nor_dice(self, path: Path) -> None:
        assert not CLOCK_OR_DICE.search(without_comments(sql_of(path)))

    def test_touches_only_tables_of_a_snapshot(self, path: Path) -> None:
        known = {f"snapshot.{name}" for name in (*SEALED, *FACTS)}
        known |= {f"prior.{name}" for name in (*SEALED, *FACTS)}
        assert tables_outside(sql_of(path)) <= known

    def test_orders_its_rows(self, path: Path) -> None:
        assert parsed(sql_of(path)).args.get("order")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
class TestEveryCheck:
    def test_declares_exactly_the_parameters_it_uses(self, check: Check) -> None:
        (statement,) = duckdb.extract_statements(check.sql)
        assert set(statement.named_parameters) == set(check.parameters)
        assert all(check.parameters.values())

    def test_asks_only_for_thresholds_the_policy_sets(self, check: Check) -> None:
        policy = Policy.read(ROOT / "data" / "policy.toml")
        policy.parameters(check.parameters, as_of=AS_OF)

    def test_maps_to_the_controls_written_down_for_it(self, check: Check) -> None:
        assert sorted(check.controls) == sorted(CONTROLS[check.id].split())

    def test_names_known_control_frameworks(self, check: Check) -> None:
        strange = [one for one in check.controls if not FRAMEWORKS.fullmatch(one)]
        assert not strange
        assert len(set(check.controls)) == len(check.controls)

    def test_orders_its_rows_to_the_last_tie(self, check: Check) -> None:
        tree = parsed(check.sql)
        subject = next(one for one in tree.selects if one.alias == "subject_id")
        key = {column.name for column in subject.find_all(exp.Column)}
        order = [ordered.this for ordered in tree.args["order"].expressions]
        names = {one.name for one in order if isinstance(one, exp.Column)}
        assert key <= names or "subject_id" in names
        assert order[-1].name in {*key, "subject_id"}

    def test_has_a_test_file_of_its_own(self, check: Check) -> None:
        text = (Path(__file__).parent / f"test_{check.id}.py").read_text("utf-8")
        assert f'CHECK = "{check.id}"' in text

    def test_declares_every_reason_it_gives_and_no_other(self, check: Check) -> None:
        assert reason_codes(check.sql) == set(check.reasons)

    def test_fills_every_reason_from_its_own_columns(self, check: Check) -> None:
        for code, text in check.reasons.items():
            for language, sentence in text.items():
                names = {name for _, name, _, _ in string.Formatter().parse(sentence)}
                strange = names - {None} - set(check.result_columns)
                assert not strange, f"{code} in {language}"

    def test_says_everything_in_every_language(self, check: Check) -> None:
        for key, text in texts_of(check):
            assert set(text) == set(Language), key
            english, chinese = text[Language.ENGLISH], text[Language.CHINESE]
            assert english.strip() and not CHINESE.search(english), key
            assert CHINESE.search(chinese), key

    def test_speaks_in_whole_sentences(self, check: Check) -> None:
        assert check.question[Language.ENGLISH].endswith("?")
        assert check.question[Language.CHINESE].endswith("？")
        texts = (check.population, check.remediation, *check.reasons.values())
        for text in texts:
            assert text[Language.ENGLISH].endswith(".")
            assert text[Language.CHINESE].endswith("。")


@pytest.mark.parametrize("fact", FACTS)
class TestEveryFact:
    def test_needs_exactly_the_facts_it_reads(self, fact: str) -> None:
        header = (QUERIES / "facts" / f"{fact}.sql").read_text("utf-8").split("*/")[0]
        needs = tomllib.loads(header.removeprefix("/*"))["needs"]
        read = {table.removeprefix("snapshot.") for table in tables_outside(sql(fact))}
        assert set(needs) == read - SEALED

    def test_takes_no_parameters(self, fact: str) -> None:
        (statement,) = duckdb.extract_statements(sql(fact))
        assert not statement.named_parameters

    def test_has_one_row_for_each_key_and_is_ordered_by_it(
        self, fact: str, busy: Company
    ) -> None:
        key = FACT_KEYS[fact]
        order = parsed(sql(fact)).args["order"].expressions
        assert key <= {ordered.this.name for ordered in order}
        archive = folder_of(busy.settings) / "archive"
        rows = pl.read_parquet(archive / f"{fact}.parquet")
        assert rows.height
        assert not rows.select(sorted(key)).is_duplicated().any()


@pytest.mark.parametrize("report_id", REPORTS)
def test_a_report_declares_exactly_the_parameters_it_uses(report_id: str) -> None:
    report = read_report(QUERIES, report_id)
    (statement,) = duckdb.extract_statements(report.sql)
    assert set(statement.named_parameters) == set(report.parameters)


def test_every_check_is_written_down_with_its_controls() -> None:
    assert set(CONTROLS) == {check.id for check in CHECKS}


def test_the_linter_has_a_value_for_every_parameter_and_for_no_other() -> None:
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / ".sqlfluff", "utf-8")
    given = set(settings["sqlfluff:templater:placeholder"]) - {"param_style"}
    statements = (duckdb.extract_statements(sql_of(path))[0] for path in FILES)
    used = {name for one in statements for name in one.named_parameters}
    assert given == used


# What each check answers ------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Return a sealed company with something of everything in it, and ties."""
    company = Company(tmp_path_factory.mktemp("busy"))
    company.has_department("sales")
    for name in ("ada", "bob", "cho", "dan", "eve", "fay"):
        company.employs(name, phone="13800138000" if name < "c" else None)
        company.has_account(
            name,
            phone="13800138000",
            mfa_state="enabled" if name < "d" else "unknown",
            password_changed_at=BEFORE,
            created_at=BEFORE,
            last_login_at=BEFORE,
            last_login_basis="success" if name < "e" else "attempt",
        )
        company.grants(name, "seller", valid_until=BEFORE, delegated_from="crm:bob")
        company.grants(name, "seller", via="group")
        for minutes, city in ((0, "Shanghai"), (0, "Chengdu"), (9, "Wuhan")):
            company.logs_in(name, BEFORE + timedelta(minutes=minutes), city=city)
    company.employs("gus", until=date(2026, 6, 1))
    company.has_account("gus", is_enabled=None, mfa_state="disabled")
    company.has_account("sales", email=None)
    company.has_account("sales", source="erp", account_type="service")
    company.has_role("seller", abilities="export,administer", name="合同审批")
    company.has_role("amending", abilities=None, name="合同金额修改")
    company.has_role("off", is_enabled=False)
    company.grants("ada", "amending")
    company.grants("gus", "off")
    company.grants("gus", "gone")
    company.add(
        "entitlement_members", "crm", parent_id="crm:off", child_id="crm:seller"
    )
    company.seal()
    return company


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
class TestEveryAnswer:
    def test_keeps_the_contract_and_is_the_same_when_asked_again(
        self, check: Check, busy: Company
    ) -> None:
        first, second = busy.assess(check.id), busy.assess(check.id)
        assert first.height
        assert_frame_equal(first, second)

    def test_reads_as_a_sentence_in_every_language(
        self, check: Check, busy: Company
    ) -> None:
        for row in busy.assess(check.id).iter_rows(named=True):
            for language in Language:
                assert re.fullmatch(r"[^{}]{8,}", check.explain(row, language))

    def test_is_empty_for_a_company_with_nothing_in_it(
        self, check: Check, company: Company
    ) -> None:
        company.add("approvals", "crm", approval_id="1")
        assert company.assess(check.id).is_empty()


# The guards themselves ----------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "select now()",
        "select today ()",
        "select current_date",
        "select CURRENT_TIMESTAMP",
        "select random()",
        "select gen_random_uuid()",
        "select * from snapshot.accounts using sample 10",
    ],
)
def test_a_clock_and_dice_are_seen(sql: str) -> None:
    assert CLOCK_OR_DICE.search(sql)


def test_a_column_called_today_is_no_clock() -> None:
    assert not CLOCK_OR_DICE.search("select tested.today, current_people.uuid")


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from accounts",
        "select 1 from main.accounts",
        "select 1 from read_csv('x.csv')",
        "select 1 from 'x.parquet'",
        "with own as (select 1 from secret.people) select 1 from own",
        "select (select count(*) from information_schema.tables)",
    ],
)
def test_a_table_of_nobodys_snapshot_is_seen(sql: str) -> None:
    assert tables_outside(sql)


def test_a_reason_is_seen_in_every_branch_and_part() -> None:
    sql = """
        with part as (select case when x = 'no' then 'a' else null end as reason)
        select case when y then 'b' when z then case when w then 'c' end else reason end
            as reason
    """
    assert reason_codes(sql) == {"a", "b", "c"}


# Headers ------------------------------------------------------------------------------

HEADER = """/*
id       = "x"
family   = "use"
severity = "low"
subject  = "account"
controls = ["SOC2:CC6.1"]
title       = {en = "Title", zh = "标题"}
question    = {en = "Is it?", zh = "是吗？"}
population  = {en = "All.", zh = "全部。"}
remediation = {en = "Mend it.", zh = "修复。"}
[parameters]
[columns]
[reasons]
fine = {en = "It is.", zh = "是。"}
*/
select 1
"""


def read(folder: Path, text: str, name: str = "x.sql") -> Check:
    """Write a file and read it."""
    path = folder / name
    path.write_text(text, "utf-8")
    return read_check(path)


def test_a_whole_header_is_read(tmp_path: Path) -> None:
    check = read(tmp_path, HEADER)
    assert check.title[Language.CHINESE] == "标题"
    assert check.result_columns[-2:] == ("status", "reason")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (HEADER, "select 1\n", "x.sql"),
        ('severity = "low"', 'severity = "low"\nseverty = "low"', "severty"),
        ('severity = "low"', 'severity = "urgent"', "urgent"),
        ('severity = "low"\n', "", "severity"),
        ('family   = "use"', 'family   = "misuse"', "family"),
        ('id       = "x"', 'id       = "y"', "'y'"),
        (', zh = "标题"', "", "zh"),
        ('fine = {en = "It is.", ', "fine = {", "en"),
        ("[columns]\n", "", "columns"),
        ('family   = "use"', "family   = use", "line"),
    ],
)
def test_a_broken_header_is_refused_by_file_and_fault(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    assert old in HEADER
    with pytest.raises(QueryHeaderError, match=r"x\.sql") as refused:
        read(tmp_path, HEADER.replace(old, new))
    assert named in str(refused.value)


def test_facts_that_need_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "facts").mkdir()
    for name, other in (("one", "two"), ("two", "one")):
        text = f'/*\npurpose = "x"\nneeds = ["{other}"]\n*/\nselect 1\n'
        (tmp_path / "facts" / f"{name}.sql").write_text(text, "utf-8")
    with pytest.raises(QueryHeaderError, match="one, two"):
        load_facts(tmp_path)
