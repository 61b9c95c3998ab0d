"""Signing in: the demo's persona chooser. Nobody is let in otherwise yet."""

import logging
from datetime import UTC, datetime
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gate import forms, origins
from gate.sheet import sheet
from governance.app_roles import AppRole
from governance.app_sessions import COOKIE, SECURE_COOKIE, SESSIONS, token_in
from governance.model import GovernanceError
from governance.personas import Persona, personas
from governance.settings import Settings

_log = logging.getLogger(__name__)
_OUT_OF_ORDER = "Gatebook is out of order; its log says why. 系统故障，详情见日志。"
_ROLES = {
    AppRole.SECURITY_MANAGER: (
        "Security manager 安全负责人",
        "sees every account, opens and closes reviews 查看全部账号，发起并关闭审阅",
    ),
    AppRole.REVIEWER: ("Department head 部门负责人", ""),
    AppRole.AUDITOR: (
        "Auditor 审计员",
        "reads everything, changes nothing 可查看全部内容，不可修改",
    ),
    AppRole.OPERATOR: ("Operator 运维人员", ""),
}


async def show(request: Request) -> Response:
    """Show who one may be; without a demo, say that nobody can sign in yet."""
    return await run_in_threadpool(_show, request)


async def choose(request: Request) -> Response:
    """Start a session as the chosen persona, in place of any session before it."""
    try:
        form = await forms.small_form(request)
    except forms.TooLargeError:
        return _refused(413)
    if not forms.is_own_form(request, form.get(forms.FORM_FIELD, "")):
        return _refused(403)
    return await run_in_threadpool(_choose, request, form.get("persona", ""))


def _show(request: Request) -> Response:
    try:
        settings = Settings.read()
        people = personas(settings) if _is_demo_here(request, settings) else ()
    except GovernanceError as error:
        _log.exception("the sign-in page cannot be shown")
        # Where somebody is not at the machine itself, the log alone says what is wrong.
        told = escape(str(error)) if origins.is_local(request) else _OUT_OF_ORDER
        return _page("", f'<div class="alert">{told}</div>', 503)
    if not people:
        return _page(settings.organisation, _NOT_SET_UP)
    cookie = request.cookies.get(forms.FORM_COOKIE) or forms.new_form_cookie()
    choices = "".join(_choice(person) for person in people)
    answer = _page(
        settings.organisation,
        "<h2>Demo: choose who you are 演示：请选择身份</h2>"
        '<p class="quiet">An invented company. Each person sees only what their role '
        "and departments allow.<br>"
        "虚构公司，每个身份只能看到其角色和部门范围内的数据。</p>"
        f'<form method="post" action="/sign-in">'
        f'<input type="hidden" name="{forms.FORM_FIELD}" '
        f'value="{forms.form_token(cookie)}">{choices}</form>',
    )
    answer.set_cookie(
        forms.FORM_COOKIE,
        cookie,
        httponly=True,
        samesite="strict",
        secure=origins.is_secure(request),
        path="/sign-in",
    )
    return answer


def _choose(request: Request, wanted: str) -> Response:
    try:
        settings = Settings.read()
        people = personas(settings) if _is_demo_here(request, settings) else ()
    except GovernanceError:
        return _refused(403)
    chosen = {person.actor.actor_id: person.actor for person in people}.get(wanted)
    if chosen is None:
        return _refused(403)
    SESSIONS.end(token_in(request.cookies))
    token = SESSIONS.start(chosen, datetime.now(UTC))
    is_secure = origins.is_secure(request)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        SECURE_COOKIE if is_secure else COOKIE,
        token,
        httponly=True,
        samesite="lax",
        secure=is_secure,
        path="/",
    )
    return answer


def _is_demo_here(request: Request, settings: Settings) -> bool:
    return settings.demo and origins.is_local(request)


_NOT_SET_UP = (
    '<div class="alert"><strong>Sign-in is not set up in this installation.</strong> '
    "Nobody can get in until local users or a directory are configured.<br>"
    "<strong>本系统尚未配置登录方式。</strong>配置本地用户或企业目录之前，任何人都无法进入。"
    "</div>"
)


def _choice(person: Persona) -> str:
    role, about = _ROLES[person.actor.role]
    name = "" if person.department_name is None else f"{escape(person.actor.name)} · "
    if person.department_name is not None:
        about = escape(person.department_name)
    figures = (
        ""
        if person.account_count is None
        else f"{person.account_count:,} accounts 账号 · "
        f"{person.finding_count or 0:,} findings 发现"
    )
    return (
        '<button class="choice" name="persona" '
        f'value="{escape(person.actor.actor_id)}">'
        f"<span><strong>{name}{escape(role)}</strong>"
        f'<span class="quiet">{about}</span></span>'
        f'<span class="figures">{figures}</span></button>'
    )


def _page(organisation: str, content: str, status: int = 200) -> Response:
    return sheet(
        "Gatebook 权鉴",
        f"<h1>{escape(' · '.join(filter(None, ('Gatebook 权鉴', organisation))))}</h1>"
        '<p class="motto">Who holds which key, and who signed for it. '
        "谁持有哪把钥匙，由谁签字确认。</p>"
        f'<div class="sheet">{content}</div>',
        language="en",
        status=status,
    )


def _refused(status: int) -> Response:
    return _page(
        "",
        '<div class="alert">This form is not valid any more. '
        "该表单已失效。</div><p><a href='/sign-in'>Start again 重新开始</a></p>",
        status,
    )
