"""Weights from a file, read without running anything in it, and put into a network.

Files come in many wrappings: a plain state dict; one inside a dict of a training
script; ``module.`` in front of every name (DataParallel); a Lightning module, of
which the network is one part; the robustness library, whose files hold the network
twice and a normaliser beside it. The wrapping is found by the names that the network
itself has, so that none of them has to be said.
"""

from __future__ import annotations

import difflib
import logging
import re
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from clearhead.errors import BackboneError

__all__ = ["Checkpoint", "read_checkpoint"]

_LOG = logging.getLogger("clearhead.backbones")
_LISTED = 6
# Where training scripts put the weights. Averaged weights (EMA) come first: where a file has
# both, the published accuracy is theirs.
_WEIGHTS = (
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "network",
    "params",
    "weights",
    "module",
)
# Wrappers that put a name of their own into the names of a network.
_WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
# Classes that training scripts keep beside the weights. They are read as empty objects of our
# own, so nothing of theirs runs either.
_BYSTANDERS = re.compile(
    r"(argparse\.Namespace|types\.SimpleNamespace|pathlib\.\w*Path|datetime\.\w+|"
    r"numpy\.(_?core\.)?(multiarray\.)?(scalar|dtype|ndarray|_reconstruct)|numpy\.dtypes\.\w+|"
    r"(cox|robustness|omegaconf|yacs|easydict|addict|ml_collections|mmengine|"
    r"lightning|lightning_fabric|lightning_utilities|pytorch_lightning|transformers)\.[\w.]+|"
    r"torch\.optim\.[\w.]+|dill\._dill\._load_type|collections\.defaultdict|typing\.Any)"
)


