"""The steps of a run: each reads what the one before wrote, and is skipped when it is current."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from clearhead._files import checksum, fingerprint, write_json
from clearhead._types import SPLITS, Targets
from clearhead.debug import Errors, Finding, explain_errors, find, read_terms, traits_of
from clearhead.debug.texts import WordCounterfactuals
from clearhead.errors import ClearheadError, InputError, StepMissingError
from clearhead.events import Event, EventCallback, emit
from clearhead.explain import ExampleIndex, Explained, index_examples
from clearhead.features import FeatureStore, PrecomputedFeatures, extract, keep_features
from clearhead.glm import Path as SparsePath
from clearhead.glm.checks import check_scalars
from clearhead.layer import (
    Best,
    DecisionLayer,
    Edit,
    LayerAnalysis,
    Rule,
    Sparsest,
    analyze,
    parse_rule,
)
from clearhead.layer.edit import class_indices
from clearhead.report import inner_bands, write_html, written_report
from clearhead.run.agreement import agree
from clearhead.run.choices import check_choice
from clearhead.run.debugging import inputs_of, train_of, write_diagnosis
from clearhead.run.directory import RunFile
from clearhead.run.edit_result import EditResult
from clearhead.run.editing import edit_run, requested
from clearhead.run.explaining import EFFORTS, EffortName, Explainer
from clearhead.run.fitting import (
    check_proven,
    fit_both,
    forget_checkpoints,
    targets_of,
    weighting,
)
from clearhead.run.flipping import Flip, exchange_words, flip
from clearhead.run.notes import Mark, change_notes
from clearhead.run.results import RunResults

__all__ = ["Run", "open_run"]

ANALYSIS: Mapping[str, tuple[int, int]] = {"default": (10, 20), "full": (50, 10**6)}
"""Resamples, and features left out one at a time, of a run's analysis of its layer."""


