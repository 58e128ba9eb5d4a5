"""Where a network's files are: a folder, or a name on the Hugging Face hub.

Names go through ``huggingface_hub``, with its cache, its tokens and its offline mode.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from clearhead.backbones.open import NAMES
from clearhead.errors import BackboneError, MissingDependencyError

__all__ = ["locate"]

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
_WEIGHTS = re.compile(r"(pytorch_)?model(-\d+-of-\d+)?\.(safetensors|bin)")
_SETTINGS = {".json", ".txt", ".model", ".jinja"}
_OTHER_FORMATS = {"onnx", "openvino", "coreml", "original", "runs"}


def locate(spec: str | Path, revision: str | None = None) -> tuple[Path, str]:
    """Find the folder of a network, and its name for people.

    Parameters
    ----------
    spec : str or Path
        A folder, or a name such as ``"google/vit-base-patch16-224"``.
    revision : str, optional
        Branch, tag or commit on the hub.

    Raises
    ------
    BackboneError
        It is neither; or the hub has it, but cannot be reached.
    """
    text = str(spec)
    folder = Path(text).expanduser()
    if folder.is_dir():
        if not any((folder / name).is_file() for name in ("config.json", "modules.json")):
            raise BackboneError(
                f"{text} holds no config.json, so it is not a Hugging Face network. Save one "
                "there with model.save_pretrained(folder), and the tokenizer or image processor "
                "beside it."
            )
        return folder, folder.resolve().name
    if folder.exists():
        raise BackboneError(
            f"{text} is a file; a network is a folder with its config.json and weights, or a name."
        )
    if not _NAME.fullmatch(text):
        near = _nearest_folder(folder)
        raise BackboneError(
            f"{text}: there is no such folder{near}. A network is a folder, a name on the Hugging "
            f"Face hub (owner/name), or one that comes with a package: {', '.join(NAMES)}."
        )
    return _download(text, revision), text


def _nearest_folder(folder: Path) -> str:
    names = [p.name for p in folder.parent.iterdir()] if folder.parent.is_dir() else []
    near = difflib.get_close_matches(folder.name, names, n=1)
    return f" (did you mean {folder.parent / near[0]}?)" if near else ""


def _download(name: str, revision: str | None) -> Path:
    """The snapshot of a network in the hub's cache, downloaded if need be and possible."""
    try:
        from huggingface_hub import HfApi, errors, snapshot_download
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} is not a folder; to look for it on the Hugging Face hub, transformers is "
            f"needed ({error}). Install it with pip install 'clearhead[hf]'"
        ) from error
    try:
        info = HfApi().model_info(name, revision=revision, timeout=20)
        files = [sibling.rfilename for sibling in info.siblings or ()]
        wanted = _wanted(files)
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted))
    except errors.GatedRepoError as error:
        raise BackboneError(
            f"{name} is gated on the Hugging Face hub: ask for access on its page, then log in "
            "with `hf auth login`."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BackboneError(
            f"{name} has no revision {revision!r} on the Hugging Face hub."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise BackboneError(
            f"{name!r} is not the name of a network.{_hint(name)} It is not on the Hugging Face "
            f"hub (or private: log in with `hf auth login`), there is no such folder, and with "
            f"packages come only {', '.join(NAMES)}."
        ) from error
    except Exception as error:  # offline mode, no route, a proxy: whichever client library says so
        try:
            return Path(snapshot_download(name, revision=revision, local_files_only=True))
        except Exception:  # noqa: S110  the reason below is the first one
            pass
        raise BackboneError(
            f"{name!r} is not the name of a network that is here.{_hint(name)} It is no folder, it "
            f"is not in the Hugging Face cache, and the hub cannot be reached "
            f"({_reason(error)}). Where there is a network, `hf download {name} --local-dir "
            f"FOLDER` fetches it; then pass the folder in place of the name. With packages come "
            f"{', '.join(NAMES)}."
        ) from None


def _wanted(files: Sequence[str]) -> list[str]:
    """Settings, tokenizer, and the weights once: safetensors rather than pickles."""
    paths = [PurePosixPath(file) for file in files]
    paths = [path for path in paths if not _OTHER_FORMATS & set(path.parts[:-1])]
    weights = [path for path in paths if _WEIGHTS.fullmatch(path.name)]
    safe = {path.parent for path in weights if path.suffix == ".safetensors"}
    kept = [path for path in weights if path.suffix == ".safetensors" or path.parent not in safe]
    kept += [path for path in paths if path.suffix in _SETTINGS]
    return sorted(str(path) for path in kept)


def _hint(name: str) -> str:
    near = difflib.get_close_matches(name.lower().replace("_", "-"), NAMES, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def _reason(error: Exception) -> str:
    if "offline mode" in str(error):
        return "offline mode: HF_HUB_OFFLINE is set"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".")[:120]
