"""What explains a feature, as the report shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from clearhead._types import FloatArray
from clearhead.explain import Explained, FeatureBand, FeatureExamples, LimeExplanation
from clearhead.report import schema
from clearhead.report.pictures import picture_uri

__all__ = ["WORDS_SHOWN", "explained_card", "inner_bands"]

WORDS_SHOWN = 15
"""Words a side of a feature."""
MARKED = 0.15  # a word is marked when its weight is this share of the strongest one's
DRIVING = 3  # regions that are left bright, as the reference shows them
DIM = 0.3


def inner_bands(examples: FeatureExamples) -> list[FeatureBand]:
    """Give the bands between the ends, with the one example of each that is shown."""
    return [replace(band, examples=band.examples[:1]) for band in examples.bands[1:-1]]


def explained_card(
    card: schema.FeatureCard, examples: FeatureExamples, explained: Explained
) -> schema.FeatureCard:
    """Add words, pictures, marked examples, name and trust to a feature's card.

    Parameters
    ----------
    card : FeatureCard
    examples : FeatureExamples
        Of the same feature.
    explained : Explained
    """
    name = next((one for one in explained.names if one.feature == card.index), None)
    return card.model_copy(
        update={
            "name": None if name is None else name.name,
            "name_source": None if name is None else name.source,
            "name_score": None if name is None else name.score,
            "words": _words(card.index, explained),
            "pictures": _pictures(card.index, explained),
            "highlights": _highlights(examples, explained),
            "trust": _trust(card.index, explained),
            "bands": [
                schema.BandCard(
                    low=band.quantiles[0], high=band.quantiles[1], examples=list(band.examples)
                )
                for band in inner_bands(examples)
                if card.classes
            ],
        }
    )


def _words(feature: int, explained: Explained) -> list[schema.WordRow]:
    table = explained.words
    if table is None or feature not in table.features:
        return []
    found = table.words_of(feature, WORDS_SHOWN)
    return [
        schema.WordRow(word=w.word, weight=w.mean, low=w.low, high=w.high, count=w.count)
        for w in (*found.positive, *found.negative)
    ]


def _pictures(feature: int, explained: Explained) -> list[schema.PictureCard]:
    return [
        schema.PictureCard(
            direction=one.direction,
            method=one.method,
            image=picture_uri(one.picture),
            activation=one.activation,
            percentile=one.percentile,
            failed=bool(one.failed),
        )
        for one in explained.visualizations
        if one.feature == feature
    ]


def _trust(feature: int, explained: Explained) -> list[schema.TrustCard]:
    return [
        schema.TrustCard(
            explanation=one.explanation,
            direction=one.direction,
            accuracy=schema.Estimate(
                value=one.balanced_accuracy,
                low=one.low,
                high=one.high,
                n=one.n_fires + one.n_rest,
            ),
            clear=one.clear,
        )
        for judged in explained.trust
        if judged.feature == feature
        for one in judged.detections
    ]


def _highlights(examples: FeatureExamples, explained: Explained) -> list[schema.HighlightCard]:
    lime = explained.lime
    if lime is None or examples.feature not in lime.features:
        return []
    of = {one.id: one for one in lime}
    ends = dict.fromkeys(key for key, _ in (*examples.highest, *examples.lowest))
    return [_highlight(of[key], examples.feature) for key in ends if key in of]


def _highlight(one: LimeExplanation, feature: int) -> schema.HighlightCard:
    column = one.column(feature)
    weight = one.weight[:, column]
    r2 = float(one.r2[column])
    if one.parts.kind == "words":
        return schema.HighlightCard(key=one.id, r2=r2, spans=_spans(one, weight))
    sign = 1.0 if one.activation[column] >= 0 else -1.0
    return schema.HighlightCard(key=one.id, r2=r2, image=picture_uri(_dimmed(one, sign * weight)))


def _spans(one: LimeExplanation, weight: FloatArray) -> list[tuple[int, int, float]]:
    spans = one.parts.spans
    if spans is None or not len(weight):
        return []
    largest = float(np.abs(weight).max())
    if not largest:
        return []
    marked = np.flatnonzero(np.abs(weight) >= MARKED * largest)
    return [(int(spans[i, 0]), int(spans[i, 1]), float(weight[i])) for i in marked]


def _dimmed(one: LimeExplanation, weight: FloatArray) -> Any:
    """Darken all but the regions that drive the feature the way it goes there."""
    strongest = np.argsort(-weight, kind="stable")[:DRIVING]
    driving = strongest[weight[strongest] > 0]
    segments = one.parts.segments
    assert segments is not None
    bright = np.isin(segments, driving)[..., None]
    picture = np.asarray(one.parts.picture, dtype=np.float64)
    return np.where(bright, picture, DIM * picture).astype(np.uint8)
