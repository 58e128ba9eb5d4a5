"""A network that a function of the user's makes, with weights from a checkpoint.

The function is named ``package.module:factory`` or ``path/to/file.py:factory``. It runs:
give only code that you would run yourself. The checkpoint beside it is read weights-only.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from clearhead._types import Modality
from clearhead.backbones.backbone import Activation, Backbone, Preprocessing
from clearhead.backbones.checkpoint import Checkpoint, read_checkpoint
from clearhead.backbones.images import image_preprocessing, noise
from clearhead.backbones.tokens import EXAMPLES
from clearhead.errors import BackboneError

__all__ = ["open_factory"]

_SPEC = re.compile(r"(?P<home>.+\.py|[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")


def open_factory(
    spec: Path | str,
    *,
    checkpoint: Path | str | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    layer: str | None = None,
    class_names: Sequence[str] | None = None,
    activation: Activation | None = None,
) -> Backbone:
    """Open the network that a function makes.

    Parameters
    ----------
    spec : str
        ``"package.module:factory"`` or ``"path/to/file.py:factory"``. The factory takes no
        arguments and returns an ``nn.Module``; or a pair of it and its preprocessing (as
        `prepare` of :meth:`Backbone.from_module`, with ``modality = "text"`` if it takes
        texts); or a :class:`Backbone`. An ``nn.Module`` itself may stand in its place.
    checkpoint : Path or str, optional
        Weights, see :func:`clearhead.backbones.checkpoint.read_checkpoint`. Without one the
        network is taken as the factory returns it.
    preprocessing : mapping, optional
        For images, where the factory gives none: see
        :func:`clearhead.backbones.images.image_preprocessing`. A normaliser in the
        checkpoint (of the robustness library) is used unless the network has it inside.
    layer, class_names
        As in :meth:`Backbone.from_module`.

    Raises
    ------
    BackboneError
        There is no such factory, it returned something else, or the weights do not fit.
    SplitError
        The decision layer could not be proven.
    """
    name = str(spec)
    module, prepare = _made(name)
    if isinstance(module, Backbone):
        _refuse(name, checkpoint=checkpoint, preprocessing=preprocessing, layer=layer,
                class_names=class_names, activation=activation)  # fmt: skip
        return module
    weights = None
    if checkpoint is not None:
        weights = read_checkpoint(checkpoint)
        weights.load_into(module)
    if prepare is None:
        prepare = image_preprocessing(preprocessing, **_normaliser(weights, module))
    elif preprocessing is not None:
        raise BackboneError(
            f"{name} returns its own preprocessing, so preprocessing= does nothing. Leave one out."
        )
    modality: Modality = getattr(prepare, "modality", "image")
    prepared = prepare(list(EXAMPLES) if modality == "text" else noise())
    return Backbone.from_module(
        module.eval(),
        prepare=prepare,
        name=_short(name, weights),
        modality=modality,
        example_batch=prepared,
        layer=layer,
        class_names=class_names,
        activation=activation,
        batch_size=32 if modality == "text" else 8,
    )


def _refuse(name: str, **options: Any) -> None:
    given = [f"{option}=" for option, value in options.items() if value is not None]
    if given:
        raise BackboneError(
            f"{name} returns a whole Backbone, so {', '.join(given)} would do nothing. Set it in "
            "the factory, or return the module alone."
        )


def _normaliser(weights: Checkpoint | None, module: nn.Module) -> dict[str, Any]:
    """Mean and deviation for the preprocessing: 0 and 1 where the network normalises itself."""
    inside = [name for name, _ in module.named_buffers() if name.endswith(("new_mean", "new_std"))]
    if inside:
        return {"mean": 0.0, "std": 1.0}
    return {} if weights is None else dict(weights.normaliser)


def _made(spec: str) -> tuple[Any, Any]:
    """Module (or Backbone) and preprocessing, or None, that the factory makes."""
    factory = _found(spec)
    made = factory
    if not isinstance(factory, (nn.Module, Backbone)):
        if not callable(factory):
            raise BackboneError(
                f"{spec} is a {type(factory).__name__}, not a function that makes a network."
            )
        try:
            made = factory()
        except Exception as error:
            raise BackboneError(
                f"{spec} failed: {type(error).__name__}: {error}. A factory is called without "
                "arguments; wrap one that needs some."
            ) from error
    prepare = None
    if isinstance(made, tuple) and len(made) == 2:
        made, prepare = made
    if not isinstance(made, (nn.Module, Backbone)) or (
        prepare is not None and not isinstance(prepare, Preprocessing) and not callable(prepare)
    ):
        raise BackboneError(
            f"{spec} must return a torch.nn.Module, a pair of one and its preprocessing, or a "
            f"clearhead.Backbone; it returned {type(made).__name__}."
        )
    return made, prepare


def _found(spec: str) -> Any:
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise BackboneError(
            f"{spec!r} does not name a factory. Write package.module:factory or "
            "path/to/file.py:factory."
        )
    home, name = match["home"], match["name"]
    module = _from_file(Path(home).expanduser()) if home.endswith(".py") else _imported(home)
    if not hasattr(module, name):
        own = [one for one, value in vars(module).items() if callable(value)]
        near = difflib.get_close_matches(name, own, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise BackboneError(f"{home} has no {name!r}.{hint}")
    return getattr(module, name)


def _imported(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BackboneError(
            f"The module {name} cannot be imported ({error}). Install its package, set "
            "PYTHONPATH to its folder, or name the file: path/to/file.py:factory."
        ) from error


def _from_file(path: Path) -> Any:
    if not path.is_file():
        raise BackboneError(f"{path} is not a file: there is no factory to take the network from.")
    path = path.resolve()
    # A name of its own for each file, so that two files of one name do not meet.
    name = f"clearhead_factory_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # pickling and dataclasses look classes up by it
    try:
        with _beside(path.parent):
            specification.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BackboneError(
            f"{path} failed when it was run: {type(error).__name__}: {error}."
        ) from error
    return module


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Let the file import its neighbours, as it could as a script."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _short(spec: str, weights: Checkpoint | None) -> str:
    home, _, name = spec.rpartition(":")
    where = Path(home).stem if home.endswith(".py") else home
    return f"{where}:{name}" + (f" ({weights.path.name})" if weights is not None else "")
