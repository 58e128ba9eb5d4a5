"""Near duplicates across splits, and what they do to accuracy."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearhead
from clearhead.debug import Leaks, find_leaks
from clearhead.debug.likeness import same_picture, same_text
from clearhead.debug.neighbours import directions, nearest
from clearhead.run.debugging import inputs_of, train_of
from tests.debug.counted import dataset, network

from .planted import draw, fitted, plain_layer


def leaked(share: float, seed: int = 0) -> tuple[Leaks, int]:
    rng = np.random.default_rng(seed)
    parts = {"train": draw(rng, 500)}
    copies = 0
    for name in ("validation", "test"):
        X, y = draw(rng, 300)
        twins = rng.choice(500, size=int(share * 300), replace=False)
        X[: len(twins)] = parts["train"][0][twins] + rng.normal(scale=1e-5, size=(len(twins), 12))
        y[: len(twins)] = parts["train"][1][twins]
        y[: len(twins) // 4] = (y[: len(twins) // 4] + 1) % 3
        parts[name] = (X, y)
        copies = len(twins)
    return find_leaks(*fitted(parts)), copies


def test_copies_are_found_with_their_twins_and_conflicts() -> None:
    leaks, copies = leaked(0.1)
    on_test = [pair for pair in leaks.pairs if pair.split == "test"]
    assert {pair.id for pair in on_test} == {f"test{i}" for i in range(copies)}
    assert len(leaks.conflicts) == 2 * (copies // 4)
    (finding,) = leaks.findings
    assert finding.kind == "leak"
    assert finding.effect.value == pytest.approx(copies / 300)
    assert finding.p_value < 1e-6
    assert leaks.leaked is not None
    assert leaks.leaked.n == copies


def test_unrelated_examples_are_no_duplicates() -> None:
    leaks, _ = leaked(0.0)
    assert leaks.pairs == leaks.findings == ()
    assert leaks.leaked is None
    assert Leaks.from_dict(leaks.to_dict()) == leaks


def test_what_is_near_in_features_is_looked_at(tmp_path: Path) -> None:
    words = dataset(0.5, n=600)
    rows = {name: np.flatnonzero(words.split == name) for name in ("train", "test")}
    texts = list(words.texts)
    for i, row in enumerate(rows["test"][:30]):
        texts[row] = texts[rows["train"][i]] + " !"
    run = clearhead.new_run(tmp_path / "run", network(), replace(words, texts=tuple(texts)))
    run.extract()
    run.fit(n_lambdas=8)
    run.select("best")
    train, _ = train_of(run)
    inputs, _ = inputs_of(run)
    assert train is not None
    views = run.view("validation"), run.view("test")
    copied = {str(key) for key in words.ids[rows["test"][:30]]}
    seen = find_leaks(train, *views, inputs=inputs)
    assert {pair.id for pair in seen.pairs if pair.split == "test"} >= copied
    # "!" changes no feature of this network, so features alone tell as much.
    assert {pair.id for pair in find_leaks(train, *views).pairs} >= copied


def test_copies_are_the_same_to_the_eye_and_others_are_not() -> None:
    assert same_text("Good film, very good.", "good film very GOOD")
    assert not same_text("Good film, very good.", "A bad film, very bad.")
    assert same_text("!!", "!!")
    assert not same_text("!!", "??")
    rng = np.random.default_rng(0)
    pixels = np.kron(rng.integers(0, 256, (8, 8, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    picture = Image.fromarray(pixels)
    file = io.BytesIO()
    picture.resize((100, 100)).save(file, "JPEG", quality=60)
    assert same_picture(picture, Image.open(file))
    assert not same_picture(picture, Image.fromarray(pixels[::-1].copy()))
    black = Image.new("RGB", (20, 20))
    assert same_picture(black, black.resize((30, 30)))
    assert not same_picture(black, picture)


def test_leaks_survive_json() -> None:
    leaks, _ = leaked(0.05)
    assert Leaks.from_dict(json.loads(json.dumps(leaks.to_dict()))) == leaks
    assert list(leaks.to_frame()["id"]) == [pair.id for pair in leaks.pairs]
    assert "near duplicates" in leaks._repr_html_()


def test_nearest_is_the_slow_search_in_any_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    layer = plain_layer(rng.normal(size=(2, 6)))
    bank = directions(layer, rng.normal(size=(50, 6)))
    assert np.linalg.norm(bank, axis=1) == pytest.approx(1.0)
    queries, own = bank[:20], np.arange(20)
    slow = queries @ bank.T
    slow[own, own] = -np.inf
    order = np.argsort(-slow, axis=1)[:, :4]
    for block, chunk in ((1024, 16384), (7, 13), (1, 3)):
        monkeypatch.setattr("clearhead.debug.neighbours._BLOCK", block)
        monkeypatch.setattr("clearhead.debug.neighbours._CHUNK", chunk)
        rows, cosines = nearest(queries, bank, 4, own=own)
        assert rows.tolist() == order.tolist()
        assert cosines == pytest.approx(np.take_along_axis(slow, order, axis=1), abs=1e-6)
