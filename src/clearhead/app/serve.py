"""Serve a run to a browser on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import socket
import warnings
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from clearhead.app.application import create_app
from clearhead.app.gate import Gate, Keys, is_loopback
from clearhead.app.jobs import Jobs
from clearhead.app.session import Session
from clearhead.errors import InputError, MissingDependencyError
from clearhead.run import Run, open_run

if TYPE_CHECKING:
    import uvicorn

__all__ = ["Server", "serve"]

SHORTEST_TOKEN = 16
"""Characters of a token that a person chose: shorter ones can be guessed over a network."""


class Server:
    """A run, about to be served; :meth:`run` serves it until it is stopped.

    Parameters
    ----------
    run : Run or path
    host : str
        Address to listen on.
    port : int
        0 takes a free one.
    token : str, optional
        The key; a random one by default, which only this machine's own addresses may have.
    compare : Run or path, optional
        Another run of the same data, to show beside it.

    Raises
    ------
    InputError
        The port is in use, or `host` can be reached from other machines and there is no `token`.
    MissingDependencyError
        The extra ``app`` is not installed.
    """

    def __init__(
        self,
        run: Run | Path | str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        compare: Run | Path | str | None = None,
    ) -> None:
        _require_packages()
        _check(host, token)
        opened = _opened(run)
        opened.file.require("report")
        self._session = Session(opened, None if compare is None else _opened(compare))
        self._socket = _listen(host, port)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        self.keys = Keys() if token is None else Keys(token)
        self.jobs = Jobs()
        self._uvicorn: uvicorn.Server | None = None
        app = create_app(self._session, self.jobs)
        self.app = Gate(app, self.keys, host, self.port)

    @property
    def address(self) -> str:
        """Where the app is, with the token."""
        return f"{self._base}/?token={self.keys.token}"

    @property
    def _base(self) -> str:
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.port}"

    def open_browser(self) -> bool:
        """Open a browser at the app; tells whether there is one."""
        with contextlib.suppress(webbrowser.Error):
            return webbrowser.open(f"{self._base}/?ticket={self.keys.ticket()}")
        return False

    def run(self, on_ready: Callable[[Server], None] | None = None) -> None:
        """Serve until Ctrl-C; work that has begun is cancelled then, and resumes when asked again.

        Parameters
        ----------
        on_ready : callable, optional
            Called once when a browser can connect.
        """
        self._uvicorn = server = self._server()
        self._session.prepare()

        async def main() -> None:
            serving = asyncio.ensure_future(server.serve(sockets=[self._socket]))
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            if on_ready is not None and not serving.done():
                on_ready(self)
            stopping = asyncio.ensure_future(self._stop_streams(server))
            try:
                await serving
            finally:
                stopping.cancel()

        # uvicorn ends in order at a signal, and raises it again when it is done.
        with contextlib.suppress(KeyboardInterrupt), contextlib.closing(self):
            asyncio.run(main())

    async def _stop_streams(self, server: uvicorn.Server) -> None:
        """End event streams when the server is told to stop; it would wait for them."""
        while not server.should_exit:
            await asyncio.sleep(0.05)
        self.jobs.closed = True

    def stop(self) -> None:
        """End :meth:`run` from another thread."""
        if self._uvicorn is not None:
            self._uvicorn.should_exit = True

    def close(self) -> None:
        """Cancel what is being worked on, and free the port."""
        self.jobs.close()
        self._socket.close()

    def _server(self) -> uvicorn.Server:
        import uvicorn

        return uvicorn.Server(
            uvicorn.Config(
                self.app,
                log_level="warning",
                access_log=False,  # the first address holds the token
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                limit_concurrency=128,
                timeout_graceful_shutdown=2,
            )
        )


def serve(
    run: Run | Path | str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    compare: Run | Path | str | None = None,
    open_browser: bool = True,
    on_ready: Callable[[Server], None] | None = None,
) -> None:
    """Serve a run to a browser; returns when Ctrl-C is pressed.

    Parameters
    ----------
    run : Run or path
        A run with everything done: ``clearhead run``.
    host : str
        Address to listen on. Others than this machine's own demand a `token`.
    port : int
        0 takes a free one.
    token : str, optional
        The key to the app; a random one by default.
    compare : Run or path, optional
        Another run of the same data, to show beside it.
    open_browser : bool
    on_ready : callable, optional
        Called with the :class:`Server` when a browser can connect.

    Raises
    ------
    InputError
        The port is in use, or other machines could connect and there is no `token`.
    MissingDependencyError
        The extra ``app`` is not installed.
    StorageError
        There is a link in the run directory that leads out of it.
    """

    def ready(server: Server) -> None:
        if on_ready is not None:
            on_ready(server)
        if open_browser:
            server.open_browser()

    Server(run, host=host, port=port, token=token, compare=compare).run(ready)


def _require_packages() -> None:
    try:
        import starlette
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "The app needs starlette and uvicorn: pip install 'clearhead[app]'. "
            "`clearhead report` writes the same screens as one file without them."
        ) from error
    del starlette


def _check(host: str, token: str | None) -> None:
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise InputError(
            f"token: expected at least {SHORTEST_TOKEN} characters that cannot be guessed; leave "
            "it out to have one made."
        )
    # It stands in an address and in a cookie, where other characters mean something.
    if token is not None and re.fullmatch(r"[A-Za-z0-9_.~-]*", token) is None:
        raise InputError("token: use letters, digits and -_.~ only.")
    if is_loopback(host):
        return
    if token is None:
        raise InputError(
            f"host: other machines can reach {host}, so choose the key yourself: --token with at "
            f"least {SHORTEST_TOKEN} characters. For this machine alone leave --host out; from "
            "another one, `ssh -L 8000:127.0.0.1:8000` is safer."
        )
    warnings.warn(
        f"Whoever reaches {host} and knows the token can read this run, change it, and use the "
        "network and the computing time of this machine. The connection is not encrypted: the "
        "token can be read on the way.",
        stacklevel=3,
    )


def _opened(run: Run | Path | str) -> Run:
    return run if isinstance(run, Run) else open_run(run)


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise InputError(f"port: expected 0 (a free one) to 65535, got {port}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"port: {port} is in use on {host}, perhaps by another clearhead serve. Choose "
                "another, or leave --port out for a free one."
            ) from error
        raise InputError(f"host: cannot listen on {host}:{port}: {error.strerror}.") from error
    return listener
