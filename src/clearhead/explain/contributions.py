"""Which examples speak most for a class, and through which feature?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import pandas as pd

from clearhead._files import known_fields
from clearhead._plot import new_axes

__all__ = ["ClassContributions", "Contribution"]


@dataclass(frozen=True)
class Contribution:
    """What one feature of one example adds to the score of a class.

    Parameters
    ----------
    feature : int
    id : str
    activation : float
        Standardised.
    weight : float
        Of the feature for the class.
    value : float
        ``weight * activation``, in logits.
    """

    feature: int
    id: str
    activation: float
    weight: float
    value: float


@dataclass(frozen=True)
class ClassContributions:
    """The strongest contributions of single features to the score of one class.

    Parameters
    ----------
    class_index : int
    class_name : str
    contributions : tuple of Contribution
        Strongest first.
    """

    class_index: int
    class_name: str
    contributions: tuple[Contribution, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a contribution: feature, id, activation, weight, value."""
        columns = list(Contribution.__dataclass_fields__)
        return pd.DataFrame([asdict(one) for one in self.contributions], columns=columns)

    def plot(self, ax: Any = None) -> Any:
        """Draw the contributions as bars; return the Axes."""
        ax = new_axes() if ax is None else ax
        shown = self.contributions[::-1]
        ax.barh(range(len(shown)), [one.value for one in shown])
        ax.set_yticks(range(len(shown)), [f"{one.id}, feature {one.feature}" for one in shown])
        ax.set_xlabel("contribution (weight × activation)")
        ax.set_title(self.class_name)
        return ax

    def _repr_html_(self) -> str:
        from html import escape

        table = self.to_frame().to_html(index=False, float_format="{:+.2f}".format)
        return f"<p>{escape(self.class_name)}</p>{table}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(
            class_index=int(value["class_index"]),
            class_name=str(value["class_name"]),
            contributions=tuple(
                Contribution(**known_fields(Contribution, one)) for one in value["contributions"]
            ),
        )
