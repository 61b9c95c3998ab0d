"""The invented company: the same every time, invented throughout, whole at any size."""

import ast
import csv
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from data.demo.company import Company, invent, write_company
from data.demo.truth import RULES, findings
from governance.settings import ROOT, Settings

RESERVED_NETS = [
    ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
]
RESERVED_DOMAINS = re.compile(r"(^|[.@])example\.(com|cn|net|org)$")
OUR_PHONES = re.compile(r"199000\d{5}")
SYSTEM_DOMAINS = {"graph.microsoft.com"}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("company")
    return write_company(folder, people=300, seed=7, months=3)


def digests(folder: Path, *kinds: str) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.suffix in kinds
    }


def roster(folder: Path) -> list[dict[str, str]]:
    text = (folder / "hr" / "员工花名册.csv").read_text("gb18030")
    return list(csv.DictReader(text.splitlines()))


def newest(company: Company) -> Path:
    return company.months[-1][0]


def text_of(company: Company) -> Iterator[str]:
    for path in sorted(company.config.parent.rglob("*")):
        if path.suffix in (".csv", ".json", ".toml"):
            encoding = "gb18030" if path.parent.name == "hr" else "utf-8-sig"
            yield path.read_text(encoding)


def test_same_numbers_give_the_same_bytes(tmp_path: Path) -> None:
    one = write_company(tmp_path / "one", people=80, seed=3, months=2)
    two = write_company(tmp_path / "two", people=80, seed=3, months=2)
    first = digests(one.config.parent, ".csv", ".json", ".toml", ".xlsx")
    assert first == digests(two.config.parent, ".csv", ".json", ".toml", ".xlsx")
    assert len(first) > 2 * 14


def test_another_seed_is_another_company(tmp_path: Path) -> None:
    one = write_company(tmp_path / "one", people=80, seed=3, months=1)
    two = write_company(tmp_path / "two", people=80, seed=4, months=1)
    assert roster(newest(one)) != roster(newest(two))


def test_months_are_told_oldest_first_and_end_in_october(company: Company) -> None:
    assert [folder.name for folder, _ in company.months] == [
        "2026-08",
        "2026-09",
        "2026-10",
    ]
    assert [as_of for _, as_of in company.months] == [
        datetime(2026, 8, 31, 16, tzinfo=UTC),
        datetime(2026, 9, 30, 16, tzinfo=UTC),
        datetime(2026, 10, 31, 16, tzinfo=UTC),
    ]


def test_every_month_can_be_read_on_its_own_into_one_data_folder(
    company: Company,
) -> None:
    whole = Settings.read(company.config)
    assert whole.demo
    assert set(whole.sources) == {"hr", "crm", "crm_logs", "entra", "old_crm"}
    for folder, _ in company.months:
        own = Settings.read(folder / "gatebook.toml")
        assert own.data.resolve() == whole.data.resolve()
        assert own.owners is not None and own.owners.exists()
        assert set(own.sources) == set(whole.sources)


def test_newest_roster_holds_as_many_people_as_asked_for(company: Company) -> None:
    numbers = [row["工号"] for row in roster(newest(company))]
    assert len(set(numbers) - {"099999"}) == 300


