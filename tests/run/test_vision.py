"""The image network on real photos: thumbnails, slices of the metadata, the attached layer."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import clearhead


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> clearhead.Run:
    folder = tmp_path_factory.mktemp("runs") / "cells"
    run = clearhead.new_run(folder, "efficientnet-lite0", "elpv", limit=240)
    run.all(n_lambdas=15, rule="features:6", effort="quick")
    return run


def test_path_is_proven_and_sparse(run: clearhead.Run) -> None:
    assert set(run.path().status) == {"optimal"}
    assert run.layer().features_per_class <= 6
    assert run.store.p == 1280


def test_report_shows_the_photos_that_explanations_name(run: clearhead.Run) -> None:
    data = run.report_data()
    assert data.model.layer is not None
    assert not data.model.same_classes
    assert {row.column for row in data.slices} <= {"cell_type", "expert"}
    assert data.data.metadata == ["cell_type", "expert"]
    cards = {card.key: card for card in data.examples}
    feature = data.features[0]
    for key, _ in (*feature.highest, *feature.lowest):
        image = cards[key].image
        assert image is not None
        head, _, code = image.partition(",")
        assert head == "data:image/jpeg;base64"
        picture = Image.open(io.BytesIO(base64.b64decode(code)))
        assert max(picture.size) <= 224


def test_layer_attached_to_the_network_predicts_as_on_stored_features(run: clearhead.Run) -> None:
    before = {k: v.clone() for k, v in run.backbone.module.state_dict().items()}
    model = run.layer().attach(run.backbone)
    rows = np.arange(0, 240, 15)
    batch = run.backbone.prepare([run.dataset.load(int(i)) for i in run.store.row_id[rows]])
    with torch.inference_mode():
        logits = model(*batch.args, **batch.kwargs).numpy()
    np.testing.assert_allclose(logits, run.layer().logits(run.store.matrix()[rows]), atol=1e-3)
    after = run.backbone.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_thumbnail_that_is_gone_leaves_an_empty_place(run: clearhead.Run) -> None:
    folder: Path = run.folder / "examples"
    for path in folder.glob("*.jpg"):
        path.unlink()
    assert run.report(run.folder / "again.html").exists()
    assert all(card.image is None for card in run.report_data().examples)
