"""A run in a notebook cell that can be changed there: the app, asking the kernel."""

from __future__ import annotations

import secrets
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from clearhead.app.application import create_app
from clearhead.app.asgi import Caller
from clearhead.app.jobs import Jobs
from clearhead.app.session import Session
from clearhead.errors import MissingDependencyError
from clearhead.report.html import render_html
from clearhead.report.notebook import HEIGHT, notebook_html
from clearhead.run import Run, open_run

__all__ = ["widget"]


def widget(run: Run | Path | str, *, height: int = HEIGHT) -> Any:
    """Show a run in a notebook cell, where it can be named, marked, edited and solved again.

    A run alone in a cell shows the same page, for reading; so does this one where no kernel
    answers: in a converted notebook, say.

    Parameters
    ----------
    run : Run or path
        A run with everything done: ``clearhead run``.
    height : int
        Pixels.

    Returns
    -------
    anywidget.AnyWidget

    Raises
    ------
    MissingDependencyError
        The extra ``notebook`` is not installed.
    StepMissingError
        The run has no report yet.
    StorageError
        There is a link in the run directory that leads out of it.
    """
    made = _widget_class()
    opened = run if isinstance(run, Run) else open_run(run)
    opened.file.require("report")
    return made(opened, height)


@cache
def _widget_class() -> Any:
    try:
        import anywidget
        import starlette  # noqa: F401
        import traitlets
    except ImportError as error:
        raise MissingDependencyError(
            "A run that can be changed in a notebook needs anywidget and starlette: "
            "pip install 'clearhead[notebook]'. A run alone in a cell shows the same page, for "
            "reading."
        ) from error

    class RunWidget(anywidget.AnyWidget):
        """The page in a frame; its questions are answered by the app in this process."""

        _esm = (files("clearhead.app") / "notebook.js").read_text(encoding="utf-8")
        page = traitlets.Unicode().tag(sync=True)
        title = traitlets.Unicode().tag(sync=True)
        height = traitlets.Int().tag(sync=True)
        token = traitlets.Unicode().tag(sync=True)

        def __init__(self, run: Run, height: int) -> None:
            data = run.app_data()
            super().__init__(
                page=render_html(data, host="notebook"),
                title=data.name,
                height=height,
                token=secrets.token_hex(8),
            )
            self._run = run
            self._jobs = Jobs()
            self._caller = Caller(create_app(Session(run), self._jobs), self.send)
            self.on_msg(self._asked)

        def _asked(self, _: Any, content: Any, __: Any) -> None:
            self._caller.ask(content)

        def _ipython_display_(self) -> None:
            """The widget, and below it the same page for those who read without a kernel.

            The widget shows itself, and takes the page away, once the kernel has answered it.
            """
            from IPython.display import publish_display_data

            # Of a widget alone a saved notebook shows nothing, and a converted one asks a CDN.
            bundle = super()._repr_mimebundle_()
            publish_display_data(bundle[0] if isinstance(bundle, tuple) else bundle)
            page = notebook_html(self._run.app_data(), "Run the cell again.", widget=self.token)
            publish_display_data({"text/html": page, "text/plain": self.title})

        def close(self) -> None:
            """Cancel what is being worked on."""
            self._jobs.close()
            self._caller.close()
            super().close()

    return RunWidget
