"""The addresses of the app. See docs/design/app-server.md for the table of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from clearhead.app.answers import (
    Answer,
    RefusedError,
    answer_error,
    bytes_answer,
    error_answer,
    json_answer,
    read_body,
)
from clearhead.app.feed import feed
from clearhead.app.jobs import Jobs
from clearhead.app.page import asset, page
from clearhead.app.reading import example_cards
from clearhead.app.requests import (
    EXAMPLES,
    JOB,
    MARK,
    NAME,
    EditJob,
    JobWanted,
    SelectJob,
    StepJob,
    UndoJob,
)
from clearhead.app.session import EXPORTS, Session
from clearhead.app.tasks import check_version, edits_state, title_of, work_of
from clearhead.run import Run
from clearhead.run.notes import Notes

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

__all__ = ["create_app"]

JSON = "application/json"


def create_app(session: Session, jobs: Jobs) -> Starlette:
    """Put the app together; :class:`clearhead.app.gate.Gate` goes before it.

    Parameters
    ----------
    session : Session
    jobs : Jobs
    """
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    views = _Views(session, jobs)
    routes = [
        Route("/", _reading(lambda _: page())),
        Route("/{name:str}", _reading(lambda request: asset(request.path_params["name"]))),
        Route("/api/app.json", _reading(views.run)),
        Route("/api/compare", _reading(views.compare)),
        Route("/api/state", _reading(views.state)),
        Route("/api/events", views.events),
        Route("/api/examples", _guarded(views.examples), methods=["POST"]),
        Route("/api/notes", _reading(views.notes)),
        Route("/api/notes/{feature:int}/name", _guarded(views.name), methods=["PUT"]),
        Route("/api/notes/{feature:int}/mark", _guarded(views.mark), methods=["PUT"]),
        Route("/api/edits", _reading(views.edits)),
        Route("/api/jobs", _reading(views.jobs)),
        Route("/api/jobs", _guarded(views.start), methods=["POST"]),
        Route("/api/jobs/{number:int}", _reading(views.job)),
        Route("/api/jobs/{number:int}/cancel", _guarded(views.cancel), methods=["POST"]),
        Route("/api/exports/{name:str}", _reading(views.export)),
    ]
    handlers: Any = {HTTPException: _unknown}
    return Starlette(routes=routes, exception_handlers=handlers)


class _Views:
    """Answers; those that read are called in threads of their own, many at a time."""

    def __init__(self, session: Session, jobs: Jobs) -> None:
        self._session, self._jobs = session, jobs

    def run(self, _: Request) -> Answer:
        held = self._session.snapshot()
        return bytes_answer(held.body, JSON, etag=f'"{held.version}"')

    def compare(self, _: Request) -> Answer:
        held = self._session.compared()
        return bytes_answer(held.body, JSON, etag=f'"{held.version}"')

    def state(self, _: Request) -> Answer:
        run = self._session.run()
        return json_answer(
            {
                "name": run.name,
                "version": self._session.version,
                "parts": self._session.versions,
                "steps": list(run.file.steps),
                "modality": run.file.model["modality"],
                # Opening the network runs the code that this names.
                "network": run.file.model["spec"],
                "keeps_examples": run.file.data["keep_examples"],
                "busy": self._jobs.busy,
            }
        )

    async def events(self, _: Request) -> Any:
        from starlette.responses import StreamingResponse

        return StreamingResponse(feed(self._jobs, self._session), media_type="text/event-stream")

    async def examples(self, request: Request) -> Answer:
        from starlette.concurrency import run_in_threadpool

        wanted = await read_body(request, EXAMPLES)
        run = self._session.run()
        return json_answer(await run_in_threadpool(example_cards, run, wanted.keys))

    def notes(self, _: Request) -> Answer:
        return _notes_answer(self._session.run().notes)

    async def name(self, request: Request) -> Answer:
        version, wanted = _if_match(request), await read_body(request, NAME)
        feature = request.path_params["feature"]
        return await self._noted(
            lambda run: run.name_feature(feature, wanted.name, version=version)
        )

    async def mark(self, request: Request) -> Answer:
        version, wanted = _if_match(request), await read_body(request, MARK)
        feature = request.path_params["feature"]
        return await self._noted(
            lambda run: run.mark_feature(feature, wanted.class_name, wanted.mark, version=version)
        )

    async def _noted(self, change: Callable[[Run], None]) -> Answer:
        from starlette.concurrency import run_in_threadpool

        run = self._session.run()
        await run_in_threadpool(change, run)
        return _notes_answer(run.notes)

    def edits(self, _: Request) -> Answer:
        return json_answer(edits_state(self._session.run()))

    def jobs(self, _: Request) -> Answer:
        return json_answer([job.to_dict(whole=False) for job in self._jobs.all()])

    def job(self, request: Request) -> Answer:
        return json_answer(self._jobs.get(request.path_params["number"]).to_dict())

    async def start(self, request: Request) -> Answer:
        from starlette.concurrency import run_in_threadpool

        wanted = await read_body(request, JOB)
        return await run_in_threadpool(self._start, wanted)

    def _start(self, wanted: JobWanted) -> Answer:
        if isinstance(wanted, EditJob | UndoJob):
            # Said at once where it is known already; the job looks again when its turn comes.
            check_version(self._session.run(), wanted.version)
        if isinstance(wanted, SelectJob | StepJob):
            self._session.snapshot()  # what is shown while the step rewrites it
        job = self._jobs.add(wanted.kind, title_of(wanted), work_of(self._session, wanted))
        return json_answer(job.to_dict(), 202)

    async def cancel(self, request: Request) -> Answer:
        return json_answer(self._jobs.cancel(request.path_params["number"]).to_dict(whole=False))

    def export(self, request: Request) -> Answer:
        folder = self._session.folder / EXPORTS
        name = request.path_params["name"]
        # Looked up among what is there, and never put together from what was asked.
        held = [*folder.glob("*.zip"), *folder.glob("study-*.html")]
        found = [p for p in held if p.name == name and not p.is_symlink()]
        if not found:
            raise RefusedError(404, "export", "There is no such export: make it first.")
        # A page of ours is handed over as a file, and never shown as one of this origin.
        kind = "application/zip" if name.endswith(".zip") else "application/octet-stream"
        disposition = f'attachment; filename="{found[0].name}"'
        return bytes_answer(found[0].read_bytes(), kind, content_disposition=disposition)


def _if_match(request: Request) -> str:
    version = request.headers.get("if-match", "").strip().strip('"')
    if not version:
        raise RefusedError(
            428,
            "version",
            "Send the ETag of the notes as If-Match: so no tab undoes another's change.",
        )
    return version


def _notes_answer(notes: Notes) -> Answer:
    value = {
        "version": notes.version,
        "features": {
            str(feature): {"name": one.name, "marks": dict(one.marks)}
            for feature, one in sorted(notes.features.items())
        },
    }
    return json_answer(value, etag=f'"{notes.version}"')


def _reading(view: Callable[[Request], Answer]) -> Callable[[Request], Awaitable[Answer]]:
    """Call a view in a thread, so that one that computes holds up no other."""

    async def endpoint(request: Request) -> Answer:
        from starlette.concurrency import run_in_threadpool

        try:
            return await run_in_threadpool(view, request)
        except Exception as error:
            return answer_error(error)

    return endpoint


def _guarded(
    view: Callable[[Request], Awaitable[Answer]],
) -> Callable[[Request], Awaitable[Answer]]:
    async def endpoint(request: Request) -> Answer:
        try:
            return await view(request)
        except Exception as error:
            return answer_error(error)

    return endpoint


async def _unknown(_: Request, error: Any) -> Answer:
    words = {
        404: "There is nothing at this address.",
        405: "This address does not take this method.",
    }
    message = words.get(error.status_code, "This request cannot be answered.")
    return error_answer(error.status_code, "address", message)
