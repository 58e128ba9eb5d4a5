"""Who may ask, and what every answer tells the browser: the app's one door.

The token is the key. Whoever has it may read and change the run and start work on it, so it
travels in an address once, is then kept in a cookie that no script can read, and every request
is refused that another page could have made a browser send. See docs/design/app-server.md.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from clearhead.app.answers import error_answer

__all__ = ["Gate", "Keys", "is_loopback"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

READING = {"GET", "HEAD"}
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""On every answer; a page sets a content security policy of its own."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass
class Keys:
    """The token, and tickets that open the door once.

    A browser is opened with a ticket in its address and not with the token, since every user of
    a machine can read the arguments of its programs.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    _tickets: set[str] = field(default_factory=set, repr=False)

    def ticket(self) -> str:
        """Make a key that works once."""
        made = secrets.token_urlsafe(32)
        self._tickets.add(made)
        return made

    def opens(self, given: str | None) -> bool:
        """Whether `given` is the token."""
        # Compared as bytes: str of other than ASCII would raise.
        return given is not None and hmac.compare_digest(given.encode(), self.token.encode())

    def redeem(self, ticket: str | None) -> bool:
        """Whether `ticket` is one that was not used yet; it is used now."""
        known = ticket is not None and ticket in self._tickets
        if known:
            self._tickets.discard(str(ticket))
        return known


class Gate:
    """Checks each request before the app sees it, and adds the headers of each answer.

    Parameters
    ----------
    app : ASGI application
    keys : Keys
    host : str
        The address that is listened on.
    port : int
        Names the cookie, which a browser sends to all ports of a host.
    """

    def __init__(self, app: App, keys: Keys, host: str, port: int) -> None:
        self.app, self.keys = app, keys
        self.cookie = f"clearhead-{port}"
        self._names = {"localhost", host.lower()}
        self._open_to_all = not is_loopback(host)
        if self._open_to_all:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = _Headers(scope["headers"])
        send = _with_headers(send)
        refused = self._refusal(scope, headers)
        if refused is not None:
            await error_answer(*refused)(scope, receive, send)
        elif (entered := self._entering(scope)) is not None:
            await self._welcome(entered, scope, receive, send)
        elif not self._knows(headers):
            await error_answer(
                401,
                "token",
                "This needs the token: open the address that clearhead serve printed, which ends "
                "in ?token=…; a program sends it as the header Authorization: Bearer ….",
            )(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: _Headers) -> tuple[int, str, str] | None:
        """Why a request is refused whoever sent it; None if it is not."""
        host = headers.get("host")
        if host is None or not self._is_own(host):
            return (
                400,
                "host",
                "The Host of this request is not an address of this server: another name may "
                "have been pointed at it. Open it as clearhead serve printed it.",
            )
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "origin", "This request comes from a page of another origin."
        reading = scope["method"] in READING
        entering = reading and scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
        # A link to the app may stand anywhere; nothing else of another page may ask anything.
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not entering:
            return 403, "origin", "This request comes from a page of another origin."
        # Every browser says where a change comes from; a program shows the token itself.
        if not reading and origin is None and not self._bears_token(headers):
            return 403, "origin", "A change needs the header Origin, or Authorization: Bearer …."
        return None

    def _is_own(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names or is_loopback(name):
            return True
        try:  # A name can be pointed anywhere, an address cannot.
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._open_to_all

    def _entering(self, scope: Scope) -> bool | None:
        """Whether an address with a key in it opens; None where there is no key in it."""
        if scope["path"] != "/" or scope["method"] not in READING:
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if "token" not in query and "ticket" not in query:
            return None
        return self.keys.opens(query.get("token")) or self.keys.redeem(query.get("ticket"))

    async def _welcome(self, right: bool, scope: Scope, receive: Receive, send: Send) -> None:
        """Move the key from the address into a cookie."""
        if not right:
            answer = error_answer(
                401,
                "token",
                "The token in this address is not, or no longer, that of this server. Open the "
                "address that clearhead serve printed when it was started last.",
            )
            await answer(scope, receive, send)
            return
        cookie = f"{self.cookie}={self.keys.token}; HttpOnly; SameSite=Strict; Path=/"
        await send(
            {
                "type": "http.response.start",
                "status": 303,
                "headers": [
                    (b"location", b"/"),
                    (b"set-cookie", cookie.encode("latin-1")),
                    (b"content-length", b"0"),
                ],
            }
        )
        await send({"type": "http.response.body", "body": b""})

    def _knows(self, headers: _Headers) -> bool:
        return self._bears_token(headers) or self.keys.opens(headers.cookie(self.cookie))

    def _bears_token(self, headers: _Headers) -> bool:
        scheme, _, given = (headers.get("authorization") or "").partition(" ")
        return scheme.lower() == "bearer" and self.keys.opens(given.strip())


class _Headers:
    """Headers of a request; one that is given twice counts as wrong, not as either."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._found: dict[str, str] = {}
        for name, value in raw:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            self._found[key] = f"{self._found[key]}, {text}" if key in self._found else text

    def get(self, name: str) -> str | None:
        return self._found.get(name)

    def cookie(self, name: str) -> str | None:
        try:
            found = SimpleCookie(self._found.get("cookie", "")).get(name)
        except CookieError:
            return None
        return None if found is None else found.value


def _with_headers(send: Send) -> Send:
    """Add the headers that every answer has and that it did not set itself."""

    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            held: Mapping[bytes, bytes] = dict(message.get("headers", []))
            more = [
                (name.encode(), value.encode())
                for name, value in HEADERS.items()
                if name.encode() not in held
            ]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return sending
