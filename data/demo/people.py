"""Units and the people in them: heads, staff, joiners, movers, leavers."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from data.demo.months import Month
from data.demo.names import (
    BEIJING,
    CHENGDU,
    DOMAIN,
    GUANGZHOU,
    NINGBO,
    PARTNER_DOMAIN,
    ROTTERDAM,
    SHANGHAI,
    SINGAPORE,
    Place,
    chinese_name,
    english_name,
)
from data.demo.world import Move, Person, Unit

_TEAM = 11
"""People of a team; a department of fewer than three teams has none."""


@dataclass(frozen=True)
class Department:
    """A department as the company draws it on paper."""

    code: str
    name: str
    family: str
    weight: float
    titles: tuple[str, ...]
    """Of staff; the first of every three people bears the last one."""
    leads: tuple[str, str]
    """Titles of a team's head and of the department's."""
    place: Place
    from_people: int = 0
    """Too small a company does not have it; the division's first takes its people."""


@dataclass(frozen=True)
class Division:
    """A division and its departments."""

    code: str
    name: str
    head: str
    departments: tuple[Department, ...]


def _sales(code: str, name: str, place: Place, from_people: int) -> Department:
    titles = ("销售代表", "高级销售代表")
    leads = ("销售经理", "销售总监")
    return Department(code, name, "sales", 0.1, titles, leads, place, from_people)


DIVISIONS = (
    Division(
        "1",
        "国内销售中心 Domestic Sales",
        "销售副总经理",
        (
            _sales("11", "华东销售部 East China Sales", SHANGHAI, 0),
            _sales("12", "华南销售部 South China Sales", GUANGZHOU, 150),
            _sales("13", "华北销售部 North China Sales", BEIJING, 150),
        ),
    ),
    Division(
        "2",
        "客户服务中心 Customer Service",
        "客服副总经理",
        (
            Department(
                *("21", "客户服务部 Customer Care", "service", 0.1),
                *(("客服专员", "高级客服专员"), ("客服经理", "客服总监"), CHENGDU),
            ),
            Department(
                *("22", "售后支持部 After-Sales", "service", 0.05),
                *(("客服专员", "高级客服专员"), ("客服经理", "客服总监"), CHENGDU, 150),
            ),
        ),
    ),
    Division(
        "3",
        "供应链中心 Supply Chain",
        "供应链副总经理",
        (
            Department(
                *("31", "仓储部 Warehouse", "supply", 0.13),
                *(("仓储专员", "仓储组长"), ("仓储经理", "仓储总监"), NINGBO),
            ),
            Department(
                *("32", "采购部 Purchasing", "supply", 0.06),
                *(
                    ("采购专员", "高级采购专员"),
                    ("采购经理", "采购总监"),
                    SHANGHAI,
                    150,
                ),
            ),
        ),
    ),
    Division(
        "4",
        "职能中心 Corporate",
        "职能副总经理",
        (
            Department(
                *("41", "财务部 Finance", "finance", 0.06),
                *(("会计", "出纳"), ("财务经理", "财务总监"), SHANGHAI),
            ),
            Department(
                *("42", "人力行政部 People and Office", "people", 0.04),
                *(("人事专员", "行政专员"), ("人事经理", "人事总监"), SHANGHAI),
            ),
            Department(
                *("43", "市场部 Marketing", "marketing", 0.05),
                *(("市场专员", "高级市场专员"), ("市场经理", "市场总监"), SHANGHAI),
            ),
            Department(
                *("44", "数据运营部 Data", "data", 0.03),
                *(("数据分析师", "运营专员"), ("数据分析经理", "运营总监"), SHANGHAI),
            ),
            Department(
                *("45", "信息技术部 IT", "it", 0.06),
                *(("IT工程师", "系统工程师"), ("IT经理", "信息总监"), SHANGHAI),
            ),
        ),
    ),
    Division(
        "5",
        "海外事业部 Northstar Overseas",
        "Managing Director Overseas",
        (
            Department(
                *("51", "Overseas Sales 海外销售部", "sales", 0.08),
                ("Account Executive", "Senior Account Executive"),
                ("Sales Manager", "Sales Director"),
                SINGAPORE,
            ),
            Department(
                *("52", "Overseas Service 海外客服部", "service", 0.04),
                ("Customer Support Specialist", "Senior Support Specialist"),
                ("Service Manager", "Service Director"),
                *(ROTTERDAM, 150),
            ),
        ),
    ),
)
_LEVELS = {"staff": ("P3", "P4"), "team": "M1", "department": "M2", "division": "M3"}
_INTERNS = {
    "sales": "销售实习生",
    "service": "客服实习生",
    "marketing": "市场实习生",
    "finance": "财务实习生",
}
_OUTSOURCED = {"service": "外包客服专员", "supply": "外包仓储员"}


