"""What would have to be otherwise for another prediction: of one example, or by words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from clearhead.data.nearest import did_you_mean
from clearhead.debug import Counterfactual, Inputs, counterfactual
from clearhead.debug.images import ImageCounterfactuals, flip_picture
from clearhead.debug.texts import FlippedText, WordCounterfactuals, flip_text, word_counterfactuals
from clearhead.errors import InputError
from clearhead.events import Event, emit
from clearhead.run.choices import check_choice
from clearhead.run.debugging import inputs_of

if TYPE_CHECKING:
    from clearhead.run.run import Run

__all__ = ["Flip", "exchange_words", "flip"]


@dataclass(frozen=True)
class Flip:
    """How near another prediction is to one example.

    Parameters
    ----------
    id : str
    true, predicted : str
    features : Counterfactual or None
        The smallest change of the features in use; None where the layer cannot be left.
    inputs : FlippedText, ImageCounterfactuals or None
        The smallest change of the text, or of the picture, that the network was run on; None
        without the network.
    feature_names : mapping
        Names of the features that move, where they have one.
    """

    id: str
    true: str
    predicted: str
    target: str | None
    features: Counterfactual | None
    inputs: FlippedText | ImageCounterfactuals | None
    feature_names: Mapping[int, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "id": self.id,
            "true": self.true,
            "predicted": self.predicted,
            "target": self.target,
            "features": None if self.features is None else self.features.to_dict(),
            "inputs": None if self.inputs is None else self.inputs.to_dict(),
        }

    def lines(self, most: int = 5) -> list[str]:
        """Say it in lines: first the input, then the features."""
        said = [f"{self.id}: predicted {self.predicted}, labelled {self.true}"]
        if self.inputs is not None:
            said.append(f"  input: {self.inputs}")
        if self.features is None:
            return [*said, "  features: no change of those in use leads there"]
        found = self.features
        said.append(
            f"  features: becomes {self.target} when these move, {found.size:.2f} standard "
            "deviations in all"
        )
        moves = zip(found.features, found.before, found.after, strict=True)
        for feature, before, after in list(moves)[:most]:
            named = f" ({self.feature_names[feature]})" if feature in self.feature_names else ""
            said.append(f"    feature {feature}{named}: {before:+.2f} to {after:+.2f}")
        if len(found.features) > most:
            said.append(f"    and {len(found.features) - most} more, less far")
        return said

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        from html import escape

        parts = [one._repr_html_() for one in (self.inputs, self.features) if one is not None]
        return f"<p>{escape(self.lines()[0])}</p>" + "".join(parts)


def flip(run: Run, example: str, to: str | None = None, *, layer: str = "sparse") -> Flip:
    """Find the smallest changes of one example that flip the prediction of a layer.

    Raises
    ------
    InputError
        There is no such example, or no such class.
    """
    store, names = run.store, run.layer(layer).class_names
    at = np.flatnonzero(store.ids.astype(str) == str(example))
    if not at.size:
        near = did_you_mean(str(example), map(str, store.ids[:20000]))
        raise InputError(f"example: {run.folder} has no example {example!r}.{near}")
    if to is not None and to not in names:
        raise InputError(
            f"to: there is no class {to!r}; classes are {', '.join(names[:10])}."
            f"{did_you_mean(to, names)}"
        )
    row = int(at[0])
    view = run.view(str(store.split[row]), layer=layer)
    place = int(np.flatnonzero(view.ids.astype(str) == str(example))[0])
    target = None if to is None else names.index(to)
    predicted = int(view.predicted[place])
    if target == predicted:
        raise InputError(f"to: {example} is predicted {to} already. Name another class.")
    found = counterfactual(view, place, target)
    inputs, reason = inputs_of(run, layer=layer)
    if inputs is None:
        message = f"the example itself was not changed, only its features: {reason}"
        emit(run.on_event, Event("flip", "warning", message))
    return Flip(
        id=str(example),
        true=names[int(view.labels[place])],
        predicted=names[predicted],
        target=to if found is None else names[found.target],
        features=found,
        inputs=None if inputs is None else _flip_input(inputs, row, target),
        feature_names={one.feature: one.name for one in run.explained.names},
    )


def _flip_input(inputs: Inputs, row: int, target: int | None) -> FlippedText | ImageCounterfactuals:
    if inputs.modality == "text":
        return flip_text(inputs, row, target=target)
    return flip_picture(inputs, inputs.example(row))


def exchange_words(run: Run, *, layer: str = "sparse") -> WordCounterfactuals:
    """Exchange words by the lists of the features that a prediction uses, and count flips.

    Raises
    ------
    InputError
        The layer is the dense one, which is compared with in any case.
        The run's features have no words: its data are no texts, or it was explained quickly.
    """
    check_choice("layer", layer, ("sparse", "edited"))
    words = run.explained.words
    if words is None:
        raise InputError(
            f"{run.folder} has no words of its features, which are what is exchanged. Of texts "
            f"`clearhead explain {run.folder}` finds them; of pictures name an example."
        )
    inputs, reason = inputs_of(run, layer=layer)
    if inputs is None:
        raise InputError(f"No word can be exchanged: {reason}")
    return word_counterfactuals(inputs, words)
