"""Everything that explains the features of a run, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clearhead.explain.detection import Trust
from clearhead.explain.examples import FeatureExamples
from clearhead.explain.lime import LimeExplanations
from clearhead.explain.names import FeatureName
from clearhead.explain.visualization import FeatureVisualization
from clearhead.explain.words import WordTable

__all__ = ["Explained"]


@dataclass(frozen=True, eq=False)
class Explained:
    """What each feature responds to, by every means that were tried.

    Parameters
    ----------
    examples : sequence of FeatureExamples
    lime : LimeExplanations or None
        What the parts of some examples do to the features.
    words : WordTable or None
        Of texts: LIME's weights, word by word.
    visualizations : sequence of FeatureVisualization
        Of pictures: what was made to activate a feature.
    names : sequence of FeatureName
        One a feature; a person's before any other.
    trust : sequence of Trust
        How far each feature's explanations predict where it fires.
    notes : sequence of str
        How much was explained, and what was not and why, in sentences.
    """

    examples: Sequence[FeatureExamples]
    lime: LimeExplanations | None = None
    words: WordTable | None = None
    visualizations: Sequence[FeatureVisualization] = ()
    names: Sequence[FeatureName] = ()
    trust: Sequence[Trust] = ()
    notes: Sequence[str] = ()

    def name(self, feature: int) -> str | None:
        """What a feature is called; None where nothing names it."""
        return next((one.name for one in self.names if one.feature == feature), None)

    def __repr__(self) -> str:
        clear = sum(one.clear for one in self.trust)
        parts = [f"{len(self.examples)} features"]
        if self.lime is not None:
            parts.append(f"LIME on {len(self.lime)} examples")
        if self.visualizations:
            parts.append(f"{len(self.visualizations)} visualizations")
        if self.trust:
            parts.append(f"{clear} of {len(self.trust)} clear")
        return f"Explained({', '.join(parts)})"

    def _repr_html_(self) -> str:
        from html import escape

        of = {one.feature: one for one in self.names}
        rows = [str(of.get(one.feature, one)) for one in self.trust]
        items = "".join(f"<li>{escape(row)}</li>" for row in rows)
        return f"<p>{escape(repr(self))}</p><ul>{items}</ul>"