class _Registry:
    """Gives out numbers, addresses and telephones, none of them twice."""

    def __init__(self, seed: int, people: int) -> None:
        self.names = random.Random(f"{seed}:names")
        phones = random.Random(f"{seed}:phones")
        self.phones = iter(phones.sample(range(99_999), people + 2_000))
        self.numbers = iter(range(10_001, 10_001 + people + 2_000))
        self.addresses: dict[str, int] = {}

    def phone(self) -> str:
        """Return a number of a block that no network uses here."""
        return f"199000{next(self.phones):05}"

    def email(self, local: str, domain: str) -> str:
        """Return the address of a name, numbered from the second bearer on."""
        count = self.addresses[local] = self.addresses.get(local, 0) + 1
        return f"{local}{count if count > 1 else ''}@{domain}"

    def person(self, unit: Unit, title: str, level: str, kind: str) -> Person:
        """Return somebody new, not yet hired."""
        abroad = unit.place in (SINGAPORE, ROTTERDAM)
        name, local = english_name(self.names) if abroad else chinese_name(self.names)
        return Person(
            number=f"{next(self.numbers):06}",
            name=name,
            email=self.email(local, PARTNER_DOMAIN if kind == "vendor" else DOMAIN),
            phone=self.phone(),
            unit=unit,
            title=title,
            level=level,
            kind=kind,
            place=unit.place,
            start=date(2020, 1, 1),
        )


@dataclass(frozen=True)
class Workforce:
    """Everybody, and the one who gives out numbers and addresses."""

    people: list[Person]
    units: list[Unit]
    registry: _Registry