class Run(RunResults):
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

    def __init__(self, file: RunFile, on_event: EventCallback | None = None) -> None:
        super().__init__(file)
        self.on_event = on_event

    def reopened(self, on_event: EventCallback | None = None) -> Run:
        """Read what has been computed by now; network and data stay open where they are.

        For a process that lives on while others, or other threads, change the run.
        """
        run = Run(RunFile.read(self.folder), on_event)
        for opened in ("network", "dataset"):
            if opened in self.__dict__:
                run.__dict__[opened] = self.__dict__[opened]
        return run

    def extract(
        self,
        *,
        batch_size: int | Literal["auto"] | None = None,
        strict: bool = False,
        repair: bool = False,
        force: bool = False,
    ) -> FeatureStore:
        """Compute the deep features of every example; see :func:`clearhead.extract`.

        `strict` and `repair` look at a finished store too; `force` computes it again.
        """
        folder = self.folder / "features"
        # Batches change features by rounding only, so their size makes no other store.
        current = self._is_current("extract", {}, force)
        if current and not (strict or repair):
            return self.store
        started = time.perf_counter()
        if not current:
            self.file.begin("extract")
        if force:
            shutil.rmtree(folder, ignore_errors=True)
        self.__dict__.pop("store", None)
        if isinstance(self.network, PrecomputedFeatures):
            store = keep_features(self.network, self.dataset, folder, on_event=self.on_event)
            if not current:
                self._finish("extract", {}, started)
            return store
        store = extract(
            self.backbone,
            self.dataset,
            folder,
            batch_size=batch_size,
            strict=strict,
            repair=repair,
            on_event=self.on_event,
        )
        if not current:
            self._finish("extract", {}, started)
        return store

    def fit(
        self,
        *,
        l1_ratio: float = 0.99,
        n_lambdas: int = 100,
        lambda_min_ratio: float = 1e-3,
        tol: float = 1e-4,
        seed: int = 0,
        ban: Sequence[int] = (),
        balanced: bool = False,
        grouped: bool = False,
        targets: str = "labels",
        strict: bool = False,
        force: bool = False,
    ) -> SparsePath:
        """Fit the sparse path, and the ridge path that stands for a dense layer.

        Parameters
        ----------
        l1_ratio, n_lambdas, lambda_min_ratio, tol, seed
            As in :func:`clearhead.fit_path`.
        ban : sequence of int
            Features that no layer may use: their penalty factor is infinite.
        balanced : bool
            Weigh examples so that every class counts alike.
        grouped : bool
            Let a feature be in for all classes or for none.
        targets : {"labels", "predictions"}
            What to fit: the labels of the data, or the probabilities that the network
            itself predicts, which makes the layer a surrogate of it. Accuracy is always that
            on the labels; how far the layer agrees with the network is said either way.
        strict : bool
            A point that is not proven optimal is an error.
        force : bool
            Fit again though nothing has changed.
        """
        fitted_to = check_choice("targets", targets, get_args(Targets))
        options: dict[str, Any] = {
            "l1_ratio": l1_ratio,
            "n_lambdas": n_lambdas,
            "lambda_min_ratio": lambda_min_ratio,
            "tol": tol,
            "seed": seed,
            "ban": sorted({int(feature) for feature in ban}),
            "balanced": balanced,
        }
        # Named only where they are asked for: what older versions fitted stays current.
        if grouped:
            options["grouped"] = True
        if fitted_to != "labels":
            options["targets"] = fitted_to
        folder = self.folder / "path"
        check_scalars(
            family="auto",
            l1_ratio=l1_ratio,
            n_lambdas=n_lambdas,
            lambda_min_ratio=lambda_min_ratio,
            tol=tol,
            seed=seed,
        )
        if self._is_current("fit", options, force):
            path = self.path()
            if strict:
                check_proven(path, folder)
            return path
        started = time.perf_counter()
        weights = weighting(self.store, ban, balanced=balanced)
        grid = {
            "l1_ratio": l1_ratio,
            "n_lambdas": n_lambdas,
            "lambda_min_ratio": lambda_min_ratio,
            "grouped": grouped,
        }
        common = {**weights, **targets_of(self.store, fitted_to)}
        common |= {"tol": tol, "seed": seed, "strict": strict}
        paths = fit_both(self.store, folder, grid, common, self.on_event)
        self.file.begin("fit")
        for kind, path in paths.items():
            path.save(folder / kind)
        self._finish("fit", options, started)
        forget_checkpoints(folder)
        return paths["sparse"]

    def select(self, rule: Rule | str | None = None, *, force: bool = False) -> DecisionLayer:
        """Choose a point of the path; by default the sparsest within 5 points of the best.

        The dense layer to compare with is the best of the ridge path.
        """
        if rule is None:
            rule = Sparsest()
        elif isinstance(rule, str):
            rule = parse_rule(rule)
        options = {"rule": rule.describe()}
        if self._is_current("select", options, force):
            return self.layer()
        started = time.perf_counter()
        path, dense = self.path(), self.path("dense")
        index, layer = rule.index(path), path.select(rule)
        self.file.begin("select")
        layer.save(self.folder / "layer" / "sparse")
        dense_layer = dense.select(Best())
        dense_layer.save(self.folder / "layer" / "dense")
        chosen = {
            "rule": rule.describe(),
            "text": rule.text,
            "index": index,
            "dense_index": Best().index(dense),
            "agreement": agree(self.store, {"sparse": layer, "dense": dense_layer}),
        }
        write_json(self.folder / "layer" / "selection.json", chosen)
        self._finish("select", options, started)
        emit(self.on_event, Event("select", "end", f"point {index}: {layer!r}"))
        return layer

    def explain(
        self,
        *,
        k: int = 8,
        effort: EffortName = "default",
        seed: int = 0,
        force: bool = False,
    ) -> Explained:
        """Find what each used feature responds to.

        Always its most and least activating examples, from the training and validation
        splits; the test split is kept for judging. With more effort also what in them
        drives it (LIME), its words, pictures made to activate it, a name, and how far
        these tell where it fires. What a finished part computed is kept when the call is
        interrupted.

        Parameters
        ----------
        k : int
            Examples at each end of a feature.
        effort : {"quick", "default", "full"}
            ``"quick"`` finds examples only and needs no network; ``"full"`` lifts all
            budgets (:data:`clearhead.run.EFFORTS`).
        seed : int
            Of perturbations and pictures.
        force : bool
            Do it again though nothing has changed.
        """
        if k < 1:
            raise InputError(f"k: expected at least 1 example, got {k}.")
        options = {
            "k": k,
            "keep_examples": self.file.data["keep_examples"],
            "effort": check_choice("effort", effort, get_args(EffortName)),
            "seed": seed,
        }
        if self._is_current("explain", options, force):
            return self.explained
        started = time.perf_counter()
        layer, dense = self.layer(), self.layer("dense")
        shown = set(layer.used.tolist())
        for c in range(dense.n_classes):  # the dense layer's strongest, to look at beside ours
            shown.update(dense.top(c, 10).tolist())
        index = index_examples(self.store, layer, k=max(k, 16), seed=seed, on_event=self.on_event)
        self.file.begin("explain")
        folder = self.folder / "explain"
        index.save(folder / "index")
        found = [index.examples(feature, k) for feature in sorted(shown)]
        used = [f for f in found if f.feature in layer.used]
        between = [pair for f in used for band in inner_bands(f) for pair in band.examples]
        ends = [pair for f in found for pair in (*f.highest, *f.lowest)]
        self._keep([key for key, _ in (*ends, *between)])
        write_json(folder / "examples.json", [f.to_dict() for f in found])
        self._explain_further(index, effort, seed)
        self._finish("explain", options, started)
        emit(self.on_event, Event("explain", "end", f"{len(found)} features"))
        return self.explained

    def _explain_further(self, index: ExampleIndex, effort: EffortName, seed: int) -> None:
        """Explain with the network what more than examples tells."""
        if effort == "quick":
            return
        explainer = Explainer(
            self.folder / "explain",
            self.store,
            self.layer(),
            index,
            effort=EFFORTS[effort],
            seed=seed,
            keep_examples=self.file.data["keep_examples"],
            on_event=self.on_event,
        )
        backbone, dataset = None, None
        try:
            backbone, dataset = self.backbone, self.dataset
        except (ClearheadError, OSError) as error:
            explainer.note(f"Only examples and names were made, without the network: {error}")
            emit(self.on_event, Event("explain", "warning", explainer.notes[-1]))
        explainer.run(backbone, dataset)

    def analyze(
        self,
        *,
        n_resamples: int = 20,
        n_tried: int = 50,
        seed: int = 0,
        force: bool = False,
    ) -> LayerAnalysis:
        """Look at the layer as a whole; see :func:`clearhead.layer.analyze`.

        What is written belongs to the layers that are selected now, and is found again as
        long as they and the options are the same. No other step needs it.
        """
        self.file.require("explain")
        options = {"n_resamples": n_resamples, "n_tried": n_tried, "seed": seed}
        if not force:
            try:
                found = self.analysis
            except StepMissingError:
                pass
            else:
                if all(found.options.get(name) == value for name, value in options.items()):
                    emit(self.on_event, Event("analyze", "skip", "nothing has changed"))
                    return found
        fitted = self.file.steps["fit"].options
        store, y = self.store, targets_of(self.store, self.targets)
        result = analyze(
            self.layer(),
            self.layer("dense"),
            (store.matrix("train"), y.get("y", store.labels("train"))),
            (store.matrix("validation"), store.labels("validation")),
            **weighting(store, fitted.get("ban", ()), balanced=fitted.get("balanced", False)),
            grouped=fitted.get("grouped", False),
            n_resamples=n_resamples,
            n_tried=n_tried,
            seed=seed,
            on_event=self.on_event,
        )
        write_json(self._analysis_file, result.to_dict())
        return result

    def debug(
        self,
        *,
        effort: EffortName = "default",
        terms: Path | str | Sequence[str] | None = None,
        seed: int = 0,
        force: bool = False,
    ) -> list[Finding]:
        """Look for what may be wrong; see :func:`clearhead.debug.find`.

        Parameters
        ----------
        effort : {"quick", "default", "full"}
            ``"quick"`` looks at features only and needs no network; the others put suspected
            patterns into inputs and run the network on them.
        terms : path or sequence of str, optional
            Words for people that a text's class should not depend on, a file with one a line
            or the words themselves; the packaged list where None.
        seed : int
            Of every sample that is drawn.
        force : bool
            Do it again though nothing has changed.

        Returns
        -------
        list of Finding
            Ranked. :attr:`tested` and :attr:`debug_notes` say what was looked at besides.
        """
        options = {
            "keep_examples": self.file.data["keep_examples"],
            "effort": check_choice("effort", effort, get_args(EffortName)),
            "seed": seed,
        }
        listed = read_terms(terms)
        if terms is not None:
            options["terms"] = fingerprint([listed.terms, listed.groups, listed.controls])
            for warning in listed.warnings:
                emit(self.on_event, Event("debug", "warning", warning))
        if self._is_current("debug", options, force):
            return self.findings
        started = time.perf_counter()
        train, missing = train_of(self, **({"most": math.inf} if effort == "full" else {}))
        inputs, closed = inputs_of(self, seed) if effort != "quick" else (None, "")
        traits = None if inputs is None else traits_of(inputs)
        found = find(
            self.view("validation", traits),
            self.view("test", traits),
            train=train,
            inputs=inputs,
            effort="full" if effort == "full" else "default",
            terms=listed,
            on_event=self.on_event,
        )
        self.file.begin("debug")
        self._keep([i for f in found.findings for i in f.examples])
        write_diagnosis(self.folder, found, [note for note in (missing, closed) if note])
        self._finish("debug", options, started)
        return list(found.findings)

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
            ``scale``, ``ban``, ``classes``, ``reweight``, ``counterexamples``, ``finding``,
            ``file``, ``refit``, ``calibrate``, ``lam``.

        Raises
        ------
        InputError
            There is no such feature, class or finding, or nothing was asked for.
        """
        self.file.require("explain")
        return edit_run(self, [*edits, *requested(self, **wanted)], dry_run=dry_run)

    def undo(self) -> DecisionLayer:
        """Take the last edit back; gives the layer that counts now."""
        return self.edit_log.undone().layer() or self.layer()

    def redo(self) -> DecisionLayer:
        """Do again the edit that was undone last; gives the layer that counts now."""
        return self.edit_log.redone().layer() or self.layer()

    def errors(self, split: str = "test") -> Errors:
        """Find the features to blame for the mistakes; see :func:`clearhead.debug.explain_errors`.

        Parameters
        ----------
        split : {"train", "validation", "test"}
        """
        return explain_errors(self.view(check_choice("split", split, SPLITS)))

    def flip(self, example: str, to: str | None = None) -> Flip:
        """Find the smallest changes of one example, input and features, that flip its prediction.

        Parameters
        ----------
        example : str
            Its id.
        to : str, optional
            Class to flip to; any other if not given.
        """
        return flip(self, example, to)

    def exchange_words(self) -> WordCounterfactuals:
        """Exchange words by the features' lists, and count the predictions that flip.

        For the features of the sparse layer, those of the dense one and random ones; see
        :func:`clearhead.debug.texts.word_counterfactuals`.
        """
        return exchange_words(self)

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
        self.file.require("report")
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

    def _keep(self, ids: list[str]) -> None:
        if self.file.data["keep_examples"]:
            self._keeper.keep(ids, lambda: self.dataset, self.on_event)

    def _is_current(self, step: str, options: Mapping[str, Any], force: bool = False) -> bool:
        self.file.require(step)
        current = self.file.is_current(step, options) and not force
        if current:
            emit(self.on_event, Event(step, "skip", "nothing has changed"))
        return current

    def _finish(self, step: str, options: Mapping[str, Any], started: float) -> None:
        self.file.finish(step, options, time.perf_counter() - started)


def open_run(folder: Path | str, on_event: EventCallback | None = None) -> Run:
    """Open a run directory.

    Raises
    ------
    StorageError
        It is none, it is damaged, or a newer clearhead made it.
    """
    return Run(RunFile.read(Path(folder)), on_event)
