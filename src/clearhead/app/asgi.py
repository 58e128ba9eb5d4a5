"""Ask the app from the same process: for a notebook's kernel, which listens on no port."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import threading
from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["Caller"]

Reply = Callable[[dict[str, Any]], None]
METHODS = {"GET", "POST", "PUT"}
MOST_ASKED = 12 * 2**20


class Caller:
    """Answers questions that come as plain values, in a thread of its own.

    A question is ``{"id", "method", "path", "headers", "body"}``; the answers to it are
    ``{"id", "status", "headers"}`` once, then ``{"id", "chunk", "more"}``, where a chunk is base64.

    Parameters
    ----------
    app : ASGI application
    reply : callable
        Called with each answer, from the thread.
    """

    def __init__(self, app: Starlette, reply: Reply) -> None:
        self._app, self._reply = app, reply
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ask(self, question: object) -> None:
        """Answer a question soon; what is no question is dropped."""
        if _is_question(question):
            asyncio.run_coroutine_threadsafe(self._answer(question), self._loop)

    def close(self) -> None:
        """Answer nothing any more."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        open_still = asyncio.all_tasks(self._loop)  # streams of events
        for task in open_still:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*open_still, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _answer(self, question: Mapping[str, Any]) -> None:
        number, body = question["id"], str(question.get("body") or "").encode()
        headers = {str(k).lower(): str(v) for k, v in (question.get("headers") or {}).items()}
        path, _, query = question["path"].partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": question["method"],
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()],
            "server": ("notebook", None),
        }
        asked = asyncio.Event()

        async def receive() -> MutableMapping[str, Any]:
            if asked.is_set():  # nobody goes away before the kernel does
                await asyncio.Event().wait()
            asked.set()
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                found = {k.decode("latin-1"): v.decode("latin-1") for k, v in message["headers"]}
                self._reply({"id": number, "status": message["status"], "headers": found})
            else:
                chunk = base64.b64encode(message.get("body", b"")).decode()
                more = bool(message.get("more_body", False))
                self._reply({"id": number, "chunk": chunk, "more": more})

        with contextlib.suppress(UnicodeEncodeError):
            await self._app(scope, receive, send)


def _is_question(value: object) -> TypeGuard[Mapping[str, Any]]:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("id"), int)
        and value.get("method") in METHODS
        and isinstance(value.get("path"), str)
        and value["path"].startswith("/api/")
        and len(str(value.get("body") or "")) <= MOST_ASKED
    )
