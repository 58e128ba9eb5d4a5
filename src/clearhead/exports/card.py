"""The model card: what a person must know before using an exported model."""

from __future__ import annotations

from collections.abc import Sequence

from clearhead.exports.inputs import ExportInputs
from clearhead.exports.manifest import Manifest

__all__ = ["card"]

_TITLES = {
    "torch": "a torch module",
    "hf": "a transformers model",
    "onnx": "an ONNX graph",
    "sklearn": "a scikit-learn pipeline on deep features",
}
_CLASSES_SHOWN = 50


def card(inputs: ExportInputs, manifest: Manifest, loading: Sequence[str]) -> str:
    """Write the model card, Markdown."""
    assert manifest.proof is not None
    sections = {
        "Task": _task(manifest),
        "Data": _data(inputs),
        "The decision layer": _layer(inputs),
        "Accuracy": _accuracy(inputs),
        "Findings": _findings(inputs),
        "Edits": _bullets(inputs.background.edits if inputs.background else (), "None."),
        "Proof": [
            f"Before it was written, this model was loaded from its files and found "
            f"{manifest.proof.describe()}.",
        ],
        "Limits": _limits(inputs),
        "How to load": [*loading, "", *_with_clearhead(manifest)],
        "Versions": [
            ", ".join([manifest.made_by, *(f"{k} {v}" for k, v in manifest.versions.items())]) + "."
        ],
    }
    lines = [*_header(manifest), f"# {_plain(manifest.name)}", ""]
    what = "network" if manifest.format != "sklearn" else "decision layer"
    lines.append(
        f"The {what}, exported as {_TITLES[manifest.format]}. Its decision layer is sparse: each "
        f"class uses {inputs.layer.features_per_class:.1f} of {inputs.layer.weight.shape[1]} deep "
        "features on average, so every decision can be taken apart."
    )
    for title, body in sections.items():
        lines += ["", f"## {title}", "", *body]
    return "\n".join(lines) + "\n"


def _header(manifest: Manifest) -> list[str]:
    """What model hubs read."""
    lines = ["---", "tags:", "- clearhead", "- sparse-decision-layer"]
    if manifest.format == "hf":
        text = manifest.details["auto_class"] == "AutoModelForSequenceClassification"
        lines.append("library_name: transformers")
        lines.append(f"pipeline_tag: {'text' if text else 'image'}-classification")
    return [*lines, "---", ""]


def _plain(text: str) -> str:
    """Keep names from data from breaking out of their place in Markdown or HTML."""
    for character in "\\`*_[]|#":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())


def _bullets(items: Sequence[str], otherwise: str) -> list[str]:
    return [f"- {_plain(item)}" for item in items] or [otherwise]


def _task(manifest: Manifest) -> list[str]:
    names = [_plain(name) for name in manifest.classes[:_CLASSES_SHOWN]]
    more = len(manifest.classes) - len(names)
    listed = ", ".join(names) + (f" and {more} more" if more else "")
    kind = "labels, any number of which may be true" if manifest.multilabel else "classes"
    lines = [f"{len(manifest.classes)} {kind}: {listed}."]
    if manifest.network is not None:
        network = manifest.network
        lines.append(
            f"Features of {_plain(network['name'])} ({network['modality']}, "
            f"{network['n_features']} features; fingerprint of its weights "
            f"{network['fingerprints']['weights']})."
        )
    return lines


def _data(inputs: ExportInputs) -> list[str]:
    if inputs.background is None:
        return ["Not recorded: this was exported from a layer, not from a run."]
    return _bullets(inputs.background.data, "Not recorded.")


def _layer(inputs: ExportInputs) -> list[str]:
    layer = inputs.layer
    sure = layer.certificate
    lines = [
        f"- family {sure.family}, lam {sure.lam:.6g}, l1_ratio {sure.l1_ratio:g}",
        f"- certificate: {sure.describe()}",
        f"- {layer.features_per_class:.1f} features a class, {layer.used.size} in all",
    ]
    if inputs.background is not None:
        lines.insert(0, f"- {_plain(inputs.background.point)}")
    return lines


def _accuracy(inputs: ExportInputs) -> list[str]:
    if inputs.background is None or not inputs.background.accuracies:
        return ["Not measured: this was exported from a layer, not from a run."]
    lines = ["| | split | share | 95% interval | n |", "|---|---|---|---|---|"]
    for row in inputs.background.accuracies:
        share = row.share
        lines.append(
            f"| {row.what} | {row.split} | {share.value:.1%} | {share.low:.1%} to {share.high:.1%} "
            f"| {share.n:,} |"
        )
    return [
        *lines,
        "",
        "The layer was chosen on validation; test was used for nothing else.",
    ]


def _findings(inputs: ExportInputs) -> list[str]:
    if inputs.background is None or inputs.background.findings is None:
        return ["Nobody has looked for any."]
    return _bullets(inputs.background.findings, "None of the checks found anything suspicious.")


def _limits(inputs: ExportInputs) -> list[str]:
    limits = list(inputs.background.limits) if inputs.background else []
    gap = inputs.layer.certificate.gap
    if gap is None:
        limits.insert(
            0,
            "The layer carries no proof of optimality: "
            + (f"it is {inputs.layer.certificate.status}."),
        )
    return _bullets(limits, "None recorded.")


def _with_clearhead(manifest: Manifest) -> list[str]:
    given = "features" if manifest.format == "sklearn" else "examples"
    stays = manifest.preprocessing["kind"] == "network"
    unnamed = manifest.network is None or manifest.network["spec"] is None
    needs = manifest.format != "sklearn" and unnamed and (manifest.format == "torch" or stays)
    how = "folder, backbone=backbone" if needs else "folder"
    return [
        "Decisions with their reasons, with clearhead:",
        "",
        "```python",
        "import clearhead",
        "",
        'folder = "."  # this folder',
        f"prediction = clearhead.load({how}).predict({given}, explain=True)",
        "prediction.to_frame(), prediction.reasons(0)",
        "```",
    ]