class _Bystander:
    """Stands for an object that was kept beside the weights; runs nothing."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...


class _DictBystander:
    """Stands for one that may be filled like a dict: reading weights only, torch fills no other."""

    def __new__(cls, *_: Any) -> OrderedDict[Any, Any]:  # type: ignore[misc]
        return OrderedDict()


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The weights in a file.

    Parameters
    ----------
    path : Path
        The file.
    key : str
        Where in the file the weights were: ``""`` for a plain state dict.
    state : mapping of str to Tensor
        The weights under the names that they have in the file.
    """

    path: Path
    key: str
    state: Mapping[str, Tensor]

    @property
    def normaliser(self) -> dict[str, list[float]]:
        """``mean`` and ``std`` per channel, of the robustness library's normaliser.

        They are for values 0…1. Empty where the file has none.
        """
        found = {name.rpartition(".")[2]: value for name, value in self.state.items()}
        if "new_mean" not in found or "new_std" not in found:
            return {}
        return {name: found[f"new_{name}"].flatten().tolist() for name in ("mean", "std")}

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Shape of the tensor whose name ends in ``name``; None if there is none."""
        for key, value in self.state.items():
            if key == name or key.endswith(f".{name}"):
                return tuple(value.shape)
        return None

    def load_into(self, module: nn.Module, rename: Callable[[str], str] | None = None) -> None:
        """Put the weights into `module`, all of them or none.

        Parameters
        ----------
        module : nn.Module
        rename : callable, optional
            From the name of a tensor in `module` to its name in files.

        Raises
        ------
        BackboneError
            Names that are missing, unexpected or of another shape; with the nearest names.
        """
        own = {
            (rename(name) if rename else name): (name, value)
            for name, value in module.state_dict().items()
            if isinstance(value, Tensor)
        }
        state, prefix = _unwrapped(self.state, own)
        inside = {name: value for name, value in state.items() if name.startswith(prefix)}
        found = {name.removeprefix(prefix): value for name, value in inside.items()}
        missing = [
            name for name in own if name not in found and not name.endswith("num_batches_tracked")
        ]
        unexpected = [name for name in found if name not in own and not _beside(name)]
        shapes = [
            f"{name} {tuple(value.shape)}, in the network {tuple(own[name][1].shape)}"
            for name, value in found.items()
            if name in own and value.shape != own[name][1].shape
        ]
        wrong = []
        if missing:
            wrong.append(f"{len(missing)} of {len(own)} names are missing: "
                         f"{_near(missing, unexpected)}")  # fmt: skip
        if unexpected:
            wrong.append(f"{len(unexpected)} of {len(found)} names are unexpected: "
                         f"{_near(unexpected, missing)}")  # fmt: skip
        if shapes:
            wrong.append(f"{len(shapes)} have another shape: {_listed(shapes)}")
        if wrong:
            where = f" (under {self.key!r})" if self.key else ""
            raise BackboneError(
                "\n  ".join(
                    [
                        f"The weights in {self.path}{where} do not fit {type(module).__name__}:",
                        *wrong,
                    ]
                )
                + "\nGive the checkpoint of this very network, or a network that is built as the "
                "one of the checkpoint was (the same depth, width and number of classes)."
            )
        others = [name for name in state if name not in inside and not _beside(name)]
        if others:
            _LOG.warning(
                "%s: left out %s, which stand outside the network (%r)",
                self.path.name, _listed(others), prefix,
            )  # fmt: skip
        module.load_state_dict(
            {own[name][0]: value for name, value in found.items() if name in own}, strict=False
        )


def read_checkpoint(path: Path | str) -> Checkpoint:
    """Read the weights of a ``.pt``, ``.pth``, ``.ckpt``, ``.bin`` or ``.safetensors`` file.

    Parameters
    ----------
    path : Path or str
        ``file.pt``, or ``file.pt#key`` for the weights under that key of the file where it
        holds several.

    Raises
    ------
    BackboneError
        There is no such file; it is damaged; it holds no weights; or opening it would run
        code, which is named.
    """
    path, key = _file_and_key(path)
    if not path.is_file():
        near = difflib.get_close_matches(path.name, _siblings(path), n=1)
        hint = f" Did you mean {str(path.with_name(near[0]))!r}?" if near else ""
        raise BackboneError(f"checkpoint={str(path)!r} is not a file.{hint}")
    if _is_safetensors(path):
        return Checkpoint(path, "", _read_safetensors(path))
    return _weights_in(path, _read_torch(path), key)


def _file_and_key(path: Path | str) -> tuple[Path, str | None]:
    text = str(path)
    if "#" in text and not Path(text).exists():
        file, _, key = text.rpartition("#")
        return Path(file).expanduser(), key
    return Path(text).expanduser(), None


def _siblings(path: Path) -> list[str]:
    return [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []


def _is_safetensors(path: Path) -> bool:
    if path.suffix == ".safetensors":
        return True
    with path.open("rb") as file:
        head = file.read(9)
    # eight bytes of length, then JSON
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise BackboneError(
            f"{path} is not a sound safetensors file ({error}). Copy or download it again."
        ) from error


def _read_torch(path: Path) -> Any:
    allowed: list[Any] = []
    mend = "Copy or download it again, or save the weights alone: torch.save(model.state_dict(), …)"
    # Each round allows one more of the known bystanders, as the empty object that stands for it.
    while True:
        try:
            with torch.serialization.safe_globals(allowed):
                return torch.load(
                    path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
                )
        except Exception as error:  # torch raises almost anything on damaged files
            name = _refused_global(error)
            if name is None:
                raise BackboneError(
                    f"{path} cannot be read as a checkpoint ({_first_line(error)}). {mend}."
                ) from error
            if not _BYSTANDERS.fullmatch(name) or name in {said for _, said in allowed}:
                raise BackboneError(
                    f"{path} is refused: opening it would run code. It holds a pickled reference "
                    f"to {name}, and only tensors and plain containers are read. If you trust the "
                    "file, open it where it was made and save the weights alone: "
                    "torch.save(model.state_dict(), 'weights.pt')."
                ) from error
            kind = _Bystander if name.startswith("numpy.") else _DictBystander
            allowed.append((kind, name))


def _refused_global(error: Exception) -> str | None:
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    return found[1] if found else None


def _first_line(error: Exception) -> str:
    # torch puts its advice to load without this protection in front of the cause
    cause = re.search(r"WeightsUnpickler error: (.*)", str(error))
    lines = [cause[1]] if cause else str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _weights_in(path: Path, value: Any, key: str | None) -> Checkpoint:
    if not isinstance(value, Mapping):
        raise BackboneError(
            f"{path} holds a {type(value).__name__}, not weights. Save them with "
            "torch.save(model.state_dict(), path)."
        )
    held = {str(name): inner for name, inner in value.items()}
    if key is not None:
        if not _tensors(held.get(key)):
            near = [name for name, inner in held.items() if _tensors(inner)]
            raise BackboneError(
                f"{path} has no weights under {key!r}; it has some under: {_listed(near)}."
            )
        return Checkpoint(path, key, _tensors(held[key]))
    inner = [name for name in _WEIGHTS if _tensors(held.get(name))]
    if inner:
        # The first is taken; which one can be said with file#key.
        return Checkpoint(path, inner[0], _tensors(held[inner[0]]))
    plain = _tensors(held)
    if plain:
        return Checkpoint(path, "", plain)
    raise BackboneError(
        f"{path} holds no weights: its keys are {_listed(list(held))}. Expected is a dict of "
        f"tensors, or one under a key such as {', '.join(map(repr, _WEIGHTS[4:8]))}; another key "
        "is named with checkpoint='file#key'."
    )


def _tensors(value: Any) -> dict[str, Tensor]:
    """The tensors of a (perhaps nested) dict; nothing where it is none."""
    if not isinstance(value, Mapping):
        return {}
    return {str(name): one for name, one in value.items() if isinstance(one, Tensor)}


def _unwrapped(
    state: Mapping[str, Tensor], own: Mapping[str, Any]
) -> tuple[dict[str, Tensor], str]:
    """Names without the marks of wrappers, and the prefix under which most fit the network."""
    inner = {part for name in own for part in name.split(".")}
    marks = _WRAPPERS - inner
    plain = {
        ".".join(part for part in name.split(".") if part not in marks): value
        for name, value in state.items()
    }
    fits: Counter[str] = Counter()
    for name, value in plain.items():
        parts = name.split(".")
        for start in range(len(parts)):
            entry = own.get(".".join(parts[start:]))
            if entry is not None:
                # A right shape counts most: "weight" alone ends many names.
                prefix = "".join(f"{part}." for part in parts[:start])
                fits[prefix] += 2 if entry[1].shape == value.shape else 1
    # Of those that fit alike (the robustness library holds the network twice) the shortest.
    best = min(fits, key=lambda prefix: (-fits[prefix], len(prefix)), default="")
    return plain, best


def _beside(name: str) -> bool:
    """What known wrappers keep beside the network, and copies of it."""
    parts = name.split(".")
    return (
        bool({"attacker", "normalizer", "normalize"} & set(parts[:-1]))
        or parts[-1] in ("n_averaged", "num_batches_tracked")
    )  # fmt: skip


def _near(names: Sequence[str], others: Iterable[str]) -> str:
    pool = list(others)
    said = []
    for name in names[:_LISTED]:
        near = difflib.get_close_matches(name, pool, n=1, cutoff=0.6)
        said.append(f"{name} (nearest: {near[0]})" if near else name)
    return ", ".join(said) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")


def _listed(names: Sequence[str]) -> str:
    return _near(names, ()) or "none"
