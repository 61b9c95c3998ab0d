"""Files that leave the house: made for this person at this moment, and on record.

The services that write them re-check the right and write the audit event. Nothing is
kept under an address that somebody else could ask for.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gate.door import session_of
from gate.sheet import message
from governance.app_roles import Actor, NotAllowedError
from governance.attestations import issue_workbook
from governance.campaigns import CampaignError
from governance.evidence import evidence_workbook
from governance.language import translator
from governance.model import GovernanceError, Language
from governance.register import Register, open_register
from governance.settings import Settings

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
File = tuple[str, bytes]
Writer = Callable[[Register, Settings, Actor, Language, datetime], File]


async def workbook(request: Request) -> Response:
    """Hand a reviewer's workbook to the reviewer or to who runs the campaign."""
    campaign_id = request.path_params["campaign_id"]
    reviewer_id = request.path_params["reviewer_id"]

    def write(
        register: Register,
        settings: Settings,
        actor: Actor,
        language: Language,
        now: datetime,
    ) -> File:
        book = issue_workbook(
            register, settings, campaign_id, reviewer_id, language, actor, now
        )
        return book.name, book.content

    return await run_in_threadpool(_handed_out, request, write)


async def evidence(request: Request) -> Response:
    """Hand out a campaign's evidence workbook."""
    campaign_id = request.path_params["campaign_id"]

    def write(
        register: Register,
        settings: Settings,
        actor: Actor,
        language: Language,
        now: datetime,
    ) -> File:
        return evidence_workbook(register, settings, campaign_id, actor, language, now)

    return await run_in_threadpool(_handed_out, request, write)


def _handed_out(request: Request, write: Writer) -> Response:
    session = session_of(request.scope)
    language = language_of(request)
    if session is None or request.headers.get("sec-fetch-site") == "cross-site":
        return _missing(language)
    try:
        settings = Settings.read()
        name, content = write(
            open_register(settings),
            settings,
            session.actor,
            language,
            datetime.now(UTC),
        )
    except (NotAllowedError, CampaignError):
        # One answer for what is not there and what is not theirs to see.
        return _missing(language)
    except GovernanceError as error:
        return message(str(error), language=language, status=409)
    return Response(
        content,
        media_type=EXCEL,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"},
    )


def language_of(request: Request) -> Language:
    """Return the language the address asks for, English without one."""
    asked = request.query_params.get("language", "")
    return Language(asked) if asked in set(Language) else Language.ENGLISH


def _missing(language: Language) -> Response:
    _ = translator(language)
    sentence = _("There is no such file for you.")
    return message(sentence, language=language, status=404)
