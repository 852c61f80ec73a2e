"""`login` and `logout`: a token or a password once, then a cookie."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from perijove_gateway_http import pages
from perijove_gateway_http.bodies import read_form
from perijove_gateway_http.identity.users import Caller, User
from perijove_gateway_http.keys import AUTH, CALLER, FLOW, ORIGINS, SETTINGS
from perijove_gateway_http.problems import Problem
from perijove_gateway_http.responses import html_response, page_response, redirect
from perijove_gateway_http.routing import Guard, Route

if TYPE_CHECKING:
    from aiohttp import web

_FORM = """<h1>Log in</h1>
{message}<form action="{action}" method="post">
<input type="hidden" name="_xsrf" value="{xsrf}">
<p><label for="password_input">{what}</label>
<input type="password" name="password" id="password_input" autofocus
  autocomplete="current-password">
<button type="submit" id="login_submit">Log in</button></p>
{more}</form>
{elsewhere}{hint}"""

_CHANGE = """<details>
<summary>Set a new password</summary>
<p><label for="new_password_input">New password</label>
<input type="password" name="new_password" id="new_password_input" autocomplete="new-password">
<button type="submit" id="password_submit">Set it and log in</button></p>
<p class="aside">It ends every login there is.</p>
</details>
"""

_HINT = (
    '<p class="aside">The token is in the address that was printed when the server started.</p>\n'
)

_ELSEWHERE = '<p><a href="{address}" id="elsewhere">Log in with {name}</a></p>\n'

_LOGGED_OUT = """<h1>Successfully logged out.</h1>
<p><a href="{login}">Log in again</a></p>
"""


async def get_form(request: web.Request) -> web.Response:
    """GET login: the form, or on to `next` for who is logged in."""
    if request[CALLER]:
        return redirect(safe_next(request, _asked_next(request, {})))
    auth = request.app[AUTH]
    if auth.provider and not (auth.has_token or auth.passwords.stored):
        return redirect(_way_elsewhere(request))
    return _form(request, 200, "")


async def log_in(request: web.Request) -> web.Response:
    """POST login: leave the cookie and go on to `next`, or show the form again.

    With `new_password` the password is changed first, which ends all other logins.
    """
    form = await read_form(request)
    auth = request.app[AUTH]
    known = request[CALLER]
    if auth.needs_credential and not await auth.is_secret(form.get("password", "")):
        request[CALLER] = None
        return _form(request, 401, "Invalid credentials")
    if new := form.get("new_password"):
        try:
            await auth.passwords.change(new)
        except Problem as problem:
            return _form(request, problem.status, problem.message)
    user = known.user if known and not known.is_named else User.anonymous()
    request[CALLER] = Caller(user, by_token=False, is_new=True)
    return redirect(safe_next(request, _asked_next(request, form)))


async def log_out(request: web.Request) -> web.Response:
    """GET logout: end the login, and go on to where that of another site ends."""
    login = html.escape(request.app[SETTINGS].base_url + "login")
    response = html_response(pages.page("Logged out", _LOGGED_OUT.format(login=login)))
    auth, flow = request.app[AUTH], request.app[FLOW]
    hint = flow.hint(request)
    if auth.provider and (where := await auth.provider.after_logout(request, hint)):
        response = redirect(where)
        response.headers["Cache-Control"] = "no-store"
    if hint:
        response.headers.add("Set-Cookie", flow.forget_hint(request))
    request[CALLER] = None
    if not auth.brings_cookie(request):  # one that it brings is taken away anyway
        response.headers.add("Set-Cookie", auth.cookies.logout(request))
    return response


def _way_elsewhere(request: web.Request) -> str:
    asked = _asked_next(request, {})
    return f"{request.app[SETTINGS].base_url}oauth_login?next={quote(asked, safe='')}"


def _elsewhere(request: web.Request) -> str:
    provider = request.app[AUTH].provider
    if provider is None:
        return ""
    return _ELSEWHERE.format(
        address=html.escape(_way_elsewhere(request)), name=html.escape(provider.name)
    )


def safe_next(request: web.Request, asked: str) -> str:
    """Return where to go after the login: below the base URL, or to an allowed origin."""
    base = request.app[SETTINGS].base_url
    # Browsers take a backslash for a slash, and drop control characters.
    target = "".join(letter for letter in asked.replace("\\", "%5C") if letter > " ")
    target = quote(target, safe="/:?#[]@!$&'()*+,;=%~-._")
    try:
        parts = urlsplit(target)
    except ValueError:
        return base
    if parts.scheme or parts.netloc:
        origin = f"{parts.scheme}://{parts.netloc}"
        is_web = parts.scheme in ("http", "https") and bool(parts.netloc)
        return target if is_web and request.app[ORIGINS].allows(origin) else base
    is_below = (target + "/").startswith(base)
    return target if is_below and not target.startswith("//") else base


def _asked_next(request: web.Request, form: dict[str, str]) -> str:
    return request.query.get("next") or form.get("next") or request.app[SETTINGS].base_url


def _form(request: web.Request, status: int, message: str) -> web.Response:
    asked = _asked_next(request, {})
    action = f"{request.app[SETTINGS].base_url}login?next={quote(asked, safe='')}"
    shown = f'<p role="alert">{html.escape(message)}</p>\n' if message else ""

    auth = request.app[AUTH]
    what = {
        (True, True): "Password or token",
        (True, False): "Token",
    }.get((auth.has_token, bool(auth.passwords.stored)), "Password")
    more = _CHANGE if auth.passwords.can_change else ""

    def page(xsrf: str) -> str:
        form = _FORM.format(
            message=shown,
            action=html.escape(action),
            xsrf=html.escape(xsrf),
            what=what,
            elsewhere=_elsewhere(request),
            more=more,
            hint=_HINT if auth.has_token else "",
        )
        return pages.page("Log in", form)

    return page_response(request, page, status)


ROUTES = (
    Route("GET", "login", get_form, Guard.PUBLIC),
    Route("POST", "login", log_in, Guard.PUBLIC),
    Route("GET", "logout", log_out, Guard.PUBLIC),
)