def hire(seed: int, people: int, months: tuple[Month, ...]) -> Workforce:
    """Make up units and exactly this many people.

    About one in twelve has left within the last year; some join, move and leave in
    each of the months.
    """
    registry = _Registry(seed, people)
    rng = random.Random(f"{seed}:workforce")
    left, pending = max(8, people // 12), max(2, people // 250)
    top = Unit("0000", "北辰贸易 Northstar Trading", None, "top", SHANGHAI)
    top.head = _head(registry, top, "总经理", "M4")
    units = [top]
    hired = [top.head]
    for department, count in _shares(people, people - left - pending - 1):
        hired += _staffed(registry, units, department, count, people)
    newcomers = _newcomers(registry, units, left + pending, rng)
    _employ(rng, hired, months)
    for person in newcomers[:left]:
        _let_go(rng, person, months)
    for person in newcomers[left:]:
        person.start = months[-1].today + timedelta(days=rng.randint(1, 25))
    _move(rng, hired, months)
    return Workforce(hired + newcomers, units, registry)


def _shares(people: int, count: int) -> list[tuple[Department, int]]:
    """Divide people among departments by weight, largest remainders first."""
    weights: dict[str, float] = {}
    drawn: dict[str, Department] = {}
    for division in DIVISIONS:
        first = division.departments[0]
        for department in division.departments:
            taker = first if people < department.from_people else department
            drawn[taker.code] = taker
            weights[taker.code] = weights.get(taker.code, 0.0) + department.weight
    total = sum(weights.values())
    exact = {code: count * weight / total for code, weight in weights.items()}
    whole = {code: int(share) for code, share in exact.items()}
    by_rest = sorted(exact, key=lambda code: (whole[code] - exact[code], code))
    for code in by_rest[: count - sum(whole.values())]:
        whole[code] += 1
    return [(drawn[code], number) for code, number in whole.items()]


def _staffed(
    registry: _Registry,
    units: list[Unit],
    department: Department,
    count: int,
    people: int,
) -> Iterator[Person]:
    """Set up a department, its division if it is the first, and its teams."""
    top = units[0]
    division = next(one for one in DIVISIONS if one.code == department.code[0])
    above = next((unit for unit in units if unit.code == f"{division.code}000"), None)
    if above is None:
        place = division.departments[0].place
        above = Unit(
            f"{division.code}000", division.name, top, department.family, place
        )
        units.append(above)
        if people >= 200:
            above.head = _head(registry, above, division.head, "M3")
            yield above.head
            count -= 1
    unit = Unit(
        f"{department.code}00",
        department.name,
        above,
        department.family,
        department.place,
    )
    units.append(unit)
    if count >= 2:
        unit.head = _head(registry, unit, department.leads[1], "M2")
        yield unit.head
        count -= 1
    teams = _teams(units, unit, count)
    position = dict.fromkeys(teams, 0)
    for index in range(count):
        team = teams[index % len(teams)]
        if team is not unit and team.head is None:
            team.head = _head(registry, team, department.leads[0], "M1")
            yield team.head
            continue
        person = _member(registry, team, department, position[team])
        position[team] += 1
        team.staff.append(person)
        yield person


def _teams(units: list[Unit], unit: Unit, count: int) -> list[Unit]:
    """Return the units staff sit in: teams, or a small department itself."""
    if count < 3 * _TEAM:
        return [unit]
    short = unit.name.split(" ")[0] if unit.name[0] > "z" else unit.name.split(" 海")[0]
    teams = [
        Unit(
            f"{unit.code[:2]}{number:02}" if number < 100 else f"{unit.code}{number}",
            f"{short}{number}组" if unit.name[0] > "z" else f"{short} Team {number}",
            unit,
            unit.family,
            unit.place,
        )
        for number in range(1, round(count / _TEAM) + 1)
    ]
    units += teams
    return teams


def _member(
    registry: _Registry, unit: Unit, department: Department, position: int
) -> Person:
    """Return the next member of staff: mostly employees, some of other kinds."""
    family = department.family
    abroad = unit.place in (SINGAPORE, ROTTERDAM)
    if position % 11 == 6 and family in _INTERNS:
        title = "Sales Intern" if abroad else _INTERNS[family]
        return registry.person(unit, title, "P1", "intern")
    if position % 5 == 4 and family in _OUTSOURCED:
        title = "Support Contractor" if abroad else _OUTSOURCED[family]
        return registry.person(unit, title, "P2", "contractor")
    if position % 8 == 3 and family == "it":
        return registry.person(unit, "供应商顾问", "P2", "vendor")
    is_senior = position % 3 == 2
    title = department.titles[1] if is_senior else department.titles[0]
    person = registry.person(unit, title, "P5" if is_senior else "P3", "employee")
    person.works_nights = family == "supply" and position % 2 == 1
    return person


def _head(registry: _Registry, unit: Unit, title: str, level: str) -> Person:
    person = registry.person(unit, title, level, "employee")
    person.is_head = True
    return person


def _newcomers(
    registry: _Registry, units: list[Unit], count: int, rng: random.Random
) -> list[Person]:
    """Return people of staff rank beside those who work there now."""
    places = [unit for unit in units if unit.staff]
    found = []
    for _ in range(count):
        unit = rng.choice(places)
        peer = rng.choice([one for one in unit.staff if one.kind != "vendor"])
        found.append(registry.person(unit, peer.title, peer.level, peer.kind))
    return found


def _employ(rng: random.Random, hired: list[Person], months: tuple[Month, ...]) -> None:
    """Give everybody a first day; one in eighty joins in each of the months."""
    first_day = months[0].start.date()
    window = (months[-1].today - first_day).days
    for person in hired:
        if not person.is_head and rng.random() < len(months) / 80:
            person.start = first_day + timedelta(days=rng.randrange(window - 3))
            continue
        years = 1 if person.kind in ("intern", "contractor") else 12
        oldest = 330 if person.kind == "intern" else 365 * years
        person.start = first_day - timedelta(days=rng.randint(20, oldest))


def _let_go(rng: random.Random, person: Person, months: tuple[Month, ...]) -> None:
    """Give somebody a last day within the year before the newest month's end."""
    recent = rng.random() < 0.6
    ago = rng.randint(5, 85) if recent else rng.randint(95, 330)
    person.end = months[-1].today - timedelta(days=ago)
    longest = 300 if person.kind in ("intern", "contractor") else 3000
    person.start = person.end - timedelta(days=rng.randint(120, longest))


def _move(rng: random.Random, hired: list[Person], months: tuple[Month, ...]) -> None:
    """Have one in sixty change the team or department in the course of the months."""
    first_day = months[0].start.date()
    window = (months[-1].today - first_day).days
    staff = [one for one in hired if not one.is_head and one.kind == "employee"]
    settled = [one for one in staff if one.start < first_day]
    for person in rng.sample(settled, max(1, len(settled) // 60)):
        other = rng.choice(
            [
                one
                for one in settled
                if one.unit is not person.unit
                and (one.place.country == "CN") == (person.place.country == "CN")
            ]
            or [person]
        )
        day = first_day + timedelta(days=rng.randrange(5, window - 5))
        person.moved = Move(day, other.unit, other.title)