def test_roster_is_written_as_hr_writes_it(company: Company) -> None:
    content = (newest(company) / "hr" / "员工花名册.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    assert content.decode("gb18030").startswith("工号,姓名,手机,邮箱")


def test_everybody_but_the_top_has_a_manager_and_no_line_is_a_circle(
    company: Company,
) -> None:
    rows = [row for row in roster(newest(company)) if row["工号"] != "099999"]
    manager = {row["工号"]: row["直属上级工号"] for row in rows}
    assert [number for number, above in manager.items() if not above] == ["010001"]
    for number in manager:
        line = [number]
        while above := manager[line[-1]]:
            assert above not in line
            line.append(above)


def test_people_join_and_leave_from_month_to_month(company: Company) -> None:
    statuses = [
        {row["工号"]: row["状态"] for row in roster(folder)}
        for folder, _ in company.months
    ]
    first, last = statuses[0], statuses[-1]
    assert last.keys() - first.keys()
    assert [one for one in first if first[one] == "在职" and last[one] == "离职"]


def test_addresses_domains_and_telephones_are_reserved(company: Company) -> None:
    for text in text_of(company):
        for found in re.findall(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", text):
            assert any(ip_address(found) in net for net in RESERVED_NETS), found
        for domain in re.findall(r"[\w.+-]+@([\w.-]+)", text):
            if not domain.startswith("odata"):
                assert RESERVED_DOMAINS.search(domain), domain
        for domain in re.findall(r"https?://([\w.-]+)", text):
            assert domain in SYSTEM_DOMAINS or RESERVED_DOMAINS.search(domain), domain
        for phone in re.findall(r"(?<![\d-])1[3-9]\d{9}(?!\d)", text):
            assert OUR_PHONES.fullmatch(phone) or phone == "19900099999", phone


def test_telephones_and_addresses_of_people_are_their_own(company: Company) -> None:
    rows = [row for row in roster(newest(company)) if row["工号"] != "099999"]
    by_person = {row["工号"]: (row["手机"], row["邮箱"], row["姓名"]) for row in rows}
    bearers: dict[str, set[str]] = {}
    for phone, email, name in by_person.values():
        bearers.setdefault(phone, set()).add(name)
        bearers.setdefault(email, set()).add(name)
    assert all(len(names) == 1 for names in bearers.values())


def test_large_lists_are_paged_as_graph_pages_them(tmp_path: Path) -> None:
    company = write_company(tmp_path, people=1200, seed=1, months=1)
    folder = newest(company) / "entra"
    first = json.loads((folder / "users-1.json").read_text("utf-8"))
    second = json.loads((folder / "users-2.json").read_text("utf-8"))
    assert len(first["value"]) == 999
    assert first["@odata.nextLink"]
    assert first["@odata.count"] == 999 + len(second["value"])
    assert "@odata.nextLink" not in second


def test_files_hold_no_credentials(company: Company) -> None:
    header = (newest(company) / "crm" / "wk_admin_user.csv").read_text("utf-8")
    assert not re.search("password|salt", header.partition("\n")[0])


def test_owners_confirmed_are_people_every_month_knows(company: Company) -> None:
    text = (company.config.parent / "owners.csv").read_text("utf-8")
    confirmed = list(csv.DictReader(text.splitlines()))
    assert confirmed
    for folder, _ in company.months:
        known = {f"hr:{row['工号']}" for row in roster(folder)}
        assert {row["identity_id"] for row in confirmed} <= known


def test_steps_are_told_from_first_to_last(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    write_company(
        tmp_path,
        people=60,
        seed=1,
        months=2,
        progress=lambda step, done, steps: told.append((step, done, steps)),
    )
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1] == told[-1][2]
    assert {"2026-09", "2026-10"} <= {step for step, _, _ in told}


@pytest.mark.parametrize(("people", "months"), [(59, 3), (60, 0)])
def test_too_small_a_company_is_refused(
    tmp_path: Path, people: int, months: int
) -> None:
    with pytest.raises(ValueError, match="at least"):
        write_company(tmp_path / "x", people=people, seed=1, months=months)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("seed", range(1, 13))
def test_smallest_company_has_something_for_every_check(seed: int) -> None:
    invented = invent(people=60, seed=seed, months=3)
    truth = findings(invented.world)
    assert all(truth[check] for check in RULES)
    for check in set(RULES) - {"facts_missing"}:
        assert invented.planted[check], check
        assert set(invented.planted[check]) <= set(truth[check]), check
        assert not set(invented.negatives.get(check, ())) & set(truth[check]), check


@pytest.mark.parametrize(("people", "seed"), [(300, 1), (300, 7), (700, 2), (2000, 5)])
def test_every_check_has_three_plants_and_two_that_only_look_like_it(
    people: int, seed: int
) -> None:
    invented = invent(people=people, seed=seed, months=3)
    truth = findings(invented.world)
    for check in set(RULES) - {"facts_missing"}:
        planted = set(invented.planted[check])
        assert len(planted) >= 3, check
        assert planted <= set(truth[check]), check
        negatives = set(invented.negatives.get(check, ()))
        assert not negatives & set(truth[check]), check
        assert len(negatives) >= 2 or check == "ghost_grants", check


def test_findings_stay_a_small_part_of_a_large_company() -> None:
    invented = invent(people=3000, seed=7, months=1)
    accounts = len(invented.world.accounts)
    for check, subjects in findings(invented.world).items():
        assert len(subjects) < accounts / 20, check


def test_a_company_told_in_one_month_is_whole() -> None:
    invented = invent(people=300, seed=4, months=1)
    truth = findings(invented.world)
    for check, planted in invented.planted.items():
        assert set(planted) <= set(truth[check]), check


def test_generator_knows_nothing_of_what_it_is_used_to_test() -> None:
    for path in (ROOT / "data" / "demo").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in getattr(node, "names", [])]
            module = getattr(node, "module", None) or ""
            for name in (
                [module, *names]
                if isinstance(node, ast.Import | ast.ImportFrom)
                else []
            ):
                root = name.partition(".")[0]
                assert root not in ("governance", "connectors", "duckdb", "polars")
