"""Do the regions that LIME found predict where a feature of pictures fires?

The explanation is what the regions look like: mean and spread of their colour in CIELAB, the
strength and direction of their edges, where they are and how large. A ridge regression, one for
all features, learns the weight of a region from these and their products on the explained
examples. A picture scores as high as its strongest region for firing high, as low as its weakest
for firing low. Colour, texture and place are all that it sees: a feature that responds to a shape
stays unclear here, whatever its regions show a person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from clearhead._types import FloatArray, IntArray
from clearhead.errors import InputError, MissingDependencyError
from clearhead.explain.detection import Detection, Direction, detect
from clearhead.explain.parts import Parts, regions_of

if TYPE_CHECKING:
    from clearhead.explain.lime import LimeExplanation

__all__ = ["RegionModel", "describe_regions", "detect_regions"]

STRENGTHS = np.logspace(-1, 5, 13)  # of the ridge, chosen by generalised cross-validation
BINS = 4  # directions of edges


@dataclass(frozen=True, eq=False)
class RegionModel:
    """Predicts the LIME weight of a region, for u features, from what it looks like."""

    features: IntArray
    model: Any

    @classmethod
    def fit(cls, explanations: Sequence[LimeExplanation]) -> Self:
        """Fit to all the regions of explained pictures.

        Raises
        ------
        InputError
            There is no explanation, or one is of a text.
        """
        from sklearn.linear_model import RidgeCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import PolynomialFeatures, StandardScaler

        if not explanations:
            raise InputError("RegionModel.fit: there is no explanation to learn from.")
        looks = np.concatenate([describe_regions(one.parts) for one in explanations])
        weights = np.concatenate([one.weight for one in explanations]).astype(np.float64)
        model = make_pipeline(
            StandardScaler(),
            PolynomialFeatures(2, include_bias=False),
            StandardScaler(),
            RidgeCV(STRENGTHS, alpha_per_target=True),
        )
        model.fit(looks, weights)
        return cls(np.asarray(explanations[0].features), model)

    def score(self, pictures: Sequence[Parts]) -> tuple[FloatArray, FloatArray]:
        """Weight of the strongest and of the weakest region of each picture, each (n, u)."""
        looks = [describe_regions(one) for one in pictures]
        weights = self.model.predict(np.concatenate(looks)).reshape(-1, len(self.features))
        starts = np.cumsum([0, *(len(one) for one in looks[:-1])])
        return np.maximum.reduceat(weights, starts), np.minimum.reduceat(weights, starts)


def detect_regions(
    explanations: Sequence[LimeExplanation],
    train_images: Sequence[Any],
    train_z: FloatArray,
    test_images: Sequence[Any],
    test_z: FloatArray,
    *,
    segment: Callable[[Any], Parts] = regions_of,
) -> list[Detection]:
    """Predict from the look of a feature's regions alone where it fires.

    Parameters
    ----------
    explanations : sequence of LimeExplanation
        Of pictures of the training and validation splits, all for the same u features: the
        examples at both ends of each.
    train_images, test_images : sequence of picture
        What the network is shown, as :func:`regions_of` takes it. Those that were explained are
        better left out of the first: the threshold is set there.
    train_z, test_z : ndarray of shape (n, u)
        Their standardised activations.
    segment : callable
        Picture to regions; as it was for the explanations.
    """
    model = RegionModel.fit(explanations)
    train = model.score([segment(image) for image in train_images])
    test = model.score([segment(image) for image in test_images])
    directions: tuple[Direction, Direction] = ("high", "low")
    found = [
        one
        for direction, train_scores, test_scores in zip(directions, train, test, strict=True)
        for one in detect(
            model.features,
            train_scores,
            train_z,
            test_scores,
            test_z,
            explanation="regions",
            directions=[direction],
        )
    ]
    order = {int(j): i for i, j in enumerate(model.features)}
    return sorted(found, key=lambda one: (order[one.feature], one.direction))


def describe_regions(parts: Parts) -> FloatArray:
    """Describe the look of each region of a picture, (m, 14).

    Mean and standard deviation of L*, a* and b*, mean strength of the edges, the share of it in
    each of four directions, distance from the centre, height in the picture, and share of the
    area.
    """
    if parts.segments is None or parts.picture is None:
        raise InputError("describe_regions: expected the regions of a picture, got a text.")
    try:
        from skimage.color import rgb2lab
    except ImportError as error:
        raise MissingDependencyError(
            "The look of regions needs scikit-image, which is not installed: "
            "pip install 'clearhead[explain]'."
        ) from error
    lab = np.asarray(rgb2lab(parts.picture), dtype=np.float64)
    height, width = parts.segments.shape
    dy, dx = (np.gradient(lab[:, :, 0], axis=a) if lab.shape[a] > 1 else 0 * lab[:, :, 0]
              for a in (0, 1))  # fmt: skip
    strength = np.hypot(dx, dy)
    # An edge has no sign: its direction is an angle in [0, π).
    band = np.floor(np.mod(np.arctan2(dy, dx) / np.pi + 0.5 / BINS, 1.0) * BINS).astype(int) % BINS
    rows, columns = np.mgrid[0:height, 0:width]
    y, x = rows / height - 0.5, columns / width - 0.5
    flat = parts.segments.ravel()
    count = np.bincount(flat, minlength=len(parts)).astype(np.float64)

    def mean(values: FloatArray) -> FloatArray:
        sums = np.bincount(flat, weights=values.ravel(), minlength=len(parts))
        return np.asarray(sums / np.maximum(count, 1))

    colour = [mean(lab[:, :, c]) for c in range(3)]
    spread = [np.sqrt(np.maximum(mean(lab[:, :, c] ** 2) - colour[c] ** 2, 0.0)) for c in range(3)]
    edges = mean(strength)
    directions = [mean(strength * (band == b)) / np.maximum(edges, 1e-9) for b in range(BINS)]
    place = [mean(np.hypot(x, y)), mean(y), count / flat.size]
    return np.stack([*colour, *spread, np.log1p(edges), *directions, *place], axis=1)
