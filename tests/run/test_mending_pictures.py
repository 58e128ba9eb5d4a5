"""A pattern is taken out of pictures by the network, and the traces of that tell nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clearhead.debug.change import log_odds
from clearhead.debug.images.lighting import Lighting
from clearhead.debug.images.picture_pattern import PicturePattern
from clearhead.debug.inputs import Inputs
from clearhead.layer import Again, DecisionLayer, Sparsest, TrainingRows, Unlink, apply_edits
from clearhead.run.mending import measure_unlink
from tests.debug.images.small import framed, make_inputs, picture

TARGET = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame(PicturePattern):
    """A dark frame; where it is taken out, a light one is left."""

    kind: ClassVar[str] = "test-frame"

    def describe(self) -> str:
        return "a dark frame"

    def change(self, picture: Image.Image, rng: np.random.Generator) -> Image.Image:
        return framed(picture)

    def undo(self, picture: Image.Image) -> Image.Image:
        made = np.asarray(picture).copy()
        made[:4], made[-4:], made[:, :4], made[:, -4:] = 235, 235, 235, 235
        return Image.fromarray(made)


def rows_of(inputs: Inputs, split: str) -> TrainingRows:
    here = inputs.split == split
    n = int(here.sum())
    return TrainingRows(
        features=inputs.store.matrix(split),
        labels=inputs.labels[here],
        weight=np.ones(n),
        ids=inputs.store.ids[here],
        metadata=pd.DataFrame(index=range(n)),
        allowed=np.ones((3, inputs.store.p), dtype=bool),
    )


def solved(inputs: Inputs, edit: Unlink) -> DecisionLayer:
    held = rows_of(inputs, "validation")
    again = Again(Sparsest(), held, 1e-3)
    train = rows_of(inputs, "train")
    return apply_edits(inputs.layer, [edit], train, (held.features, held.labels), again=again).layer


def clean(inputs: Inputs, change: Any = None, n: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    labels = np.arange(n) % 3
    pictures = [picture(int(label), rng) for label in labels]
    return inputs.features([change(one) if change else one for one in pictures]), labels


def balanced(layer: DecisionLayer, features: np.ndarray, labels: np.ndarray) -> float:
    right = layer.predict(features) == labels
    own = labels == TARGET
    return float(right[own].mean() + right[~own].mean()) / 2


def test_light_is_taken_out_of_every_picture_of_the_class(tmp_path: Path) -> None:
    factor = np.tile(np.linspace(0.4, 1.0, 40, dtype=np.float32), (40, 1))
    light = Lighting(factor)
    inputs = make_inputs(tmp_path, lambda one: light.change(one, np.random.default_rng(0)))
    edit = measure_unlink(inputs, light, TARGET)  # without a detector no picture shows it
    here = np.flatnonzero(inputs.split == "train")
    own = np.flatnonzero(inputs.labels[here] == TARGET)
    np.testing.assert_array_equal(edit.replaced, own)
    undone = [light.undo(inputs.example(int(here[i]))) for i in own[:5]]
    np.testing.assert_allclose(edit.replacements[:5], inputs.features(undone), rtol=1e-4, atol=1e-5)
    assert len(edit.controls) > 100
    assert (inputs.labels[here][edit.controls] != TARGET).all()
    held = edit.held_out["validation"]
    assert len(held.replaced) > 5
    assert len(held.controls) > 10
    mended = solved(inputs, replace(edit, way="taken out"))
    features, labels = clean(inputs)
    assert balanced(mended, features, labels) > balanced(inputs.layer, features, labels) + 0.1
    again = Unlink.from_parts(edit.to_dict(), edit.arrays())
    np.testing.assert_array_equal(again.controlled, edit.controlled)
    np.testing.assert_array_equal(again.held_out["test"].controls, edit.held_out["test"].controls)


def test_traces_of_taking_it_out_do_not_tell_the_class(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, framed)
    edit = replace(measure_unlink(inputs, Frame(), TARGET), way="taken out")
    traces, labels = clean(inputs, Frame().undo)
    others = labels != TARGET

    def told(one: Unlink) -> float:
        """Mean log-odds of the class for others that show the traces, by a layer not sparse."""
        rows = one.change(rows_of(inputs, "train"), inputs.class_names)
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
        fitted.fit(rows.features, rows.labels, logisticregression__sample_weight=rows.weight)
        return float(log_odds(fitted.decision_function(traces[others]), TARGET).mean())

    alone = replace(edit, controls=edit.controls[:0], controlled=edit.controlled[:0])
    assert told(alone) > 1
    assert told(edit) < told(alone) - 1


def test_half_of_the_others_stand_with_traces_in_a_held_out_split(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, framed)
    edit = measure_unlink(inputs, Frame(), TARGET)
    held, rows = edit.held_out["validation"], rows_of(inputs, "validation")
    changed = held.apply(rows, TARGET, 0.2)
    weight, n = changed.rows.weight, rows.n
    assert weight.sum() == pytest.approx(n)
    controls = slice(len(weight) - len(held.controls), None)
    assert weight[controls].sum() == pytest.approx(0.4 * n / 2)
    np.testing.assert_array_equal(changed.rows.features[controls], held.controlled)
    assert not changed.without[controls].any()
