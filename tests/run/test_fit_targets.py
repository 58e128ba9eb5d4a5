"""What a path is fitted to, and how far its layers agree with the network itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax
from torch import nn
from typer.testing import CliRunner

import clearhead
from clearhead.backbones import Backbone
from clearhead.cli.app import app
from clearhead.data import TextDataset
from clearhead.errors import InputError
from clearhead.features import own_predictions
from clearhead.run import Run
from clearhead.run.agreement import agree
from clearhead.run.summary import summarize

LETTERS = "abcdefgh"


def counts(texts: list[str]) -> torch.Tensor:
    return torch.tensor([[float(text.count(letter)) for letter in LETTERS] for text in texts])


def network(n_outputs: int) -> nn.Module:
    torch.manual_seed(3)
    module = nn.Sequential(nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, n_outputs))
    with torch.no_grad():
        module[2].weight *= 3
    return module.eval()


def backbone_of(n_outputs: int, **options: object) -> Backbone:
    return Backbone.from_module(
        network(n_outputs),
        prepare=counts,
        name="letters",
        modality="text",
        example_batch=counts(["abc", "hgaab"]),
        **options,
    )


def words(n: int = 240) -> list[str]:
    random = np.random.default_rng(0)
    return ["".join(random.choice(list(LETTERS), 9)) + str(i) for i in range(n)]


def new_run(folder: Path, backbone: Backbone, names: tuple[str, ...]) -> Run:
    """Labels are what the network says, a third of them drawn at random."""
    texts, random = words(), np.random.default_rng(1)
    logits = backbone.forward(counts(texts)).numpy()
    said = logits.argmax(axis=1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(int)
    said = np.where(random.random(len(texts)) < 0.33, random.integers(0, len(names), 240), said)
    labels = [names[k % len(names)] for k in said]
    dataset = TextDataset.from_texts(texts, labels, class_names=names, name="letters")
    return clearhead.new_run(folder, backbone, dataset)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    made = {}
    for targets in ("labels", "predictions"):
        run = new_run(tmp_path_factory.mktemp(targets) / "run", backbone_of(3), ("a", "b", "c"))
        run.extract()
        run.fit(n_lambdas=12, targets=targets)
        run.select("best")
        made[targets] = run
    return made


def test_predictions_make_a_surrogate(runs: dict[str, Run]) -> None:
    by_labels, by_predictions = (
        run.selection["agreement"]["sparse"]["test"] for run in runs.values()
    )
    assert by_predictions["kl"] < 0.5 * by_labels["kl"]
    assert by_predictions["share"] >= by_labels["share"]
    path = runs["predictions"].path()
    assert path.optimal.all()
    # The last points have nearly nothing left to explain; labels never come so near.
    assert path.losses["train"][-1] < 0.1 * path.null_loss
    assert path.losses["train"][-1] < 0.1 * runs["labels"].path().losses["train"][-1]


def test_accuracy_is_on_labels_either_way(runs: dict[str, Run]) -> None:
    for run in runs.values():
        path, store = run.path(), run.store
        for split in ("train", "validation", "test"):
            layer = clearhead.DecisionLayer.from_path(path, 5)
            right = (layer.predict(store.matrix(split)) == store.labels(split)).mean()
            assert path.accuracies[split][5].value == pytest.approx(right)
            assert path.accuracies[split][5].n == (store.split == split).sum()


def test_agreement_is_what_it_says(runs: dict[str, Run]) -> None:
    run = runs["labels"]
    store, layer = run.store, run.layer()
    texts = [run.dataset.load(int(i)) for i in store.row_id[store.split == "test"]]
    own = softmax(network(3)(counts(texts)).detach().numpy().astype(float), axis=1)
    logits = layer.logits(store.matrix("test"))
    found = run.selection["agreement"]["sparse"]["test"]
    assert found["n"] == len(texts)
    assert found["share"] == pytest.approx((logits.argmax(1) == own.argmax(1)).mean())
    far = (own * (np.log(own) - log_softmax(logits, axis=1))).sum(axis=1).mean()
    assert found["kl"] == pytest.approx(far, rel=1e-5)


def test_it_is_shown_and_reported(runs: dict[str, Run]) -> None:
    for targets, run in runs.items():
        assert summarize(run)["targets"] == targets
        assert run.targets == targets
        shown = CliRunner().invoke(app, ["show", str(run.folder)]).stdout
        assert "predicts what the network itself predicts in" in shown
        assert ("fitted to the network's own predictions" in shown) == (targets == "predictions")
        as_json = json.loads(CliRunner().invoke(app, ["show", str(run.folder), "--json"]).stdout)
        assert set(as_json["agreement"]) == {"sparse", "dense"}
    run = runs["predictions"]
    run.explain(effort="quick")
    run.debug()
    data = run.report_data()
    assert data.path.targets == "predictions"
    row = next(a for a in data.agreement if (a.layer, a.split) == ("sparse", "test"))
    assert row.kl == pytest.approx(run.selection["agreement"]["sparse"]["test"]["kl"])
    assert any("not to its labels" in limit for limit in data.limits)


def test_a_surrogate_is_debugged_and_stays_one_when_edited(runs: dict[str, Run]) -> None:
    far = {}
    for targets, run in runs.items():
        feature = int(np.abs(run.layer().weight).max(axis=0).argmax())
        edited = run.edit(ban=[feature], dry_run=True).layer
        assert feature not in edited.used
        far[targets] = agree(run.store, {"edited": edited})["edited"]["test"]["kl"]
    assert far["predictions"] < 0.5 * far["labels"]
    run = runs["predictions"]
    noise = [i for i, one in enumerate(run.debug(), 1) if one.kind == "label_noise"]
    assert noise  # a third of the labels are drawn at random
    with pytest.raises(InputError, match=r"fitted to what the network predicts.*--targets labels"):
        run.edit(finding=noise[0])
    assert {m.id for m in run.errors().mistakes} == set(
        run.view("test").ids[~run.view("test").right]
    )
    assert run.flip(run.errors().mistakes[0].id).features is not None


def test_a_run_remembers_what_it_was_fitted_to(runs: dict[str, Run]) -> None:
    run = runs["predictions"]
    before = run.path().fingerprint
    assert run.fit(n_lambdas=12, targets="predictions").fingerprint == before
    assert not run.file.is_current("fit", {**run.file.steps["fit"].options, "targets": "labels"})


def test_two_classes_grouped_and_one_output(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", backbone_of(1), ("no", "yes"))
    run.extract()
    path = run.fit(n_lambdas=8, targets="predictions", grouped=True)
    assert path.family == "binomial"
    own = own_predictions(run.store)
    assert own is not None
    texts = [run.dataset.load(int(i)) for i in run.store.row_id]
    score = expit(network(1)(counts(texts)).detach().numpy()[:, 0])
    np.testing.assert_allclose(own.probabilities, np.stack([1 - score, score], 1), atol=1e-6)
    assert "'yes'" in own.matching


def test_one_label_of_a_network_with_several(tmp_path: Path) -> None:
    backbone = backbone_of(3, class_names=("rude", "toxic", "odd"), activation="sigmoid")
    run = new_run(tmp_path / "run", backbone, ("not toxic", "toxic"))
    run.extract()
    own = own_predictions(run.store)
    assert own is not None
    texts = [run.dataset.load(int(i)) for i in run.store.row_id]
    score = expit(network(3)(counts(texts)).detach().numpy()[:, 1])
    np.testing.assert_allclose(own.probabilities[:, 1], score, atol=1e-6)
    assert "'toxic'" in own.matching


def test_grouped_features_are_in_for_all_classes_or_none(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", backbone_of(3), ("a", "b", "c"))
    run.extract()
    path = run.fit(n_lambdas=8, grouped=True)
    for i in range(len(path)):
        used = path.coef(i) != 0
        assert (used.all(axis=0) | ~used.any(axis=0)).all()
    assert path.grouped
    assert not run.fit(n_lambdas=8).grouped


@pytest.mark.parametrize(
    ("backbone", "names", "words_"),
    [
        (
            backbone_of(3, class_names=("x", "y", "z")),
            ("a", "b", "c"),
            ["other classes (x, y, z)", "are a, b, c.", "--class-names"],
        ),
        (backbone_of(4), ("a", "b", "c"), ["other classes"]),
    ],
)
def test_without_a_head_over_the_datas_classes(
    tmp_path: Path, backbone: Backbone, names: tuple[str, ...], words_: list[str]
) -> None:
    run = new_run(tmp_path / "run", backbone, names)
    run.extract()
    with pytest.raises(InputError, match="targets='predictions'") as caught:
        run.fit(targets="predictions")
    assert all(word in str(caught.value) for word in words_)
    run.fit(n_lambdas=4)
    run.select("best")
    assert run.selection["agreement"] == {}


def test_what_cannot_be_fitted_is_named(runs: dict[str, Run]) -> None:
    with pytest.raises(InputError, match="'labels' or 'predictions'; got 'guesses'"):
        runs["labels"].fit(targets="guesses")
