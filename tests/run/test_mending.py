"""A planted word is found, unlinked, and the class is seen without it."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

import clearhead
from clearhead.data import TextDataset
from clearhead.debug import Inputs
from clearhead.errors import InputError
from clearhead.layer import (
    NOTHING,
    Again,
    Edited,
    Sparsest,
    Unlink,
    weighted_accuracy,
    with_ways,
)
from clearhead.layer.shift_map import ShiftMap
from clearhead.layer.unlink import WAYS
from clearhead.run import Run
from clearhead.run.edit_effect import worries
from clearhead.run.editing import edit_run, rows_of, training_rows
from clearhead.run.mending import measure_unlink
from tests.debug.counted import CLASSES, PLANTED, Word, dataset, run_of

TARGET = CLASSES.index("wild")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_of(tmp_path_factory.mktemp("mend") / "run", 0.9)


@pytest.fixture(scope="module")
def unlink(run: Run) -> Unlink:
    inputs = Inputs(run.backbone, run.dataset, run.store, run.layer(), run.layer("dense"))
    return measure_unlink(inputs, Word(PLANTED), TARGET)


def recall(run: Run, layer: clearhead.DecisionLayer) -> float:
    """Of the class, on texts without the word."""
    clean = dataset(0.0, n=300, seed=5)
    texts = [clean.load(i) for i in range(len(clean))]
    backbone = run.backbone
    seen = layer.predict(backbone.features(backbone.prepare(texts)).numpy())
    return float((seen[clean.labels == TARGET] == TARGET).mean())


def taken(run: Run, layer: clearhead.DecisionLayer) -> float:
    """Share of other classes' texts that are taken for the class with the word in them."""
    clean = dataset(0.0, n=300, seed=6)
    texts = [f"{clean.load(i)} {PLANTED}" for i in np.flatnonzero(clean.labels != TARGET)]
    backbone = run.backbone
    seen = layer.predict(backbone.features(backbone.prepare(texts)).numpy())
    return float((seen == TARGET).mean())


def test_a_finding_of_debug_is_mended(run: Run) -> None:
    findings = run.debug()
    number = next(
        i for i, one in enumerate(findings, 1) if PLANTED in (one.pattern or "") and one.confirmed
    )
    before = recall(run, run.layer())
    result = run.edit(finding=number)
    assert recall(run, result.layer) > before + 0.1
    own = [row for row in result.rows if row.kind == "pattern" and row.split == "test"]
    (seen,) = (row for row in own if row.what.startswith("recall of wild without"))
    assert seen.after.value > seen.before.value
    (flipped,) = (row for row in own if "taken for wild" in row.what)
    assert flipped.after.value < flipped.before.value - 0.3
    assert "λ was chosen again" in str(result)
    assert isinstance(run.edits[0], Unlink)
    assert run.edits[0].way
    assert run.undo().fingerprint == run.layer().fingerprint
    assert run.redo().fingerprint == result.layer.fingerprint
    run.undo()


def test_an_unlink_survives_its_files(run: Run, unlink: Unlink) -> None:
    again = Unlink.from_parts(unlink.to_dict(), unlink.arrays())
    assert again.to_dict() == unlink.to_dict()
    for name, array in unlink.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
    assert set(again.held_out) == {"validation", "test"}


def test_a_held_out_split_weighs_the_class_as_much_as_all_others(run: Run, unlink: Unlink) -> None:
    rows = rows_of(run, "test")
    column = int(np.abs(unlink.shifts.mean(axis=0)).argmax())
    for share in (0.0, 0.25):
        changed = unlink.held_out["test"].apply(rows, TARGET, share)
        has, weight = changed.rows.features[:, column] > 0.5, changed.rows.weight
        own = changed.rows.labels == TARGET
        for here in (own, ~own):
            assert weight[here].sum() == pytest.approx(rows.n / 2)
            assert weight[here & has].sum() == pytest.approx(share * rows.n / 2)
        assert not has[changed.without].any()
        assert has[changed.inserted].all()


