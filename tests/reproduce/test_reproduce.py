"""The settings from end to end, on small data and small networks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from clearhead import open_run
from clearhead.backbones import Backbone
from clearhead.backbones.resnet import torchvision_name
from clearhead.cli.app import app
from clearhead.errors import InputError
from clearhead.reproduce import SETTINGS, Reproduction, reproduce
from clearhead.reproduce.pictures import PLACES_10
from tests.backbones.test_checkpoint import robustness
from tests.reproduce.test_reading import comma, pictures, tsv

LETTERS = "abcdefghijklmnopqrst"


def counts(texts: list[str]) -> torch.Tensor:
    return torch.tensor([[float(text.count(letter)) for letter in LETTERS] for text in texts])


def letters(n_outputs: int = 1, **options: object) -> Backbone:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, n_outputs)).eval()
    return Backbone.from_module(
        module, prepare=counts, name="letters", modality="text",
        example_batch=counts(["abc", "ghb"]), **options,
    )  # fmt: skip


def texts(n: int, seed: int) -> list[tuple[str, object]]:
    random = np.random.default_rng(seed)
    made = ["".join(random.choice(list(LETTERS), 12)) for _ in range(n)]
    return [(t, int(t.count("a") + t.count("b") + random.normal() > 1)) for t in made]


@pytest.fixture(scope="module")
def sst(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sst")
    tsv(folder / "train.tsv", texts(300, 0))
    tsv(folder / "test.tsv", texts(80, 1))
    return folder


@pytest.fixture(scope="module")
def found(sst: Path, tmp_path_factory: pytest.TempPathFactory) -> Reproduction:
    out = tmp_path_factory.mktemp("runs") / "sst"
    return reproduce("sst", sst, out, model=letters(), n_lambdas=15)


def test_the_table_has_every_point_and_the_layer_without_a_penalty(found: Reproduction) -> None:
    frame = found.to_frame()
    assert len(frame) == 16
    assert frame["lam"].iloc[-1] == 0.0
    assert frame["chosen"].sum() == 1
    assert frame["chosen"][found.run.selection["index"]]
    assert found.unpenalised.status[-1].startswith("unregularised")
    # Without a penalty nothing is lost to one: no point of the path has a lower training loss.
    assert found.unpenalised.losses["train"][-1] < found.path.losses["train"].min()
    assert found.path.optimal.all()
    assert found.path.n_samples == {"train": 270, "validation": 30, "test": 80}


def test_it_says_what_the_reference_says_and_what_was_published(found: Reproduction) -> None:
    said = str(found)
    chosen = found.path.accuracies["test"][found.chosen].value
    assert f"chosen layer         {chosen:.1%}" in said
    assert "90.25%, 5.00 features a class: chosen layer, 872 sentences" in said
    assert "92.20%: best of the path" in said
    assert "15 of 15 points proven optimal" in said
    assert "network itself" in said
    assert "agreement with it" in said
    marked = [line for line in said.splitlines() if line.startswith("→ ") and "%" in line]
    assert f"{chosen:.2%}" in marked[0]


def test_the_run_is_like_any_other_and_goes_on(found: Reproduction, sst: Path) -> None:
    folder = found.run.folder
    assert open_run(folder).layer().n_classes == 2
    assert (folder / "report.html").is_file()
    before = found.unpenalised
    events: list[str] = []
    again = reproduce(
        "sst", sst, folder, model=letters(), n_lambdas=15,
        on_event=lambda event: events.append(f"{event.step} {event.kind}"),
    )  # fmt: skip
    assert "fit skip" in events
    assert "fit progress" not in events
    np.testing.assert_array_equal(again.unpenalised.coef(-1), before.coef(-1))
    other = reproduce("sst", sst, folder, model=letters(), n_lambdas=8)
    assert len(other.path) == 8


def test_jigsaw_balances_validation_and_test_alone(tmp_path: Path) -> None:
    rows = [[f"t{i}", text, label] for i, (text, label) in enumerate(texts(400, 2))]
    few = [row for i, row in enumerate(rows) if row[2] == 0 or i % 3 == 0]
    for name in ("train.csv", "test.csv"):
        comma(tmp_path / name, ["id", "comment_text", "toxic"], few)
    network = letters(3, class_names=("obscene", "toxic", "threat"), activation="sigmoid")
    done = reproduce("jigsaw-toxic", tmp_path, tmp_path / "run", model=network, n_lambdas=10)
    store = done.run.store
    for split in ("validation", "test"):
        assert np.ptp(np.bincount(store.labels(split))) == 0
    assert np.ptp(np.bincount(store.labels("train"))) > 20
    assert store.class_names == ("not toxic", "toxic")
    assert "network itself" in str(done)
    plain = reproduce(
        "jigsaw-toxic", tmp_path, tmp_path / "plain", model=network, n_lambdas=10, balance=False,
        targets="predictions", grouped=True,
    )  # fmt: skip
    assert np.ptp(np.bincount(plain.run.store.labels("test"))) > 20
    assert plain.path.losses["train"][-1] < done.path.losses["train"][-1]
    # On labels, of which the network knows nothing, no layer without a penalty is always right.
    assert plain.unpenalised.accuracies["train"][-1].value < 0.9


def test_limit_and_share(sst: Path, tmp_path: Path) -> None:
    done = reproduce(
        "sst", sst, tmp_path / "run", model=letters(), n_lambdas=5, limit=100, validation=0.2
    )
    assert done.run.store.n == 100


def test_the_debiased_network_calls_the_labels_by_other_names(tmp_path: Path) -> None:
    rows = [[text, label] for text, label in texts(120, 3)]
    comma(tmp_path / "one.csv", ["comment_text", "identity_hate"], rows)
    names = ("toxicity", "identity_attack", "threat")
    done = reproduce(
        "jigsaw-alt-toxic", tmp_path / "one.csv", tmp_path / "run", label="identity_hate",
        model=letters(3, class_names=names, activation="sigmoid"), n_lambdas=4, balance=False,
    )  # fmt: skip
    assert done.run.store.class_names == ("not identity_hate", "identity_hate")
    assert set(done.run.selection["agreement"]["sparse"]) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("setting", "options", "words"),
    [
        ("sts", {}, ["'sts'", "'sst'", "imagenet"]),
        ("sst", {"label": "toxic"}, ["no labels to choose"]),
        ("jigsaw-toxic", {"label": "severe-toxic"}, ["'severe_toxic'", "identity_hate"]),
    ],
)
def test_refused(tmp_path: Path, setting: str, options: dict, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        reproduce(setting, tmp_path, tmp_path / "run", model=letters(), **options)
    for word in words:
        assert word in str(caught.value)


def test_settings_of_pictures_need_a_checkpoint(tmp_path: Path) -> None:
    pictures(tmp_path, ["n01440764", "n02099601"])
    with pytest.raises(InputError, match=r"--model.*robustness") as caught:
        reproduce("imagenet", tmp_path, tmp_path / "run")
    assert "efficientnet-lite0" in str(caught.value)


def test_every_setting_of_the_reference_is_there() -> None:
    assert set(SETTINGS) == {"sst", "jigsaw-toxic", "jigsaw-alt-toxic", "places-10", "imagenet"}
    for setting in SETTINGS.values():
        assert (setting.model is None) == bool(setting.checkpoint)


def test_the_command_line(sst: Path, tmp_path: Path) -> None:
    call = ["reproduce", "sst", "--data", str(sst), "--out", str(tmp_path / "run")]
    no_model = CliRunner().invoke(app, [*call, "--model", str(tmp_path / "nowhere")])
    assert no_model.exit_code == 2
    helped = CliRunner().invoke(app, ["reproduce", "--help"]).stdout
    for option in ("--data", "--model", "--label", "--balance", "--validation", "--grouped"):
        assert option in helped
    assert json.dumps("SETTING")[1:-1] in helped


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ResNet-50 of ten classes in the robustness library's format, with random weights."""
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(0)
    network = ResNetForImageClassification(ResNetConfig(num_labels=10))
    state = {torchvision_name(name): value for name, value in network.state_dict().items()}
    path = tmp_path_factory.mktemp("checkpoint") / "places10_l2_eps3.pt"
    torch.save({"model": robustness(state), "epoch": 90, "adv_prec1": 0.5}, path)
    return path


def test_pictures_by_a_checkpoint_of_the_robustness_library(
    checkpoint: Path, tmp_path: Path
) -> None:
    pictures(tmp_path / "data", list(PLACES_10), n=6)
    found = reproduce(
        "places-10", tmp_path / "data", tmp_path / "run", model=checkpoint, n_lambdas=4,
        l1_ratio=0.0, model_options={"preprocessing": {"size": 48}},
    )  # fmt: skip
    store = found.run.store
    assert (store.n, store.p, len(store.class_names)) == (80, 2048, 10)
    assert "places10_l2_eps3.pt" in store.backbone_name
    assert found.path.n_samples == {"train": 54, "validation": 6, "test": 20}
    assert "network itself" in str(found)
