"""Files that come in: a filled review workbook, looked at but not yet recorded."""

import hmac
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Message

from gate import forms
from gate.door import session_of
from gate.downloads import language_of
from gate.sheet import message, sheet
from governance.app_roles import NotAllowedError, Permission
from governance.app_sessions import AppSession
from governance.attestations import receive
from governance.language import translator
from governance.model import GovernanceError, Language
from governance.register import open_register
from governance.settings import Settings

SIZE_LIMIT = 5 * 1024 * 1024
_ENVELOPE = 16 * 1024
"""What the form may add around the file."""
_FILE_NAME_LIMIT = 200


async def show(request: Request) -> Response:
    """Show the form that takes a workbook."""
    language = language_of(request)
    _ = translator(language)
    session = session_of(request.scope)
    if session is None or not _may_return(session):
        refusal = _("Your role does not return workbooks.")
        return message(refusal, language=language, status=403)
    title, back = escape(_("Return a workbook")), escape(_("Back to Gatebook"))
    choose = escape(_("Choose the workbook you filled in (.xlsx, at most 5 MB)."))
    promise = escape(_("Nothing is recorded yet: the next page shows what would be."))
    button = escape(_("Show what would be recorded"))
    address = f"/upload/workbook?{urlencode({'language': language.value})}"
    return sheet(
        _("Return a workbook"),
        f'<h1>Gatebook 权鉴</h1><p class="motto">{title}</p>'
        f'<div class="sheet"><p>{choose} {promise}</p>'
        f'<form method="post" enctype="multipart/form-data" action="{address}">'
        f'<input type="hidden" name="{forms.FORM_FIELD}" '
        f'value="{escape(session.form_token)}">'
        '<p><input type="file" name="workbook" accept=".xlsx" required></p>'
        f'<p><button class="primary">{button}</button></p></form>'
        f'<p><a href="/returned">{back}</a></p></div>',
        language=language.value.replace("_", "-"),
    )


async def take(request: Request) -> Response:
    """Take a workbook in and lead to the page that shows what it would record."""
    language = language_of(request)
    _ = translator(language)
    session = session_of(request.scope)
    if session is None:
        return message(_("Sign in again."), language=language, status=403)
    try:
        body = await forms.body_of(request, SIZE_LIMIT + _ENVELOPE)
    except forms.TooLargeError:
        refusal = _("The file is larger than 5 MB; send the workbook alone.")
        return message(refusal, language=language, status=413)
    try:
        form = await _replayed(request, body).form(max_files=1, max_fields=4)
        sent, file = form.get(forms.FORM_FIELD), form.get("workbook")
        content = await file.read() if isinstance(file, UploadFile) else b""
        name = (file.filename or "") if isinstance(file, UploadFile) else ""
        await form.close()
    except (MultiPartException, HTTPException):
        sent, content, name = None, b"", ""
    if not isinstance(sent, str) or not hmac.compare_digest(
        sent.encode(), session.form_token.encode()
    ):
        refusal = _("This form is not valid any more.")
        return message(refusal, language=language, status=403)
    if not content:
        return message(_("Choose a file first."), language=language, status=400)
    return await run_in_threadpool(
        _taken, session, name[:_FILE_NAME_LIMIT], content, language
    )


def _taken(
    session: AppSession, name: str, content: bytes, language: Language
) -> Response:
    _ = translator(language)
    try:
        settings = Settings.read()
        back = receive(
            open_register(settings),
            settings,
            session.actor,
            name,
            content,
            datetime.now(UTC),
        )
    except NotAllowedError:
        refusal = _("Your role does not return workbooks.")
        return message(refusal, language=language, status=403)
    except GovernanceError as error:
        return message(str(error), language=language, status=409)
    return RedirectResponse(
        f"/returned?{urlencode({'return': back.return_id})}", status_code=303
    )


def _may_return(session: AppSession) -> bool:
    return session.actor.may(Permission.DECIDE_REVIEW_ITEMS) or session.actor.may(
        Permission.RETURN_FOR_OTHERS
    )


def _replayed(request: Request, body: bytes) -> Request:
    """Return the request with a body that was read already."""

    async def receive_again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive_again)
