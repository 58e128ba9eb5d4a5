"""Questions and answers as JSON: bodies within limits, errors that name what was wrong."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from clearhead.errors import (
    ClearheadError,
    ConflictError,
    InputError,
    MissingDependencyError,
    StepMissingError,
)
from clearhead.report.json_text import json_text

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = [
    "Answer",
    "RefusedError",
    "answer_error",
    "bytes_answer",
    "describe_error",
    "error_answer",
    "json_answer",
    "read_body",
]

MOST_BODY = 12 * 2**20
"""Bytes of a request: a photo of 8 MB as base64, and some."""

_LOG = logging.getLogger("clearhead.app")
_KINDS: tuple[tuple[type[ClearheadError], int, str], ...] = (
    (ConflictError, 412, "changed"),
    (StepMissingError, 409, "missing step"),
    (MissingDependencyError, 501, "missing package"),
    (InputError, 422, "input"),
    (ClearheadError, 500, "run"),
)

T = TypeVar("T")


class RefusedError(Exception):
    """A request that is answered with an error.

    Parameters
    ----------
    status : int
        Of HTTP.
    code : str
        For programs.
    message : str
        For people: what was wrong, where, and the mend.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Answer:
    """A finished answer: an ASGI application."""

    def __init__(self, status: int, kind: str, body: bytes, headers: dict[str, str]) -> None:
        self.status, self.body = status, body
        self.headers = {"content-type": kind, "content-length": str(len(body)), **headers}

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Send it."""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = b"" if scope.get("method") == "HEAD" else self.body
        await send({"type": "http.response.body", "body": body})


def bytes_answer(body: bytes, kind: str, **headers: str) -> Answer:
    """Answer with bytes of a media type; in names of headers ``_`` stands for ``-``."""
    return Answer(200, kind, body, {name.replace("_", "-"): v for name, v in headers.items()})


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """Answer with JSON; also where a page mistook it for HTML, nothing in it would be markup."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, "application/json", json_text(value).encode(), named)


def error_answer(status: int, code: str, message: str) -> Answer:
    """Answer with an error."""
    return json_answer({"error": {"code": code, "message": message}}, status)


def describe_error(error: BaseException) -> tuple[int, str, str]:
    """Status, code and message of what went wrong; of a defect of ours, only its kind."""
    if isinstance(error, RefusedError):
        return error.status, error.code, error.message
    for kind, status, code in _KINDS:
        if isinstance(error, kind):
            return status, code, " ".join([str(error), *getattr(error, "__notes__", [])])
    _LOG.error("A request or a job failed", exc_info=error)
    return (
        500,
        "defect",
        f"clearhead itself failed ({type(error).__name__}). The terminal where it was started "
        "says where: please report it.",
    )


def answer_error(error: BaseException) -> Answer:
    """Answer what went wrong."""
    return error_answer(*describe_error(error))


async def read_body(request: Request, shape: TypeAdapter[T]) -> T:
    """Read a JSON body of a shape, and no more of it than is allowed.

    Raises
    ------
    RefusedError
        It is too large, no JSON, or of another shape; the place is named.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(415, "type", "The body must be JSON: Content-Type: application/json.")
    size, parts = 0, []
    async for part in request.stream():
        size += len(part)
        if size > MOST_BODY:
            raise RefusedError(
                413, "size", f"The body is larger than {MOST_BODY // 2**20} MB. Send a smaller one."
            )
        parts.append(part)
    try:
        return shape.validate_json(b"".join(parts), strict=True)
    except ValidationError as error:
        raise RefusedError(422, "input", _first(error)) from error
    except (ValueError, RecursionError) as error:  # nested beyond what a parser holds
        raise RefusedError(422, "input", f"The body cannot be read: {error}.") from error


def _first(error: ValidationError) -> str:
    """Name where a body is wrong, and how; not what was in it."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    where = ".".join(str(part) for part in found[0]["loc"]) or "the body"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where}: {found[0]['msg']}{more}."