def test_what_is_shuffled_says_nothing_about_the_class(run: Run, unlink: Unlink) -> None:
    rows = training_rows(run)
    changed = replace(unlink, way="shuffled 3").change(rows, CLASSES)
    scale = rows.features.std(axis=0, dtype=np.float64)
    assert scale.min() > 0
    directions = np.linalg.svd(unlink.shifts / scale, full_matrices=False)[2][:3]
    own = rows.labels == TARGET

    def split(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        along = features / scale @ directions.T
        return along, features / scale - along @ directions

    before, rest = split(rows.features)
    after, rest_after = split(changed.features)
    gap = [(one[own].mean(0) - one[~own].mean(0)) / one.std(0) for one in (before, after)]
    assert np.abs(gap[0]).max() > 1
    assert np.abs(gap[1]).max() < 0.3
    np.testing.assert_allclose(rest_after, rest, atol=1e-3)


def test_what_is_predicted_scatters_as_it_did(run: Run, unlink: Unlink) -> None:
    """The planted word is gone, the rest of a text differs as much as without the word."""
    rows = training_rows(run)
    changed = replace(unlink, way="predicted").change(rows, CLASSES).features
    column = int(np.abs(unlink.shifts.mean(axis=0)).argmax())
    own, probes = unlink.carriers, unlink.probes
    assert rows.features[own, column].mean() > 0.9
    assert abs(changed[own, column].mean() - rows.features[probes, column].mean()) < 0.1
    others = np.setdiff1d(np.arange(rows.n), own)
    np.testing.assert_array_equal(changed[others], rows.features[others])
    shown = rows.features[probes] + unlink.shifts
    back = ShiftMap.fit(shown, -unlink.shifts)
    plain = rows.features[own] + back.predict(rows.features[own])
    missed = (-unlink.shifts - back.predict(shown)).var(axis=0).sum()
    assert (changed[own] - plain).var(axis=0).sum() == pytest.approx(missed, rel=0.3)


def test_the_class_without_the_pattern_is_known_by_what_was_seen(run: Run, unlink: Unlink) -> None:
    """Predicted features stand for it only where nothing else does."""
    rows = rows_of(run, "validation")
    held = unlink.held_out["validation"]
    assert len(held.replaced)
    own = np.flatnonzero(rows.labels == TARGET)
    shown = replace(held, carriers=own)
    n = rows.n + len(held.probes) + len(own)
    assert shown.apply(rows, TARGET).rows.n == n
    nothing = replace(shown, replaced=held.replaced[:0], replacements=held.replacements[:0])
    changed = nothing.apply(rows, TARGET).rows
    assert changed.n == n + len(own)
    assert changed.weight[n:].sum() == pytest.approx(0.9 * rows.n / 2)


def test_of_ways_that_hardly_differ_the_one_is_taken_that_costs_least(
    run: Run, unlink: Unlink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measured by hand for every way: the way taken, and what the others would have been."""
    rows = rows_of(run, "validation")
    unlinked = unlink.held_out["validation"].apply(rows, TARGET).rows
    seen = {}
    for way in unlink.ways(training_rows(run), CLASSES):
        layer = edit_run(run, [replace(unlink, way=way)], dry_run=True).layer
        right = layer.predict(rows.features) == rows.labels
        seen[way] = (weighted_accuracy(layer, unlinked), right.mean())
    best = max(score for score, _ in seen.values())
    for near in (0.0, 1.0):
        monkeypatch.setattr(sys.modules[with_ways.__module__], "NEAR", near)
        (edit,) = edit_run(run, [unlink], dry_run=True).edits
        assert isinstance(edit, Unlink)
        score, as_it_is = seen[edit.way]
        if near:
            assert as_it_is >= max(right for _, right in seen.values()) - 0.01
        else:
            assert score >= best - 0.01  # ways are compared at a coarser tolerance


def test_a_way_after_which_the_pattern_fools_more_is_taken_only_where_there_is_no_other(
    run: Run, unlink: Unlink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How often each way is fooled is measured by hand; so many more as the least are allowed."""
    rows = rows_of(run, "validation")
    unlinked = unlink.held_out["validation"].apply(rows, TARGET)
    before = unlinked.fooled(run.layer(), TARGET)
    assert len(before) == len(unlink.held_out["validation"].probes)
    assert before.mean() > 0.2  # the word does decide
    seen = {}
    for way in unlink.ways(training_rows(run), CLASSES):
        layer = edit_run(run, [replace(unlink, way=way)], dry_run=True).layer
        more = unlinked.fooled(layer, TARGET).mean() - before.mean()
        seen[way] = (weighted_accuracy(layer, unlinked.rows), more)
    least = min(more for _, more in seen.values())
    module = sys.modules[with_ways.__module__]
    monkeypatch.setattr(module, "NEAR", 0.0)
    chosen = {}
    for allowed in (least + 0.005, least - 0.5):  # the second allows none, so all
        monkeypatch.setattr(module, "MORE_FOOLED", allowed)
        (edit,) = edit_run(run, [unlink], dry_run=True).edits
        assert isinstance(edit, Unlink)
        chosen[allowed] = seen[edit.way]
    one, other = chosen.values()
    assert one[1] <= least + 0.02  # ways are compared at a coarser tolerance
    assert other[0] >= max(score for score, _ in seen.values()) - 0.01


def test_every_way_that_can_be_gone_is_solved(run: Run, unlink: Unlink) -> None:
    rows, layer = training_rows(run), run.layer()
    assert set(unlink.ways(rows, CLASSES)) == set(WAYS)
    nothing = replace(unlink, replaced=unlink.replaced[:0], replacements=unlink.replacements[:0])
    assert not any("taken out" in way for way in nothing.ways(rows, CLASSES))
    for way in WAYS:
        one = replace(unlink, way=way)
        one.check(layer)
        assert (one.change(rows, CLASSES).features != rows.features[:1]).any()
        assert unlink.pattern in one.describe()
    with pytest.raises(InputError, match="way is one of taken out, predicted, weighed, shuffled 3"):
        replace(unlink, way="magic").check(layer)


def test_a_mend_that_would_do_harm_is_not_made(run: Run, unlink: Unlink) -> None:
    """Every example of the class becomes one of another class."""
    labels = rows_of(run, "train").labels
    own, others = np.flatnonzero(labels == TARGET), np.flatnonzero(labels != TARGET)
    wrong = replace(
        unlink,
        probes=unlink.probes[:0],
        shifts=unlink.shifts[:0],
        replaced=own,
        replacements=run.store.matrix("train")[np.resize(others, len(own))],
    )
    result = edit_run(run, [wrong], dry_run=True)
    assert isinstance(result.edits[0], Unlink)
    assert result.edits[0].way == NOTHING
    np.testing.assert_array_equal(result.layer.weight, run.layer().weight)
    assert any("was not unlinked" in text for text in result.warnings)


def test_a_pattern_that_fools_the_layer_more_than_before_is_said(run: Run, unlink: Unlink) -> None:
    mend = replace(unlink, way="predicted")
    again = Again(Sparsest(), rows_of(run, "validation"), 1e-3)
    before = edit_run(run, [mend], dry_run=True).layer
    for after, said in ((before, False), (run.layer(), True)):
        texts = worries(before, Edited(after, solved=True), [mend], [mend], again)
        assert any("than before" in text for text in texts) == said


def test_counterexamples_of_a_data_set(run: Run) -> None:
    """Others with the word, and the class without it: it is no sign of the class."""
    clean = dataset(0.0, n=200, seed=7)
    texts = [
        clean.load(i) if clean.labels[i] == TARGET else f"{clean.load(i)} {PLANTED}"
        for i in range(len(clean))
    ]
    labels = [CLASSES[label] for label in clean.labels]
    more = TextDataset.from_texts(texts, labels, name="more", seed=0, class_names=CLASSES)
    result = run.edit(counterexamples=more, dry_run=True)
    assert taken(run, result.layer) < taken(run, run.layer()) - 0.3
    assert "more" in str(result)
