"""How much is looked at: numbers of examples, never seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from clearhead.debug.driving import LimeEffort

__all__ = ["EFFORTS", "ImageEffort"]


@dataclass(frozen=True)
class ImageEffort:
    """Budget of :func:`clearhead.debug.images.find_image_shortcuts`.

    Parameters
    ----------
    classes : int
        Classes that are looked at: those that rest most on a few features.
    receivers : int
        Validation examples into which each candidate is put.
    again : int
        Validation examples for those candidates that a class is seen to show.
    own : int
        Pictures of a class, and as many again of others, from which its candidates are made.
    learned : int
        Pictures of all classes on which it is learned how a candidate looks.
    looked : int
        Pictures of each class in which it is then looked for.
    per_class, confirmed : int
        Candidates of one class, and of all, that are measured on test.
    explained : LimeEffort
        Of the features whose driving regions are cut out.
    regions : int
        Such regions that are measured on test.
    """

    classes: int = 12
    receivers: int = 36
    again: int = 100
    own: int = 80
    learned: int = 64
    looked: int = 40
    per_class: int = 2
    confirmed: int = 6
    explained: LimeEffort = field(default_factory=LimeEffort)
    regions: int = 2


EFFORTS: Mapping[str, ImageEffort] = {
    "default": ImageEffort(),
    "full": ImageEffort(
        classes=60,
        receivers=80,
        again=300,
        own=200,
        learned=160,
        looked=120,
        confirmed=20,
        explained=LimeEffort(classes=60, features=5, examples=6, perturbations=64),
        regions=8,
    ),
}
