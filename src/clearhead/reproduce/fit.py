"""Fit a setting: its data, its network, the path, the layer without a penalty."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from clearhead._files import fingerprint, read_json, write_json
from clearhead.backbones import Backbone
from clearhead.data.draw import draw
from clearhead.errors import BackboneError, InputError, MissingDependencyError
from clearhead.events import EventCallback
from clearhead.glm import Path as SparsePath
from clearhead.glm import fit_path
from clearhead.reproduce.reading import Asked
from clearhead.reproduce.reproduction import Reproduction
from clearhead.reproduce.settings import SETTINGS, Setting
from clearhead.run import Run, new_run
from clearhead.run.fitting import judged_by_labels, targets_of, weighting

__all__ = ["reproduce"]

_ARCHITECTURE = "resnet50"
"""Of a checkpoint that is given without one, as in the reference's own commands."""
_CHECKPOINTS = (".pt", ".pth", ".ckpt", ".tar", ".bin", ".safetensors")


def reproduce(
    setting: str,
    data: Path | str,
    out: Path | str,
    *,
    model: str | Path | Backbone | None = None,
    model_options: Mapping[str, Any] | None = None,
    label: str | None = None,
    balance: bool | None = None,
    validation: float = 0.1,
    seed: int = 0,
    limit: int | None = None,
    batch_size: int | Literal["auto"] | None = None,
    force: bool = False,
    on_event: EventCallback | None = None,
    **fit_options: Any,
) -> Reproduction:
    """Fit a sparse decision layer in one of the paper's settings.

    All steps of a run are done; those that are done already are skipped.

    Parameters
    ----------
    setting : {"sst", "jigsaw-toxic", "jigsaw-alt-toxic", "places-10", "imagenet"}
    data : path
        Files as the reference has them; docs/reproduce.md lists them.
    out : path
        The run directory.
    model : str, path or Backbone, optional
        The reference's network where that has a name. A name or folder as
        :func:`clearhead.open_backbone` takes it, or the file of a checkpoint of a ResNet-50.
    model_options : mapping, optional
        Further options of :func:`clearhead.open_backbone`: ``layer``, ``checkpoint``, …
    label : str, optional
        Which of the six labels of the comments; ``"toxic"`` by default.
    balance : bool, optional
        Draw validation and test down to classes of equal size; as in the reference by default.
    validation : float
        Share of the training examples that becomes the validation split.
    seed : int
        For that draw, and for balancing.
    limit : int, optional
        Use only so many examples, for a quick look.
    batch_size : int or "auto", optional
        Examples a batch; chosen by default, as many as make it faster with ``"auto"``.
    force : bool
        Discard a run of another network or other data in `out`.
    on_event : callable, optional
    **fit_options
        As in :meth:`clearhead.Run.all`: ``rule``, ``l1_ratio``, ``n_lambdas``,
        ``lambda_min_ratio``, ``grouped``, ``targets``, ``tol``, ``balanced``.

    Raises
    ------
    InputError, DataError
        For a setting, data or options that are wrong.
    BackboneError
        The network cannot be opened; says how to give another.
    """
    found = _setting(setting)
    chosen = _label(found, label)
    dataset = found.read(Path(data).expanduser(), Asked(chosen, validation, seed))
    balanced = found.balanced if balance is None else balance
    dataset = draw(dataset, balance_held_out=balanced, limit=limit, seed=seed)
    network, options = _network(found, model, model_options or {})
    try:
        run = new_run(out, network, dataset, model_options=options, force=force, on_event=on_event)
    except (BackboneError, MissingDependencyError) as error:
        if model is None:
            error.add_note(
                f"{found.model} is the network of the reference. Give another with model= "
                "(--model): 'minilm', a name on the Hugging Face hub, or a local folder."
            )
        raise
    if isinstance(run.network, Backbone):
        run.network = _renamed(run.network, found)
    run.all(batch_size=batch_size, effort="quick", force=force, **fit_options)
    return Reproduction(found, run, _unpenalised(run, fit_options, on_event))


def _setting(name: str) -> Setting:
    if name in SETTINGS:
        return SETTINGS[name]
    near = difflib.get_close_matches(name, SETTINGS, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise InputError(f"{name!r} is no setting.{hint} There are: {', '.join(SETTINGS)}.")


def _label(setting: Setting, label: str | None) -> str:
    if not setting.labels:
        if label is not None:
            raise InputError(f"label={label!r}: {setting.name} has no labels to choose from.")
        return ""
    if label is None:
        return setting.labels[0]
    if label not in setting.labels:
        near = difflib.get_close_matches(label, setting.labels, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise InputError(
            f"label={label!r} is none of {setting.name}.{hint} There are: "
            f"{', '.join(setting.labels)}."
        )
    return label


def _network(
    setting: Setting, model: str | Path | Backbone | None, options: Mapping[str, Any]
) -> tuple[str | Path | Backbone, dict[str, Any]]:
    """What opens the network, with which options."""
    if model is None:
        if setting.model is None:
            raise InputError(
                f"{setting.name} needs model= (--model): the file of a checkpoint, as the "
                f"reference takes it, {setting.checkpoint}; or the name of a network, such as "
                "'efficientnet-lite0'."
            )
        return setting.model, dict(options)
    if isinstance(model, Backbone):
        return model, dict(options)
    file = Path(model).expanduser()
    if file.suffix.lower() in _CHECKPOINTS and file.is_file():
        return _ARCHITECTURE, {**options, "checkpoint": file}
    return model, dict(options)


def _renamed(backbone: Backbone, setting: Setting) -> Backbone:
    """Call the network's outputs as the data call the labels."""
    if backbone.class_names is None:
        return backbone
    names = tuple(setting.renamed.get(name, name) for name in backbone.class_names)
    return replace(backbone, class_names=names)


def _unpenalised(
    run: Run, fit_options: Mapping[str, Any], on_event: EventCallback | None
) -> SparsePath:
    """Fit the layer without a penalty, the reference's last point, or take it as it was kept."""
    path = run.path()
    folder = run.folder / "path" / "unpenalised"
    identity = {"made_from": fingerprint({"path": path.fingerprint})}
    header = folder / "made_from.json"
    if header.is_file() and read_json(header) == identity:
        return SparsePath.load(folder)
    store = run.store
    found = fit_path(
        store,
        **weighting(store, fit_options.get("ban", ()), balanced=fit_options.get("balanced", False)),
        **targets_of(store, run.targets),
        l1_ratio=path.l1_ratio,
        # Ridge alone leads to it, so that the first point, of no features, is as good a start.
        lambdas=path.lambdas[:1],
        grouped=path.grouped,
        unpenalised=True,
        tol=path.tol,
        on_event=on_event,
    )
    if run.targets == "predictions":
        found = judged_by_labels(found, store)
    found.save(folder)
    write_json(header, identity)
    return found
