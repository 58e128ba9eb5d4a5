"""The features of a run explained: a network of texts and one of pictures, both planted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import clearhead
from clearhead.errors import InputError
from clearhead.events import Event
from tests.exports.small import bert, dataset


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network of texts, explained with the default effort. Do not change it."""
    folder = tmp_path_factory.mktemp("runs") / "texts"
    clearhead.new_run(folder, bert(), dataset()).all(n_lambdas=8, rule="best")
    return folder


def opened(folder: Path, events: list[Event] | None = None) -> clearhead.Run:
    on_event = None if events is None else events.append
    return clearhead.new_run(folder, bert(), dataset(), on_event=on_event)


def test_everything_is_there_and_in_the_report(explained: Path) -> None:
    run = opened(explained)
    found = run.explained
    assert found.lime is not None
    assert found.words is not None
    assert list(found.lime.features) == list(run.layer().used)
    assert [one.feature for one in found.trust] == list(run.layer().used)
    assert any("LIME explained" in note for note in found.notes)
    assert any("integrated gradients rank the parts alike" in note for note in found.notes)
    data = run.report_data()
    cards = {card.index: card for card in data.features}
    for feature in run.layer().used:
        card = cards[int(feature)]
        assert [row.word for row in card.words if row.weight > 0] == [
            word.word for word in found.words.positive(int(feature), 15)
        ]
        assert {h.key for h in card.highlights} <= {key for key, _ in card.highest + card.lowest}
        assert card.highlights
    assert data.analysis
    assert data.explained == list(found.notes)


def test_marked_words_lie_in_the_texts(explained: Path) -> None:
    data = opened(explained).report_data()
    texts = {card.key: card.text for card in data.examples}
    marked = [h for card in data.features for h in card.highlights]
    assert any(h.spans for h in marked)
    for highlight in marked:
        text = texts[highlight.key]
        assert text is not None
        for start, end, _ in highlight.spans:
            assert text[start:end].strip() == text[start:end] != ""


def test_nothing_is_done_twice(explained: Path) -> None:
    events: list[Event] = []
    opened(explained, events).all(n_lambdas=8, rule="best")
    assert {e.step for e in events if e.kind == "skip"} >= {"explain", "analyze", "report"}
    assert not any("perturb" in e.message or e.kind == "progress" for e in events)


def test_a_persons_name_wins_and_is_kept(explained: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(explained, tmp_path / "run"))
    run = opened(folder)
    feature = int(run.layer().used[0])
    run.name_feature(feature, " <b>films</b> ")
    run.explain(force=True)
    assert run.explained.name(feature) == "<b>films</b>"
    assert json.loads((folder / "notes.json").read_text()) == {
        "features": {str(feature): {"name": "<b>films</b>"}}
    }
    before = (folder / "report.html").read_bytes()
    assert run.report().read_bytes() != before
    card = next(card for card in run.report_data().features if card.index == feature)
    assert (card.name, card.name_source) == ("<b>films</b>", "person")
    run.name_feature(feature, None)
    assert run.explained.name(feature) != "<b>films</b>"
    with pytest.raises(InputError, match="features 0 to 31"):
        run.name_feature(32, "x")
    with pytest.raises(InputError, match="empty"):
        run.name_feature(feature, "  ")


def test_quick_needs_no_network(explained: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(explained, tmp_path / "run"))
    alone = clearhead.open_run(folder)
    found = alone.explain(effort="quick")
    assert found.lime is None
    assert len(found.examples) >= 4


def test_without_the_network_the_rest_is_done_and_said(explained: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(explained, tmp_path / "run"))
    events: list[Event] = []
    alone = clearhead.open_run(folder, events.append)
    found = alone.explain(force=True)
    assert any("without the network" in note for note in found.notes)
    assert any(e.kind == "warning" and "without the network" in e.message for e in events)
    assert found.lime is None


def test_a_run_that_keeps_no_examples_keeps_no_words(tmp_path: Path) -> None:
    run = clearhead.new_run(tmp_path / "run", bert(), dataset(), keep_examples=False)
    run.all(n_lambdas=5, rule="best")
    assert run.explained.lime is None
    assert any("keeps no examples" in note for note in run.explained.notes)
    kept = "".join(
        path.read_text(errors="replace")
        for path in (tmp_path / "run").rglob("*.json")
        if "features" not in path.parts
    )
    assert "dull" not in kept
    assert "bright" not in kept


def test_effort_is_checked(explained: Path) -> None:
    with pytest.raises(InputError, match="'quick', 'default' or 'full'"):
        opened(explained).explain(effort="all")  # type: ignore[arg-type]


def test_a_ridge_layer_is_explained_and_the_analysis_says_why_not(tmp_path: Path) -> None:
    events: list[Event] = []
    run = clearhead.new_run(tmp_path / "run", bert(), dataset(), on_event=events.append)
    assert run.all(n_lambdas=5, l1_ratio=0.0, rule="best").is_file()
    assert run.explained.lime is not None
    said = [e.message for e in events if e.step == "analyze" and e.kind == "warning"]
    assert len(said) == 1
    assert "ridge" in said[0]


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of torch
def test_an_onnx_network_is_explained_without_gradients(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 5, stride=4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(), torch.nn.Linear(8, 2),
    ).eval()  # fmt: skip
    torch.onnx.export(
        network, (torch.randn(2, 3, 32, 32),), tmp_path / "n.onnx", dynamo=True, verbose=False,
        input_names=["x"], dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
    )  # fmt: skip
    random = np.random.default_rng(0)
    for i in range(60):
        tone = np.array([200, 40, 40] if i % 2 else [40, 40, 200])
        pixels = (tone + random.integers(-40, 40, (32, 32, 3))).astype(np.uint8)
        path = tmp_path / "data" / ("red" if i % 2 else "blue") / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    options = {"preprocessing": {"size": 32, "mean": [0.5] * 3, "std": [0.5] * 3}}
    run = clearhead.new_run(
        tmp_path / "run", str(tmp_path / "n.onnx"), tmp_path / "data", model_options=options
    )
    run.all(n_lambdas=8, rule="best")
    found = run.explained
    assert found.lime is not None
    assert not found.visualizations
    assert any("not compared with gradients" in note for note in found.notes)
    assert any("No pictures were made" in note and "gradients" in note for note in found.notes)
