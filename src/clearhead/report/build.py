"""From what a run holds to the data that a report shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from clearhead._types import SPLITS, FloatArray, IntArray, Targets
from clearhead.debug import (
    Finding,
    SplitView,
    Tested,
    measure_slices,
    share_mended_by_one,
)
from clearhead.debug.texts import BiasProbe
from clearhead.explain import Explained
from clearhead.features import FeatureStore
from clearhead.glm import Accuracy, Path
from clearhead.layer import DecisionLayer, Evaluation, LayerAnalysis, ablate, evaluate
from clearhead.report import schema
from clearhead.report.explained import explained_card, inner_bands
from clearhead.report.pictures import photo_uri
from clearhead.report.predictions import Predictions, Refitted, predict_all

__all__ = ["ReportInputs", "build_report", "example_card"]

ABLATION_K = (1, 2, 5, 10)
DENSE_SHOWN = 10
CONFUSIONS_SHOWN = 50


class Kept(Protocol):
    """An example as it was kept: a text, a JPEG, or neither."""

    @property
    def text(self) -> str | None:
        """The text."""

    @property
    def jpeg(self) -> bytes | None:
        """The thumbnail."""


@dataclass(frozen=True)
class ReportInputs:
    """What a report is made from; see :class:`clearhead.run.Run`."""

    name: str
    made_by: str
    model: Mapping[str, Any]
    data: Mapping[str, Any]
    store: FeatureStore
    path: Path
    selection: Mapping[str, Any]
    targets: Targets
    layer: DecisionLayer
    dense: DecisionLayer
    validation: SplitView
    test: SplitView
    explained: Explained
    analysis: LayerAnalysis | None
    findings: Sequence[Finding]
    tested: Sequence[Tested]
    bias: BiasProbe | None
    checks: Sequence[str]
    debug_notes: Sequence[str]
    example: Callable[[str], Kept]


def build_report(inputs: ReportInputs) -> schema.ReportData:
    """Assemble the report's data.

    Returns
    -------
    ReportData
        Deterministic: the same run gives the same report.
    """
    predictions = predict_all(inputs.store, inputs.layer, inputs.dense)
    network = predictions.network
    evaluation = evaluate(inputs.test.labels, inputs.test.predicted, inputs.layer.n_classes)
    return schema.ReportData(
        made_by=inputs.made_by,
        name=inputs.name,
        model=schema.ModelCard(
            name=inputs.model["name"],
            modality=inputs.model["modality"],
            n_features=inputs.store.p,
            n_dead=int(inputs.layer.dead.sum()),
            has_head=inputs.model["layer"] is not None,
            same_classes=network is not None,
            layer=inputs.model["layer"],
            fingerprint=inputs.model["fingerprints"]["weights"],
        ),
        data=_data_card(inputs),
        path=_path_card(inputs),
        layers=_layer_cards(inputs, predictions),
        agreement=_agreement(predictions),
        agreement_note="" if network is None else f"The network's classes are {network.matching}.",
        ablation=[*_ablation(inputs, "sparse"), *_ablation(inputs, "dense")],
        classes=_class_rows(inputs, evaluation),
        features=_feature_cards(inputs),
        explained=list(inputs.explained.notes),
        analysis=_analysis(inputs.analysis),
        slices=[
            schema.SliceRow(
                column=s.column,
                value=s.value,
                accuracy=_of(s.accuracy),
                recall=[_maybe(r) for r in s.recall],
            )
            for s in measure_slices(inputs.test)
        ],
        confusions=_confusions(evaluation.confusion),
        mended_by_one=_maybe(share_mended_by_one(inputs.test)),
        findings=[
            schema.FindingCard.model_validate({**f.to_dict(), "key": f.key})
            for f in inputs.findings
        ],
        tested=[schema.TestedRow.model_validate(one.to_dict()) for one in inputs.tested],
        examples=_example_cards(inputs, predictions.refitted["sparse"]),
        checks=list(inputs.checks),
        limits=_limits(inputs, predictions),
    )


def _of(accuracy: Accuracy) -> schema.Estimate:
    return schema.Estimate(value=accuracy.value, low=accuracy.low, high=accuracy.high, n=accuracy.n)


def _maybe(accuracy: Accuracy | None) -> schema.Estimate | None:
    return None if accuracy is None else _of(accuracy)


def _data_card(inputs: ReportInputs) -> schema.DataCard:
    store = inputs.store
    counts = [
        np.bincount(store.labels(split), minlength=len(store.class_names)) for split in SPLITS
    ]
    return schema.DataCard(
        name=inputs.data["name"],
        class_names=list(store.class_names),
        splits=[
            schema.SplitRow(split=split, n=int(count.sum()), per_class=count.tolist())
            for split, count in zip(SPLITS, counts, strict=True)
        ],
        metadata=[str(column) for column in store.metadata.columns],
        notes=list(inputs.data["notes"]),
        problems=[
            *(schema.ProblemRow.model_validate(row) for row in inputs.data["problems"]),
            *(
                schema.ProblemRow(
                    kind=problem.kind,
                    count=problem.count,
                    message=problem.message,
                    examples=list(problem.first),
                )
                for problem in store.problems
            ),
        ],
        fingerprint=inputs.data["fingerprint"],
    )


def _path_card(inputs: ReportInputs) -> schema.PathCard:
    path = inputs.path
    points = []
    for i in range(len(path)):
        nonzero = path.coefficients[i].indices
        points.append(
            schema.PointRow(
                lam=float(path.lambdas[i]),
                features_per_class=float(path.features_per_class[i]),
                n_nonzero=len(nonzero),
                n_features=len(np.unique(nonzero % path.n_features)),
                gap=float(path.gaps[i]),
                kkt=float(path.kkt[i]),
                status=str(path.status[i]),
                accuracy={split: _of(scores[i]) for split, scores in path.accuracies.items()},
            )
        )
    return schema.PathCard(
        family=path.family,
        targets=inputs.targets,
        l1_ratio=path.l1_ratio,
        tol=path.tol,
        points=points,
        selected=inputs.selection["index"],
        rule=inputs.selection["rule"],
    )


def _ablation(inputs: ReportInputs, name: Refitted) -> list[schema.AblationRow]:
    layer = inputs.layer if name == "sparse" else inputs.dense
    return [
        schema.AblationRow(
            layer=name, k=row.k, all=_of(row.all), top=_of(row.top), rest=_of(row.rest)
        )
        for row in ablate(layer, inputs.store.matrix("test"), inputs.test.labels, ABLATION_K)
    ]


def _layer_cards(inputs: ReportInputs, predictions: Predictions) -> list[schema.LayerCard]:
    def accuracies(predicted: IntArray) -> dict[str, schema.Estimate]:
        shares = predictions.accuracies(predicted)
        return {split: _of(share) for split, share in shares.items()}

    def card(name: Refitted, layer: DecisionLayer, words: str) -> schema.LayerCard:
        return schema.LayerCard(
            name=name,
            description=words,
            lam=layer.certificate.lam,
            features_per_class=layer.features_per_class,
            n_features=int(layer.used.size),
            gap=layer.certificate.gap,
            status=layer.certificate.status,
            accuracy=accuracies(predictions.refitted[name]),
        )

    cards = [
        card("sparse", inputs.layer, f"elastic net, {inputs.selection['rule']}"),
        card("dense", inputs.dense, "ridge on all features, best validation accuracy"),
    ]
    network = predictions.network
    if network is not None:
        cards.append(
            schema.LayerCard(
                name="network",
                description=f"the network's own decision layer, classes {network.matching}",
                lam=None,
                features_per_class=float(inputs.store.p),
                n_features=inputs.store.p,
                gap=None,
                status=None,
                accuracy=accuracies(network.predicted),
            )
        )
    return cards


def _agreement(predictions: Predictions) -> list[schema.AgreementRow]:
    return [
        schema.AgreementRow(
            layer=layer,
            split=split,
            agreement=_of(share),
            kl=predictions.mean_divergence(layer, split),
        )
        for layer in predictions.refitted
        for split, share in predictions.agreements(layer).items()
    ]


def _class_rows(inputs: ReportInputs, evaluation: Evaluation) -> list[schema.ClassRow]:
    layer, dense = inputs.layer, inputs.dense
    shares = np.zeros_like(layer.weight)
    shares[:, layer.used] = inputs.validation.evidence_shares()
    dense_shares = _dense_shares(inputs)
    of_dense = evaluate(inputs.test.labels, inputs.test.dense, layer.n_classes)
    return [
        schema.ClassRow(
            index=c,
            name=name,
            n_features=int(layer.n_nonzero[c]),
            recall=_maybe(evaluation.recall[c]),
            precision=_maybe(evaluation.precision[c]),
            dense_recall=_maybe(of_dense.recall[c]),
            features=[
                schema.ClassFeature(
                    feature=int(j), weight=float(layer.weight[c, j]), share=float(shares[c, j])
                )
                for j in layer.top(c)
            ],
            dense_features=[
                schema.ClassFeature(
                    feature=int(j),
                    weight=float(dense.weight[c, j]),
                    share=float(dense_shares[c, j]),
                )
                for j in dense.top(c, DENSE_SHOWN)
            ],
        )
        for c, name in enumerate(layer.class_names)
    ]


def _dense_shares(inputs: ReportInputs) -> FloatArray:
    """Shares of positive evidence in the dense layer, shape (K, p); 0 for unused features."""
    dense, store = inputs.dense, inputs.store
    view = SplitView.of(
        dense,
        dense,
        store.matrix("validation"),
        store.labels("validation"),
        ids=inputs.validation.ids,
        metadata=inputs.validation.metadata,
    )
    shares = np.zeros_like(dense.weight)
    shares[:, dense.used] = view.evidence_shares()
    return shares


def _feature_cards(inputs: ReportInputs) -> list[schema.FeatureCard]:
    cards = []
    for found in inputs.explained.examples:
        weights = inputs.layer.weight[:, found.feature]
        order = np.argsort(-np.abs(weights), kind="stable")
        bands = zip(found.edges[:-1], found.edges[1:], found.counts, strict=True)
        card = schema.FeatureCard(
            index=found.feature,
            classes=[(int(c), float(weights[c])) for c in order if weights[c] != 0],
            highest=list(found.highest),
            lowest=list(found.lowest),
            histogram=[
                schema.ActivationBand(low=low, high=high, count=count) for low, high, count in bands
            ],
        )
        cards.append(explained_card(card, found, inputs.explained))
    return cards


def _analysis(found: LayerAnalysis | None) -> list[schema.AnalysisRow]:
    if found is None:
        return []
    similar = [] if found.sharing.mirrored else found.similarity.describe()
    parts: list[tuple[Any, list[str]]] = [
        ("shared", found.sharing.describe()),
        ("similar", similar),
        ("duplicate", found.duplicates.describe()),
        ("substitute", found.substitutes.describe()),
        ("stable", found.stability.describe()),
    ]
    return [schema.AnalysisRow(kind=kind, words=line) for kind, lines in parts for line in lines]


def _confusions(confusion: IntArray) -> list[schema.Confusion]:
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:CONFUSIONS_SHOWN]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [
        schema.Confusion(true=int(t), predicted=int(q), count=int(wrong[t, q]))
        for t, q in pairs
        if wrong[t, q]
    ]


def _example_cards(inputs: ReportInputs, predicted: IntArray) -> list[schema.ExampleCard]:
    row_of = {str(key): row for row, key in enumerate(inputs.store.ids)}
    rows = (row_of[key] for key in _shown_ids(inputs))
    return [example_card(inputs, row, int(predicted[row])) for row in rows]


def example_card(inputs: ReportInputs, row: int, predicted: int) -> schema.ExampleCard:
    """Show one row of the store, with what was kept of it."""
    key = str(inputs.store.ids[row])
    kept = inputs.example(key)
    return schema.ExampleCard(
        key=key,
        id=key,
        split=str(inputs.store.split[row]),
        label=int(inputs.store.labels()[row]),
        predicted=predicted,
        text=kept.text,
        image=None if kept.jpeg is None else photo_uri(kept.jpeg),
    )


def _shown_ids(inputs: ReportInputs) -> Iterable[str]:
    found = inputs.explained.examples
    used = set(inputs.layer.used.tolist())
    ends = [pair for f in found for pair in (*f.highest, *f.lowest)]
    for f in found:
        if f.feature in used:
            ends += [pair for band in inner_bands(f) for pair in band.examples]
    named = (key for finding in inputs.findings for key in finding.examples)
    return dict.fromkeys([*(key for key, _ in ends), *named])


def _limits(inputs: ReportInputs, predictions: Predictions) -> list[str]:
    limits = []
    bad = [status for status in inputs.path.status if status != "optimal"]
    if bad:
        limits.append(
            f"{len(bad)} of {len(inputs.path)} points of the path are not proven optimal: "
            f"{', '.join(sorted(set(map(str, bad))))}."
        )
    if inputs.targets == "predictions":
        limits.append(
            "Both layers were fitted to what the network predicts on the training split, not to "
            "its labels; accuracies are on labels all the same."
        )
    if inputs.store.metadata.shape[1] == 0:
        limits.append("The data have no metadata columns, so no slices were measured.")
    if inputs.store.head is None:
        limits.append(
            "The network has no classifier of its own, so there is nothing to agree with."
        )
    elif predictions.network is None:
        limits.append(
            "The network's own classes are not the data's, so its own accuracy and the sparse "
            "layer's agreement with it are not defined."
        )
    limits += [
        note[:1].upper() + note[1:] + "." * (not note.endswith(".")) for note in inputs.debug_notes
    ]
    limits.append(
        f"Findings come from {len(inputs.checks)} checks. A fault that shows in none of them is "
        "not found."
    )
    return limits
