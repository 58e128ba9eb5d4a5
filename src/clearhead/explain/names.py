"""What is a feature called, and how far does the name go?

A name's score is the balanced accuracy, on examples that were not explained, of predicting from
the name alone where the feature fires (:mod:`clearhead.explain.detection`), in the direction
that it predicts better: .5 is a name no better than a coin, 1 one that says it all. It is None
where nothing was there to judge by. A person's name is kept whatever any other scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from clearhead._files import known_fields
from clearhead.errors import InputError
from clearhead.explain.detection import Detection
from clearhead.explain.feature_words import FeatureWords, shorten

__all__ = ["FeatureName", "merge_names", "name_by_words", "score_of", "suggest_names"]

NameSource = Literal["person", "words", "enrichment", "vocabulary"]
NAMED = 3  # words of a side that a name is made of


@dataclass(frozen=True)
class FeatureName:
    """The name of one feature.

    Parameters
    ----------
    feature : int
    name : str
    source : {"person", "words", "enrichment", "vocabulary"}
    score : float in [0, 1] or None
        Balanced accuracy of predicting from the name alone where the feature fires.
    """

    feature: int
    name: str
    source: NameSource
    score: float | None = None

    def __str__(self) -> str:
        score = "not judged" if self.score is None else f"{self.score:.2f}"
        return f"{self.feature}: {self.name} (by {self.source}, {score})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(**known_fields(cls, value))


def name_by_words(
    words: Sequence[FeatureWords], detections: Sequence[Detection] = ()
) -> list[FeatureName]:
    """Call a feature by its three strongest words a side: ``"terrible, worst / − moving"``.

    Parameters
    ----------
    words : sequence of FeatureWords
    detections : sequence of Detection
        How well those words predict the feature:
        ``detect_words(table, …, k=3, explanation="name")``.

    Returns
    -------
    list of FeatureName
        Of those features that have words.
    """
    found = []
    for one in words:
        sides = [
            ", ".join(shorten(word.word) for word in side[:NAMED])
            for side in (one.positive, one.negative)
        ]
        name = " / ".join(mark + side for mark, side in zip(("", "− "), sides, strict=True) if side)
        if name:
            found.append(FeatureName(one.feature, name, "words", score_of(one.feature, detections)))
    return found


def score_of(feature: int, detections: Sequence[Detection]) -> float | None:
    """Highest balanced accuracy among the detections of a feature; None if there are none."""
    return max(
        (one.balanced_accuracy for one in detections if one.feature == feature), default=None
    )


def suggest_names(*candidates: Sequence[FeatureName]) -> list[FeatureName]:
    """Choose the name with the highest score for each feature; of equals, the earliest given.

    Parameters
    ----------
    candidates : sequence of FeatureName
        Any number, such as from :func:`name_by_words` and :func:`name_by_enrichment`.

    Returns
    -------
    list of FeatureName
        One a feature, ascending.
    """
    best: dict[int, FeatureName] = {}
    for one in (name for names in candidates for name in names):
        held = best.get(one.feature)
        if held is None or _rank(one) > _rank(held):
            best[one.feature] = one
    return [best[feature] for feature in sorted(best)]


def merge_names(
    suggested: Sequence[FeatureName], given: Mapping[int, str] | Sequence[FeatureName]
) -> list[FeatureName]:
    """Put a person's names in place of those suggested.

    Parameters
    ----------
    suggested : sequence of FeatureName
        May hold names that a person gave before: they are kept unless given anew.
    given : mapping of feature to name, or sequence of FeatureName
        A person's names; of a sequence only those whose source is ``"person"``.

    Raises
    ------
    InputError
        A given name is empty.
    """
    if isinstance(given, Mapping):
        given = [FeatureName(int(j), name.strip(), "person") for j, name in given.items()]
    for one in given:
        if not one.name:
            raise InputError(f"The name given to feature {one.feature} is empty: leave it out.")
    # Sorted so that a person's names come last, and the new ones after the old.
    ordered = sorted(suggested, key=lambda one: one.source == "person")
    merged = {one.feature: one for one in ordered}
    merged |= {one.feature: one for one in given if one.source == "person"}
    return [merged[feature] for feature in sorted(merged)]


def _rank(name: FeatureName) -> tuple[bool, float]:
    return name.source == "person", -1.0 if name.score is None else name.score
