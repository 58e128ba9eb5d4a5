"""What earlier calls with the same network and options have explained already."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from clearhead._files import explain_os_errors, remove_temporaries
from clearhead._types import IntArray
from clearhead.errors import CorruptFileError, SchemaVersionError, StepMissingError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain.lime.explanation import LimeExplanation
from clearhead.explain.lime.files import load_explanations, save_explanations

__all__ = ["FLUSH_SECONDS", "Cache"]

FLUSH_SECONDS = 10.0
_NAME = "lime"
_PIECE = re.compile(r"lime-(\d+)\.json")


class Cache:
    """Explanations on disk: the finished file, and pieces of a call that is not finished.

    Parameters
    ----------
    folder : Path or None
        None keeps everything in memory.
    key : str
        Fingerprint of the network, the layer's standardisation and the options; what was
        made with others is not used.
    features : ndarray of shape (u,), int
    on_event : callable, optional
    """

    def __init__(
        self, folder: Path | None, key: str, features: IntArray, on_event: EventCallback | None
    ) -> None:
        self.folder, self.key, self.features, self.on_event = folder, key, features, on_event
        self._found: dict[str, tuple[str, LimeExplanation]] = {}
        self._unwritten: list[str] = []
        self._flushed = time.monotonic()
        self._to_merge = True
        if folder is not None:
            remove_temporaries(folder)
            self._read(folder)

    def get(self, example_id: str, digest: str) -> LimeExplanation | None:
        """Give the explanation of this example, if it is there and the example is the same."""
        known, explanation = self._found.get(example_id, ("", None))
        return explanation if known == digest else None

    def add(self, done: Mapping[str, tuple[str, LimeExplanation]]) -> None:
        """Take finished explanations (digest and explanation by id); write now and then."""
        self._found.update(done)
        self._unwritten += done
        self._to_merge = True
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is not yet on disk as one more piece."""
        self._flushed = time.monotonic()
        if self.folder is None or not self._unwritten:
            return
        taken = [int(number) for number, _ in self._pieces(self.folder)]
        self._write(f"{_NAME}-{max(taken, default=-1) + 1:05d}", self._unwritten)
        self._unwritten = []

    def finish(self, ids: Sequence[str]) -> None:
        """Write one file, `ids` first, then what earlier calls explained; remove the pieces."""
        if self.folder is None:
            return
        if self._to_merge:
            asked = set(ids)
            self._write(_NAME, [*ids, *(one for one in self._found if one not in asked)])
        self._unwritten = []
        self._remove_pieces(self.folder)

    def _write(self, name: str, ids: Sequence[str]) -> None:
        assert self.folder is not None
        extra = {"key": self.key, "digests": [self._found[one][0] for one in ids]}
        explanations = [self._found[one][1] for one in ids]
        save_explanations(self.folder, self.features, explanations, name=name, extra=extra)

    def _read(self, folder: Path) -> None:
        names = [path.stem for _, path in self._pieces(folder)]
        for name in (_NAME, *names):
            try:
                _, explanations, described = load_explanations(folder, name=name)
                digests = list(described.get("digests", ()))
            except StepMissingError:
                continue
            except (CorruptFileError, SchemaVersionError) as error:
                message = f"the cache is not used: {error}"
                emit(self.on_event, Event("explain", "warning", message))
                continue
            if described.get("key") != self.key or len(digests) != len(explanations):
                continue
            self._to_merge = name != _NAME
            for digest, one in zip(digests, explanations, strict=True):
                self._found[one.id] = (digest, one)
        if not self._found:
            self._remove_pieces(folder)  # of other options: they would be in the way

    @staticmethod
    def _pieces(folder: Path) -> list[tuple[str, Path]]:
        if not folder.is_dir():
            return []
        matches = ((_PIECE.fullmatch(path.name), path) for path in folder.iterdir())
        return sorted((match[1], path) for match, path in matches if match)

    def _remove_pieces(self, folder: Path) -> None:
        with explain_os_errors(folder):
            for _, path in self._pieces(folder):
                path.unlink()
                path.with_suffix(".safetensors").unlink(missing_ok=True)
