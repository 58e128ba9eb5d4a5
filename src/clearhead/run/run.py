"""A run: its steps, and what is done with what they found."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from clearhead._files import checksum
from clearhead._types import SPLITS
from clearhead.debug import Errors, explain_errors
from clearhead.debug.texts import WordCounterfactuals
from clearhead.errors import InputError
from clearhead.events import Event, EventCallback, emit
from clearhead.layer import (
    DecisionLayer,
    Edit,
    Rule,
)
from clearhead.layer.edit import class_indices
from clearhead.report import write_html, written_report
from clearhead.run.choices import check_choice
from clearhead.run.directory import RunFile
from clearhead.run.edit_result import EditResult
from clearhead.run.editing import edit_run, requested
from clearhead.run.explaining import EffortName
from clearhead.run.flipping import Flip, exchange_words, flip
from clearhead.run.notes import Mark, change_notes
from clearhead.run.steps import RunSteps

__all__ = ["Run", "open_run"]

ANALYSIS: Mapping[str, tuple[int, int]] = {"default": (10, 20), "full": (50, 10**6)}
"""Resamples, and features left out one at a time, of a run's analysis of its layer."""


class Run(RunSteps):
    """A run directory, and the steps that fill it.

    Make one with :func:`new_run`, open one with :func:`open_run`. Each step reads what
    the one before wrote, is skipped when that and its options have not changed, and can
    be interrupted at any moment: the same call goes on from there.

    Parameters
    ----------
    file : RunFile
        What has been computed so far.
    on_event : callable, optional
        Told about progress, warnings and skipped steps.
    """

    def reopened(self, on_event: EventCallback | None = None) -> Run:
        """Read what has been computed by now; network and data stay open where they are.

        For a process that lives on while others, or other threads, change the run.
        """
        run = Run(RunFile.read(self.folder), on_event)
        for opened in ("network", "dataset"):
            if opened in self.__dict__:
                run.__dict__[opened] = self.__dict__[opened]
        return run

    def edit(self, *edits: Edit, dry_run: bool = False, **wanted: Any) -> EditResult:
        """Change the layer, measure what that does, and keep it as the ``"edited"`` layer.

        Starts from the layer as edited so far. Where the problem is changed (a ban, weights,
        examples), it is solved again with all such edits of the log, and proven optimal, at the
        same lam or at one that is chosen again (:class:`clearhead.layer.Lam`); edits of the
        layer itself (zero, scale, refit, calibrate) follow. The selected layer stays what it was:
        findings and report are of it.

        Parameters
        ----------
        *edits : Edit
        dry_run : bool
            Measure only, and write nothing.
        **wanted
            What to do, in the arguments of :func:`clearhead.run.editing.requested`: ``zero``,
            ``scale``, ``ban``, ``classes``, ``reweight``, ``counterexamples`` (with ``weight``,
            ``text_column``, ``image_column``, ``label_column``), ``finding``, ``file``,
            ``refit``, ``calibrate``, ``lam``.

        Raises
        ------
        InputError
            There is no such feature, class or finding, or nothing was asked for.
        """
        return edit_run(self, [*edits, *requested(self, **wanted)], dry_run=dry_run)

    def undo(self) -> DecisionLayer:
        """Take the last edit back; gives the layer that counts now."""
        return self.edit_log.undone().layer() or self.layer()

    def redo(self) -> DecisionLayer:
        """Do again the edit that was undone last; gives the layer that counts now."""
        return self.edit_log.redone().layer() or self.layer()

    def errors(self, split: str = "test", *, layer: str = "sparse") -> Errors:
        """Find the features to blame for the mistakes; see :func:`clearhead.debug.explain_errors`.

        Parameters
        ----------
        split : {"train", "validation", "test"}
        layer : {"sparse", "dense", "edited"}
            Whose mistakes.
        """
        return explain_errors(self.view(check_choice("split", split, SPLITS), layer=layer))

    def flip(self, example: str, to: str | None = None, *, layer: str = "sparse") -> Flip:
        """Find the smallest changes of one example, input and features, that flip its prediction.

        Parameters
        ----------
        example : str
            Its id.
        to : str, optional
            Class to flip to; any other if not given.
        layer : {"sparse", "dense", "edited"}
            Whose prediction.
        """
        return flip(self, example, to, layer=layer)

    def exchange_words(self, *, layer: str = "sparse") -> WordCounterfactuals:
        """Exchange words by the features' lists, and count the predictions that flip.

        For the features of the sparse layer, those of the dense one and random ones; see
        :func:`clearhead.debug.texts.word_counterfactuals`.

        Parameters
        ----------
        layer : {"sparse", "edited"}
            Which layer is the sparse one.
        """
        return exchange_words(self, layer=layer)

    def name_feature(self, feature: int, name: str | None, *, version: str | None = None) -> None:
        """Name a feature; the name is kept with the run, and wins over any suggested one.

        Parameters
        ----------
        feature : int
        name : str or None
            None takes a name that was given away.
        version : str, optional
            ``run.notes.version`` that this was decided on.

        Raises
        ------
        InputError
            There is no such feature, or the name is empty.
        ConflictError
            The notes have been changed since.
        """
        self._check_feature(feature)
        change_notes(self.folder, lambda notes: notes.named(feature, name), version)

    def mark_feature(
        self, feature: int, class_name: str, mark: Mark | None, *, version: str | None = None
    ) -> None:
        """Say what a feature is to a class; kept with the run.

        Parameters
        ----------
        feature : int
        class_name : str
        mark : {"core", "spurious", "unsure"} or None
            None takes a mark away.
        version : str, optional
            ``run.notes.version`` that this was decided on.

        Raises
        ------
        InputError
            There is no such feature, class or mark.
        ConflictError
            The notes have been changed since.
        """
        self._check_feature(feature)
        class_indices([class_name], self.store.class_names)
        change_notes(self.folder, lambda notes: notes.marked(feature, class_name, mark), version)

    def report(
        self, out: Path | str | None = None, *, compare: Run | None = None, force: bool = False
    ) -> Path:
        """Write the report, the app in one HTML file, or a folder above 20 MB; returns where.

        Parameters
        ----------
        out : path, optional
            ``report.html`` in the run by default.
        compare : Run, optional
            Another run of the same data, which the report shows beside this one.
        force : bool
            Write it though nothing has changed.
        """
        from clearhead.run.comparing import comparisons

        self.file.require("report")
        target = self.folder / "report.html" if out is None else Path(out)
        # Named only where there are some: reports that older versions made stay current.
        options: dict[str, Any] = {}
        if self.given_names:
            options["names"] = {str(key): name for key, name in sorted(self.given_names.items())}
        if self._analysis_file.is_file():
            options["analysis"] = checksum(self._analysis_file.read_bytes())
        if self.edit_log.done:
            options["edited"] = self.layer("edited").fingerprint
        if compare is not None:
            options["compare"] = compare.layer().fingerprint
        written = written_report(target)
        if out is None and self._is_current("report", options, force or written is None):
            return target if written is None else written
        started = time.perf_counter()
        data = self.app_data(comparisons(self, compare))
        if self.file.data["keep_examples"] and not any(e.text or e.image for e in data.examples):
            message = f"no example can be shown; clearhead explain {self.folder} --force finds them"
            emit(self.on_event, Event("report", "warning", message))
        written = write_html(data, target)
        if written != target:
            message = "it is too large for one file: a folder, which is opened by its index.html"
            emit(self.on_event, Event("report", "info", message))
        if out is None:
            self._finish("report", options, started)
        emit(self.on_event, Event("report", "end", str(written)))
        return written

    def all(
        self,
        *,
        batch_size: int | Literal["auto"] | None = None,
        strict: bool = False,
        repair: bool = False,
        rule: Rule | str | None = None,
        effort: EffortName = "default",
        force: bool = False,
        **fit_options: Any,
    ) -> Path:
        """Do every step that is not done; returns where the report is.

        `batch_size`, `strict` and `repair` go to :meth:`extract`, `rule` to
        :meth:`select`, `effort` to :meth:`explain`, other options to :meth:`fit`. `force`
        does every step again.
        """
        self.extract(batch_size=batch_size, strict=strict, repair=repair, force=force)
        self.fit(force=force, **fit_options)
        self.select(rule)
        self.explain(effort=effort)
        if effort != "quick":
            try:
                self.analyze(n_resamples=ANALYSIS[effort][0], n_tried=ANALYSIS[effort][1])
            except InputError as error:  # ridge, say: nothing can be left out of it
                message = f"the layer as a whole was not analyzed: {error}"
                emit(self.on_event, Event("analyze", "warning", message))
        self.debug(effort=effort)
        return self.report()

    def _check_feature(self, feature: int) -> None:
        if not 0 <= feature < self.store.p:
            raise InputError(f"feature {feature}: the run has features 0 to {self.store.p - 1}.")


def open_run(folder: Path | str, on_event: EventCallback | None = None) -> Run:
    """Open a run directory.

    Raises
    ------
    StorageError
        It is none, it is damaged, or a newer clearhead made it.
    """
    return Run(RunFile.read(Path(folder)), on_event)
