"""A small company under review: one campaign, its people, and filled-in workbooks."""

import io
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from governance import attestations, campaigns
from governance.app_roles import Actor, AppRole
from governance.attestations import ItemDecision, Return, Workbook
from governance.campaigns import Campaign, Plan
from governance.model import Decision, Language
from governance.register import Register, open_register
from governance.settings import Settings
from tests.company import AS_OF, Company

NOW = datetime(2026, 8, 3, 1, 0, tzinfo=UTC)
"""3 August 2026, 09:00 in Shanghai."""
DUE = date(2026, 8, 20)
MANAGER = Actor(actor_id="hr:sam", name="Sam", role=AppRole.SECURITY_MANAGER)


def reviewer(name: str) -> Actor:
    """Return a department head as the app knows them."""
    identity_id = f"hr:{name}"
    return Actor(
        actor_id=identity_id,
        name=name.title(),
        role=AppRole.REVIEWER,
        identity_id=identity_id,
    )


BOSS, CEO = reviewer("boss"), reviewer("ceo")


def staff(company: Company) -> Company:
    """Give a company a sales department.

    Boss heads it; ada and bob work in it and hold what they may; eve has left and kept
    her login, a critical row. Boss's own account falls to ceo, who heads the company.
    """
    company.has_department("top", head_identity_id="hr:ceo")
    company.has_department("sales", head_identity_id="hr:boss", parent_id="hr:top")
    company.employs("ceo", department_id="hr:top", job_title="General Manager")
    company.employs("boss", job_title="Sales Manager")
    for name in ("ada", "bob"):
        company.employs(name)
    company.employs("eve", until=date(2026, 6, 1))
    company.has_role("standard", name="Sales user", is_privileged=False)
    for name in ("boss", "ada", "bob", "eve"):
        company.has_account(
            name,
            mfa_state="enabled",
            last_login_at=datetime(2026, 5, 30, tzinfo=UTC)
            if name == "eve"
            else datetime(2026, 7, 30, tzinfo=UTC),
            last_login_basis="success",
            created_at=datetime(2024, 1, 1, tzinfo=UTC),
            password_changed_at=datetime(2026, 6, 1, tzinfo=UTC),
        )
        company.grants(name, "standard", granted_at=datetime(2024, 1, 2, tzinfo=UTC))
    return company


def plan(**changes: Any) -> Plan:
    """Return the plan of the tests' campaign."""
    return replace(Plan(title="Third quarter", due_on=DUE), **changes)


@dataclass(frozen=True)
class Review:
    """An open campaign and the means to answer it."""

    register: Register
    settings: Settings
    campaign: Campaign

    @property
    def campaign_id(self) -> str:
        return self.campaign.campaign_id

    def row(self, login: str) -> dict[str, Any]:
        """Return one account's row as it stands."""
        rows = campaigns.items(self.register, self.campaign_id).to_dicts()
        return next(row for row in rows if row["login"] == login)

    def answer(
        self, login: str, decision: Decision, comment: str = "", **facts: Any
    ) -> ItemDecision:
        """Return an answer to one account's row, given on what stands there now."""
        row = self.row(login)
        told = {"item_id": row["item_id"], "version": row["version"]} | facts
        return ItemDecision(decision=decision, comment=comment, **told)

    def decide(self, *answers: ItemDecision, actor: Actor = BOSS) -> int:
        """Record answers given on the page."""
        return attestations.decide(
            self.register, actor, self.campaign_id, answers, "page", NOW
        )

    def issue(
        self, language: Language = Language.ENGLISH, actor: Actor = BOSS
    ) -> Workbook:
        """Issue Boss's workbook."""
        return attestations.issue_workbook(
            self.register,
            self.settings,
            self.campaign_id,
            "hr:boss",
            language,
            actor,
            NOW,
        )

    def receive(
        self, content: bytes, actor: Actor = BOSS, now: datetime = NOW
    ) -> Return:
        """Bring a file back."""
        return attestations.receive(
            self.register, self.settings, actor, "answers.xlsx", content, now
        )

    def confirm(self, returned: Return, actor: Actor = BOSS) -> Return:
        """Confirm a return's preview."""
        return attestations.confirm_return(
            self.register, self.settings, actor, returned.return_id, NOW
        )


def opened(company: Company) -> Review:
    """Seal a staffed company and open its campaign."""
    company.seal(AS_OF)
    settings = company.settings
    register = open_register(settings)
    campaign = campaigns.open_campaign(register, settings, MANAGER, plan(), NOW)
    return Review(register, settings, campaign)


def copied(review: Review, folder: Path) -> Review:
    """Return a copy of a company and its open campaign in a folder of its own."""
    review.register.close()
    shutil.copytree(review.settings.folder, folder, dirs_exist_ok=True)
    settings = replace(
        review.settings, config=folder / "gatebook.toml", data=folder / "data"
    )
    return Review(open_register(settings), settings, review.campaign)


# Workbooks ----------------------------------------------------------------------------


def load(content: bytes) -> openpyxl.Workbook:
    """Open a workbook for editing, as a spreadsheet program would."""
    return openpyxl.load_workbook(io.BytesIO(content))


def save(book: openpyxl.Workbook) -> bytes:
    """Return an edited workbook's bytes."""
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def review_sheet(book: openpyxl.Workbook) -> Worksheet:
    """Return the sheet that holds the rows."""
    return book.worksheets[1]


def line_of(sheet: Worksheet, login: str) -> int:
    """Return the row number of one account."""
    return next(
        line for line in range(9, sheet.max_row + 1) if sheet[f"G{line}"].value == login
    )


def fill(
    content: bytes,
    answers: Mapping[str, tuple[Any, ...]],
    *,
    name: str | None = None,
    sign: str = "Yes",
) -> bytes:
    """Fill in decision, date and comment by login; with a name, also sign."""
    book = load(content)
    sheet = review_sheet(book)
    for login, told in answers.items():
        line = line_of(sheet, login)
        for column, value in zip("KLM", told, strict=False):
            sheet[f"{column}{line}"].value = value
    if name is not None:
        book.worksheets[2]["B5"] = name
        book.worksheets[2]["B7"] = sign
    return save(book)


ALL = {
    "ada": ("Keep",),
    "bob": ("Keep",),
    "eve": ("Revoke",),
}
"""A full set of good answers."""


def saved_by_libreoffice(content: bytes, folder: Path) -> bytes:
    """Return a workbook as LibreOffice saves it again."""
    before, after = folder / "before.xlsx", folder / "after"
    before.write_bytes(content)
    subprocess.run(
        [
            "soffice",
            "--headless",
            f"-env:UserInstallation=file://{folder}/profile",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(after),
            str(before),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    return (after / "before.xlsx").read_bytes()
