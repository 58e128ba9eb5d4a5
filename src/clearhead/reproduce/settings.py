"""The five settings: what each reads, which network it takes, and what was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clearhead.data import Dataset
from clearhead.reproduce.jigsaw import LABELS, read_jigsaw
from clearhead.reproduce.pictures import read_imagenet, read_places_10
from clearhead.reproduce.reading import Asked
from clearhead.reproduce.sst import read_sst

__all__ = ["SETTINGS", "Published", "Setting"]


@dataclass(frozen=True)
class Published:
    """A figure to compare with.

    Parameters
    ----------
    what : str
        Which layer, measured on what.
    accuracy : float
        A share.
    features_per_class : float or None
        None for the dense layer, or where it was not published.
    source : str
    """

    what: str
    accuracy: float
    features_per_class: float | None
    source: str


@dataclass(frozen=True)
class Setting:
    """One of the paper's settings.

    Parameters
    ----------
    name : str
    read : callable
        From a path and what is asked for to the data.
    model : str or None
        The network of the reference, where a name is enough to get it.
    checkpoint : str
        Where its network comes from otherwise; empty where `model` says it.
    labels : tuple of str
        Which label is asked for; the first is the default. Empty for settings with one.
    renamed : mapping of str to str
        What the reference's network calls some of the labels, and what the data call them.
    balanced : bool
        Whether the reference balances validation and test here.
    published : tuple of Published
        Empty where no source that could be read says a figure.
    """

    name: str
    read: Callable[[Path, Asked], Dataset]
    model: str | None = None
    checkpoint: str = ""
    labels: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    balanced: bool = False
    published: tuple[Published, ...] = ()


_NOTEBOOK = "DebuggableDeepNetworks, inspect_language_models.ipynb"
_BLOG = "gradientscience.org/glm_saga"
_ROBUSTNESS = (
    "a ResNet-50 in the format of the robustness library, standard or robust: "
    "https://huggingface.co/madrylab/robust-imagenet-models lists them"
)

SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "sst",
            read_sst,
            model="barissayil/bert-sentiment-analysis-sst",
            published=(
                Published("best of the path, 872 sentences", 0.9220, None, _NOTEBOOK),
                Published("chosen layer, 872 sentences", 0.9025, 5.0, _NOTEBOOK),
            ),
        ),
        Setting(
            "jigsaw-toxic",
            read_jigsaw,
            model="unitary/toxic-bert",
            labels=LABELS,
            balanced=True,
        ),
        Setting(
            "jigsaw-alt-toxic",
            read_jigsaw,
            model="unitary/unbiased-toxic-roberta",
            labels=LABELS,
            renamed={
                "toxicity": "toxic",
                "severe_toxicity": "severe_toxic",
                "identity_attack": "identity_hate",
            },
            balanced=True,
        ),
        Setting("places-10", read_places_10, checkpoint=_ROBUSTNESS),
        Setting(
            "imagenet",
            read_imagenet,
            checkpoint=_ROBUSTNESS,
            published=(
                Published("dense layer, ResNet-50", 0.74, None, _BLOG),
                Published("sparse layer, at the cost of 2 points", 0.72, 20.0, _BLOG),
            ),
        ),
    )
}
