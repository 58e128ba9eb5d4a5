"""One process at a time writes a folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from clearhead._files import explain_os_errors
from clearhead.errors import StorageError

__all__ = ["locked"]

_NAME = "lock"


@contextlib.contextmanager
def locked(folder: Path, *, name: str = _NAME, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a folder; another process that holds it is named, or waited for.

    The kernel lets go of the lock when its holder ends, however it ends, so a lock file
    that a killed process left behind is simply taken over.
    """
    path = folder / name
    with explain_os_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(path, wait=wait)
    try:
        with explain_os_errors(path):
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        # removed while still held: who waits for it sees that the name has gone
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _acquire(path: Path, *, wait: bool) -> int:
    how = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise StorageError(
                f"{path.parent} is being written by another process (pid {holder}). Wait until "
                "it has ended, or choose another folder with --out."
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
