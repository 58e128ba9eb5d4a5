"""Loading a network of the transformers library: all of its weights, and no code.

Checkpoints are read as safetensors, or as pickles of which only tensors are allowed.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import pickle
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from clearhead.errors import BackboneError, MissingDependencyError

__all__ = ["Loaded", "explained", "load_network", "read_config", "require_transformers"]

_LISTED = 6


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network and the names of weights that its checkpoint lacks."""

    network: nn.Module
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def require(self, name: str, *, optional: str = "") -> None:
        """Refuse random weights, except in parts whose name has `optional` in it."""
        missing = [
            key for key in self.missing if not (optional and optional in f".{key}".split(".")[:-1])
        ]
        if not missing:
            return
        base = getattr(self.network, "base_model_prefix", "") + "."
        has_head = getattr(self.network, "base_model", self.network) is not self.network
        if has_head and not any(key.startswith(base) for key in missing):
            raise BackboneError(
                f"{name}: its checkpoint has no weights for the head ({_listed(missing)}), which "
                "transformers would fill with random numbers. Fine-tune the head and save it, or "
                "open the network as an encoder: pooling='cls' (or 'mean', 'last')."
            )
        raise BackboneError(
            f"{name}: its checkpoint lacks {len(missing)} of the network's weights: "
            f"{_with_nearest(missing, self.unexpected)}. It was saved from another class than "
            f"{type(self.network).__name__}, or under a prefix: save it again with save_pretrained."
        )


def load_network(loader: Any, folder: Path, name: str) -> Loaded:
    """Load a network with `loader`, an ``AutoModel…`` or a model class of transformers.

    Raises
    ------
    BackboneError
        The checkpoint is not sound: a payload that would execute, sizes that do not fit,
        no weights, a class that transformers does not know.
    """
    with explained(name, "its weights"):
        network, info = loader.from_pretrained(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # they are refused below, all of them by name
            output_loading_info=True,
        )
    mismatched = sorted(info["mismatched_keys"])
    if mismatched:
        sizes = ", ".join(
            f"{key} {list(there)} for {list(here)}" for key, there, here in mismatched
        )
        raise BackboneError(
            f"{name}: the checkpoint's weights do not fit its config.json: {sizes}. They belong "
            "to another network; save both again with save_pretrained."
        )
    network = network.float().eval()
    if getattr(network.config, "use_cache", False):
        network.config.use_cache = False  # the next token is not asked for
    return Loaded(
        network, tuple(sorted(info["missing_keys"])), tuple(sorted(info["unexpected_keys"]))
    )


def read_config(folder: Path, name: str) -> Any:
    """Read the network's ``config.json`` as transformers understands it."""
    from transformers import AutoConfig

    with explained(name, "its config.json"):
        return AutoConfig.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )


def require_transformers(name: str) -> None:
    """Say how to install transformers where it is missing."""
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} needs the package transformers ({error}). Install it with "
            "pip install 'clearhead[hf]'"
        ) from error


@contextlib.contextmanager
def explained(name: str, what: str) -> Iterator[None]:
    """Turn what transformers raises into one line; keep its reports and bars quiet."""
    with _quiet_transformers(), warnings.catch_warnings():
        # torch warns of an odd pickle and then refuses it, which is said below
        warnings.filterwarnings("ignore", message="Detected pickle protocol")
        try:
            yield
        except ImportError as error:
            raise MissingDependencyError(
                f"{name}: {what} needs a package that is not installed: {_line(error)}"
            ) from error
        except pickle.UnpicklingError as error:
            raise BackboneError(
                f"{name}: {what} are a pickle that holds more than tensors, which could execute "
                f"code: {_payload(error)}. It was not loaded. Ask for a safetensors file, or, if "
                "you trust it, load it yourself and save it again with save_pretrained."
            ) from error
        except json.JSONDecodeError as error:
            raise BackboneError(f"{name}: {what} is not valid JSON: {error}") from error
        except Exception as error:
            if "trust_remote_code" in str(error):
                raise BackboneError(
                    f"{name} brings Python code of its own, which is not run here. Load it "
                    "yourself with trust_remote_code=True and use Backbone.from_module."
                ) from error
            raise BackboneError(f"{name}: {what} could not be read: {_line(error)}") from error


def _payload(error: Exception) -> str:
    """Which name the pickle asks for, in torch's words."""
    for line in str(error).splitlines():
        if "GLOBAL" in line or "Unsupported" in line:
            return line.split("WeightsUnpickler error:")[-1].strip().rstrip(".")
    return _line(error)


def _line(error: Exception) -> str:
    """What an exception says, on one line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _listed(keys: list[str]) -> str:
    more = f" and {len(keys) - _LISTED} more" if len(keys) > _LISTED else ""
    return ", ".join(keys[:_LISTED]) + more


def _with_nearest(missing: list[str], unexpected: tuple[str, ...]) -> str:
    parts = []
    for key in missing[:_LISTED]:
        near = difflib.get_close_matches(key, unexpected, n=1, cutoff=0.6)
        parts.append(f"{key} (it has {near[0]})" if near else key)
    more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
    return ", ".join(parts) + more


@contextlib.contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Loading reports and progress bars off; the user's settings back on leaving."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
