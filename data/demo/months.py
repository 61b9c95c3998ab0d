"""The months the company is told in, and moments within them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

LOCAL = timezone(timedelta(hours=8), "Asia/Shanghai")
"""China has no summer time: the offset is the zone."""
LAST = (2026, 10)


@dataclass(frozen=True)
class Month:
    """One calendar month in Shanghai."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """Return the name of its folder."""
        return f"{self.year}-{self.number:02}"

    @property
    def start(self) -> datetime:
        """Return its first instant."""
        return datetime(self.year, self.number, 1, tzinfo=LOCAL)

    @property
    def as_of(self) -> datetime:
        """Return the first instant after it."""
        return self.next().start

    @property
    def today(self) -> date:
        """Return the local day of ``as_of``: the first day after the month."""
        return self.as_of.date()

    def next(self) -> "Month":
        """Return the month after it."""
        return month_number(self.year * 12 + self.number)


def month_number(count: int) -> Month:
    """Return the month that begins this many whole months after year 0."""
    return Month(count // 12, count % 12 + 1)


def last_months(count: int) -> tuple[Month, ...]:
    """Return this many months, oldest first, the last being October 2026."""
    end = LAST[0] * 12 + LAST[1] - 1
    return tuple(month_number(end - back) for back in reversed(range(count)))


def midnight(day: date) -> datetime:
    """Return the local midnight at which the day begins."""
    return datetime.combine(day, time(), LOCAL)


def utc_text(moment: datetime | None) -> str | None:
    """Return a moment as Microsoft Graph writes it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local_text(moment: datetime | None) -> str:
    """Return a moment as a database in Shanghai dumps it; empty if there is none."""
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")
