r"""Names from a vocabulary, by a network that knows pictures and words (CLIP).

Every picture :math:`i` and every name :math:`t` of the vocabulary get an embedding from the same
CLIP-style model, and :math:`P(t \mid i)` is the softmax over the vocabulary of their cosine times
the model's own scale. The name of a feature is the one with the largest soft pointwise mutual
information with the pictures that it fires on,

.. math::

    \frac{\sum_i p_i \log P(t \mid i)}{\sum_i p_i} - \log \frac{1}{n} \sum_i P(t \mid i),

where :math:`p_i` falls from 1 for the picture of highest activation to 0 over the first `k`. The
second term takes away what the name is to all pictures alike.

References
----------
Oikarinen, Weng (2023), CLIP-Dissect: Automatic description of neuron representations in deep
vision networks, section 3. Theirs has the same two terms, with the weight inside the logarithm
and a factor on the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax, logsumexp

from clearhead._types import FloatArray, IntArray
from clearhead.backbones.pretrained import explained, require_transformers
from clearhead.errors import InputError
from clearhead.explain.detection import Detection, detect
from clearhead.explain.names import FeatureName, score_of

__all__ = ["vocabulary_names", "vocabulary_similarity"]

TOP = 50


def vocabulary_names(
    clip: Path | str | tuple[Any, Any],
    images: Sequence[Any],
    activations: FloatArray,
    vocabulary: Sequence[str],
    *,
    features: Sequence[int] | IntArray | None = None,
    test: tuple[Sequence[Any], FloatArray] | None = None,
    k: int = TOP,
    batch_size: int = 32,
) -> list[FeatureName]:
    r"""Name what makes each feature fire high by the words of a vocabulary.

    Parameters
    ----------
    clip : path, or (CLIPModel, CLIPProcessor)
        A folder that holds both, as ``save_pretrained`` writes them. Nothing is downloaded.
    images : sequence of PIL.Image.Image, length n
        Of the training (and validation) split: all kinds, not only those that a feature fires on.
    activations : ndarray of shape (n, u)
        Standardised.
    vocabulary : sequence of str
        What may be named; a phrase such as ``"a photo of a shoe"`` suits most models.
    features : sequence of int, length u, optional
        By default 0 … u − 1.
    test : (images, activations), optional
        Unseen ones: the score of a name is how well :math:`P(t \mid i)` predicts firing there.
        Without them names have no score.
    k : int
        Pictures of highest activation that a feature is named by.
    batch_size : int

    Returns
    -------
    list of FeatureName

    Raises
    ------
    InputError
        The folder holds no such model, or the images and activations do not go together.
    MissingDependencyError
        transformers is not installed.
    """
    activations = np.asarray(activations, dtype=np.float64)
    indices = np.arange(activations.shape[1]) if features is None else np.asarray(features)
    if activations.shape != (len(images), len(indices)):
        raise InputError(
            f"activations: expected shape ({len(images)}, {len(indices)}), one row an image and "
            f"one column a feature, got {activations.shape}."
        )
    if not images or not vocabulary:
        raise InputError("vocabulary_names: there must be an image and a name to choose from.")
    if k < 1:
        raise InputError(f"k: expected at least 1 picture, got {k}.")
    model, processor = _open(clip)
    log_p = _log_probability(model, processor, images, vocabulary, batch_size)
    chosen = _choose(log_p, activations, k)
    detections: list[Detection] = []
    if test is not None:
        unseen = _log_probability(model, processor, test[0], vocabulary, batch_size)
        detections = detect(
            indices,
            log_p[:, chosen],
            activations,
            unseen[:, chosen],
            test[1],
            explanation="name",
            directions=("high",),
        )
    return [
        FeatureName(int(j), vocabulary[t], "vocabulary", score_of(int(j), detections))
        for j, t in zip(indices, chosen, strict=True)
    ]


def vocabulary_similarity(
    model: Any, processor: Any, images: Sequence[Any], vocabulary: Sequence[str], batch_size: int
) -> tuple[FloatArray, float]:
    """Cosine of each picture with each name, (n, M), and the scale that the model puts on it."""
    import torch

    device = model.device
    model.eval()

    def embed(batch: Sequence[Any], kind: str) -> FloatArray:
        if kind == "image":
            inputs = processor(images=[one.convert("RGB") for one in batch], return_tensors="pt")
            body, projection = model.vision_model, model.visual_projection
        else:
            inputs = processor(text=list(batch), return_tensors="pt", padding=True, truncation=True)
            body, projection = model.text_model, model.text_projection
        vectors = projection(body(**inputs.to(device)).pooler_output)
        vectors = vectors / vectors.norm(dim=1, keepdim=True)
        found: FloatArray = vectors.double().cpu().numpy()
        return found

    def all_of(items: Sequence[Any], kind: str) -> FloatArray:
        batches = range(0, len(items), batch_size)
        return np.concatenate([embed(items[i : i + batch_size], kind) for i in batches])

    with torch.no_grad():
        cosine = all_of(images, "image") @ all_of(vocabulary, "text").T
        return cosine, float(model.logit_scale.exp())


def _log_probability(*arguments: Any) -> FloatArray:
    """Logarithm of P(t | i), (n, M), from what :func:`vocabulary_similarity` takes."""
    cosine, scale = vocabulary_similarity(*arguments)
    return np.asarray(log_softmax(cosine * scale, axis=1))


def _choose(log_p: FloatArray, z: FloatArray, k: int) -> IntArray:
    """Index (u,) of the name with the largest mutual information; see the module."""
    k = min(k, len(z))
    weight = 1.0 - np.arange(k) / k
    top = np.argsort(-z, axis=0, kind="stable")[:k]
    where_it_fires = np.einsum("i,iut->ut", weight / weight.sum(), log_p[top])
    everywhere = logsumexp(log_p, axis=0) - np.log(len(z))
    chosen: IntArray = np.argmax(where_it_fires - everywhere, axis=1)
    return chosen


def _open(clip: Path | str | tuple[Any, Any]) -> tuple[Any, Any]:
    if isinstance(clip, tuple):
        return clip
    folder = Path(clip)
    if not (folder / "config.json").is_file():
        raise InputError(
            f"clip: {folder} holds no config.json. Pass a folder with a CLIP-style model and its "
            "processor, as save_pretrained writes them."
        )
    require_transformers("vocabulary_names")
    from transformers import CLIPModel, CLIPProcessor

    with explained(str(folder), "the CLIP model"):
        model = CLIPModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        return model, CLIPProcessor.from_pretrained(folder, local_files_only=True)
