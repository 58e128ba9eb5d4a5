"""Questionnaires: drawn as said, harmless whatever the data hold, and analysed as by hand."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import stats

from clearhead._page import content_policy
from clearhead.debug import SplitView
from clearhead.debug.study import Study, StudySource, make_study, read_study
from clearhead.errors import (
    CorruptFileError,
    FingerprintMismatchError,
    InputError,
    SchemaVersionError,
)
from clearhead.explain import Explained
from clearhead.explain.build_index import build_index
from clearhead.explain.feature_words import FeatureWords, Word
from clearhead.glm import Accuracy
from clearhead.layer import Certificate, DecisionLayer

HOSTILE = "</script><script>document.title='stolen'</script><img src=x onerror=alert(1)>"
NAMES = ("hidden-cat", "hidden-dog", "hidden-owl")
P = 12


def make_layer(weight: np.ndarray, names: tuple[str, ...] = NAMES) -> DecisionLayer:
    p = weight.shape[1]
    return DecisionLayer(
        weight=weight,
        bias=np.zeros(len(weight)),
        center=np.zeros(p),
        scale=np.ones(p),
        dead=np.zeros(p, dtype=bool),
        class_names=names,
        certificate=Certificate("multinomial", 0.01, 0.99, 1e-5, 1e-3, "optimal"),
    )


def draw(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    X = rng.normal(size=(n, P))
    for c in range(3):
        X[y == c, 3 * c : 3 * c + 3] += 0.9
    return X, y


def say(key: str) -> str:
    return f"text of {key} {HOSTILE}"


def jpeg(key: str) -> bytes:
    held = io.BytesIO()
    shade = int(key.split("-")[1]) % 256
    Image.new("RGB", (32, 32), (shade, 80, 160)).save(held, "JPEG")
    return held.getvalue()


class Seen:
    """Rows in one block."""

    def __init__(self, X: np.ndarray) -> None:
        self.X, self.shape = X.astype(np.float32), X.shape

    def blocks(self) -> Any:
        yield self.X


def source(show: Any = say, explained: Explained | None = None) -> StudySource:
    sparse = make_layer(np.kron(np.eye(3, 4), np.ones(3)) - 0.1 * np.kron(np.eye(3, 4), [1, 0, 0]))
    dense = make_layer(
        sparse.weight + 0.2 * np.random.default_rng(5).normal(size=sparse.weight.shape)
    )
    X, y = draw(1, 300)
    ids = np.array([f"test-{i}" for i in range(300)], dtype=object)
    nothing = pd.DataFrame(index=range(300))
    views = {
        arm: SplitView.of(layer, layer, X, y, ids=ids, metadata=nothing)
        for arm, layer in (("sparse", sparse), ("dense", dense))
    }
    seen, _ = draw(2, 200)
    names = np.array([f"train-{i}" for i in range(200)], dtype=object)
    index = build_index(Seen(seen), names, sparse, k=8)
    return StudySource(views, index, show, explained or Explained([]))


@pytest.fixture(scope="module")
def study() -> Study:
    return make_study(source(), n_questions=24, seed=3)


def test_the_key_holds_what_the_layers_say(study: Study) -> None:
    of = source()
    assert len(study.questions) == 24
    assert len({(q.kind, q.arm) for q in study.questions}) == 4
    for question in study.questions:
        view = of.views[question.arm]
        rows = [int(key.split("-")[1]) for key in question.examples]
        c = NAMES.index(question.class_name)
        if question.kind == "simulatability":
            p = view.layer.probabilities_of(view.logits)[rows, c]
            assert p.argmax() == question.right
            assert p.max() - np.sort(p)[-2] >= 0.1
            for panel in question.panels:
                assert np.sign(view.layer.weight[c, panel.feature]) == panel.sign
        else:
            (row,), true = rows, int(view.labels[rows[0]])
            assert int(view.predicted[row]) == c != true
            problem = question.panels[question.right].feature
            column = int(np.flatnonzero(view.layer.used == problem)[0])
            assert view.predicted_without(column)[row] == true
            other = question.panels[1 - question.right].feature
            strength = np.abs(view.layer.weight[true])
            strength[problem] = 0
            assert other == strength.argmax()


def test_both_arms_look_alike_and_positions_are_even(study: Study) -> None:
    asked = [q for q in study.questions if q.kind == "simulatability"]
    counts = {arm: sorted(len(q.panels) for q in asked if q.arm == arm) for arm in ARMS}
    classes = {arm: sorted(q.class_name for q in asked if q.arm == arm) for arm in ARMS}
    assert counts["sparse"] == counts["dense"]
    assert classes["sparse"] == classes["dense"]
    many = make_study(source(), n_questions=120, kinds=["simulatability"], seed=0)
    places = np.bincount([q.right for q in many.questions], minlength=3)
    assert stats.chisquare(places).pvalue > 1e-3
    order = [q.arm == "sparse" for q in many.questions]
    assert 10 < np.count_nonzero(np.diff(order)) < 110  # mixed, neither in blocks nor in turns


ARMS = ("sparse", "dense")


def test_seeds_decide(study: Study) -> None:
    again, other = (make_study(source(), n_questions=24, seed=seed) for seed in (3, 4))
    assert again.page == study.page
    assert again.key == study.key
    assert other.id != study.id


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="study-data">(.*?)</script>', page)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]


def test_the_page_holds_no_answer_no_class_and_no_arm(study: Study) -> None:
    value = data_of(study.page)
    assert set(value) == {"study", "version", "questions", "images"}
    for question in value["questions"]:
        assert set(question) == {"id", "kind", "panels", "examples"}
        for panel in question["panels"]:
            assert set(panel) <= {"strength", "items", "words"}
        for item in question["examples"]:
            assert set(item) <= {"text", "image"}
    for secret in (*NAMES, "sparse", "dense", "test-accuracy"):
        assert secret not in study.page
    text = json.dumps(value["questions"])
    assert "right" not in text
    assert "feature" not in text


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_hostile_texts_stay_texts_and_nothing_is_requested(study: Study) -> None:
    tags = Tags(study.page).found
    assert [tag for tag, _ in tags].count("script") == 2
    assert not [tag for tag, _ in tags if tag in ("img", "link", "iframe", "form")]
    assert not [attrs for _, attrs in tags if {"src", "href", "onerror"} & set(attrs)]
    assert HOSTILE in data_of(study.page)["questions"][0]["examples"][0]["text"]
    policy = next(a["content"] for _, a in tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.findall(r"https?://", re.sub(r"<script type=.*?</script>", "", study.page))


def test_pictures_are_kept_once_and_only_jpegs() -> None:
    made = make_study(source(jpeg), n_questions=8)
    value = data_of(made.page)
    assert len(value["images"]) == len(set(value["images"]))
    assert all(image.startswith("data:image/jpeg;base64,") for image in value["images"])
    panel = value["questions"][0]["panels"][0]
    assert len(panel["items"]) == 6


def test_words_are_shown_of_the_sparse_arm_alone() -> None:
    class Table:
        features = np.arange(P)

        def words_of(self, feature: int, k: int) -> FeatureWords:
            up = (Word(f"up{feature}", 1.0, 0.5, 1.5, 3),)
            return FeatureWords(feature, up, (Word(f"down{feature}", -1.0, -1.5, -0.5, 3),), 9)

    explained = Explained([], words=Table())  # type: ignore[arg-type]
    alone = make_study(source(explained=explained), n_questions=8, arms=["sparse"])
    panels = [p for q in data_of(alone.page)["questions"] for p in q["panels"]]
    assert all(re.fullmatch(r"(up|down)\d+", panel["words"][0]) for panel in panels)
    both = make_study(source(explained=explained), n_questions=8)
    assert not [p for q in data_of(both.page)["questions"] for p in q["panels"] if "words" in p]


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(InputError, match="n_questions: expected at least 4"):
        make_study(source(), n_questions=3)
    with pytest.raises(InputError, match="kinds: expected some of simulatability, problematic"):
        make_study(source(), kinds=["trust"])  # type: ignore[list-item]
    with pytest.raises(InputError, match="arms"):
        make_study(source(), arms=[])
    with pytest.raises(InputError, match="examples cannot be shown"):
        make_study(source(lambda key: None))
    half = make_study(source(lambda key: None if key == "test-5" else say(key)), n_questions=24)
    assert "of test-5 " not in half.page
    good = source()
    for arm, view in good.views.items():
        good.views[arm].__dict__["predicted"] = view.labels  # type: ignore[index]
        good.views[arm].__dict__["right"] = np.ones(view.n, dtype=bool)  # type: ignore[index]
    clean = make_study(good, n_questions=8)
    assert {q.kind for q in clean.questions} == {"simulatability"}
    assert "it makes 0 on test" in " ".join(clean.notes)


# --- reading ----------------------------------------------------------------------------

KEY: dict[str, Any] = {
    "schema_version": 1,
    "study": "abc",
    "questions": {
        f"q{i:02d}": {
            "kind": "simulatability" if i < 12 else "problematic",
            "arm": "sparse" if i % 2 else "dense",
            "right": i % (3 if i < 12 else 2),
            "n_choices": 3 if i < 12 else 2,
        }
        for i in range(20)
    },
}


def write(path: Path, **given: Any) -> Path:
    value: dict[str, Any] = {
        "clearhead_study": 1,
        "study": "abc",
        "person": path.stem,
        "browser": path.stem,
        "saved": "2026-01-01T00:00:00Z",
        "answers": {},
    }
    path.write_text(json.dumps(value | given))
    return path


def answers(wrong: set[str]) -> dict[str, Any]:
    return {
        name: {
            "choice": (q["right"] + (name in wrong)) % q["n_choices"],
            "confidence": 4 if q["arm"] == "sparse" else 2,
        }
        for name, q in KEY["questions"].items()
    }


def test_the_analysis_is_that_by_hand(tmp_path: Path) -> None:
    dense = {f"q{i:02d}" for i in range(0, 12, 2)}
    one = write(tmp_path / "ann.json", answers=answers(dense - {"q00", "q02"}))
    two = write(
        tmp_path / "bob.json",
        answers=answers(dense | {"q01", "q13"}) | {"q19": {"choice": None}},
        comment="hard \x1b[2J",
    )
    found = read_study([KEY], [one, two])
    of = {(s.kind, s.arm): s for s in found.scores}
    # six questions an arm: dense 2 right of ann's and none of bob's, sparse all but one of bob's
    assert of["simulatability", "dense"].accuracy == Accuracy.of(2, 12)
    assert of["simulatability", "sparse"].accuracy == Accuracy.of(11, 12)
    assert of["problematic", "sparse"].accuracy == Accuracy.of(6, 7)
    assert of["problematic", "dense"].accuracy == Accuracy.of(8, 8)
    assert of["simulatability", "sparse"].chance == pytest.approx(1 / 3)
    assert of["problematic", "dense"].p_value == pytest.approx(0.5**8)
    assert of["simulatability", "sparse"].confidence == 4.0
    contrast = found.contrasts[0]
    assert contrast.difference == pytest.approx(9 / 12)
    assert contrast.p_value == pytest.approx(stats.fisher_exact([[11, 1], [2, 10]]).pvalue)
    # Newcombe's method 10 from the Wilson limits 11/12: .6461 to .9851, 2/12: .0470 to .4480
    low, high = (np.hypot(11 / 12 - 0.6461, 0.4480 - 2 / 12), np.hypot(0.0684, 2 / 12 - 0.0470))
    assert contrast.low == pytest.approx(0.75 - low, abs=2e-4)
    assert contrast.high == pytest.approx(0.75 + high, abs=2e-4)
    assert dict(found.by_person) == {"ann": Accuracy.of(16, 20), "bob": Accuracy.of(11, 19)}
    assert found.remarks[0].text == "hard  [2J"
    said = str(found)
    assert "\x1b" not in said
    assert "sparse − dense: +75.0 points" in said
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["n_people"] == 2
    assert list(found.to_frame()["n"]) == [12, 12, 7, 8]
    pytest.importorskip("matplotlib").use("agg")
    assert len(found.plot().get_yticklabels()) == 4


def test_a_person_counts_once(tmp_path: Path) -> None:
    early = write(tmp_path / "a.json", person="Ann", answers=answers(set()))
    late = write(
        tmp_path / "b.json",
        person=" ann ",
        browser="a",
        saved="2026-01-02T00:00:00Z",
        answers=answers({"q00"}),
    )
    nameless = write(tmp_path / "c.json", person="", answers=answers(set()))
    found = read_study([KEY], [late, early, nameless])
    assert found.n_people == 2
    assert found.by_person[0][1] == Accuracy.of(19, 20)
    assert f"{late}, not {early}" in found.notes[0]
    assert found.by_person[1][0] == "anonymous c"
    other = write(tmp_path / "d.json", person="ANN", saved="", answers=answers(set()))
    assert "two browsers" in read_study([KEY], [late, other]).notes[0]


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (b"{", CorruptFileError, "not JSON"),
        (b"\xff\xfe\x00", CorruptFileError, "not JSON"),
        (b"[" * 200_000, CorruptFileError, "not JSON"),
        (b"[]", CorruptFileError, "no file of answers"),
        ({"clearhead_study": True}, CorruptFileError, "no file of answers"),
        ({"clearhead_study": 2}, SchemaVersionError, "version 2"),
        ({"study": "xyz"}, FingerprintMismatchError, "another study"),
        ({"study": ["abc"]}, FingerprintMismatchError, "another study"),
        ({"answers": []}, CorruptFileError, "no answers"),
        ({"answers": {"q99": {"choice": 0}}}, CorruptFileError, "no question"),
        ({"answers": {"q01": 1}}, CorruptFileError, "no object"),
        ({"answers": {"q01": {"choice": 3}}}, CorruptFileError, "not 0 to 2"),
        ({"answers": {"q01": {"choice": True}}}, CorruptFileError, "not 0 to 2"),
        ({"answers": {"q01": {"choice": 0.0}}}, CorruptFileError, "not 0 to 2"),
        ({"answers": {"q01": {"choice": 0, "confidence": 6}}}, CorruptFileError, "not 1 to 5"),
        ({"answers": {"q01": {"choice": 0, "comment": 6}}}, CorruptFileError, "no text"),
        ({"person": {}}, CorruptFileError, "its person is no text"),
        ({"answers": {}}, InputError, "No question is answered"),
    ],
)
def test_damaged_and_foreign_answers_are_refused(
    tmp_path: Path, content: Any, error: type[Exception], said: str
) -> None:
    path = tmp_path / "answers.json"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        write(path, **content)
    with pytest.raises(error, match=said):
        read_study([KEY], [path])


def test_missing_files_and_mixed_studies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError, match="cannot be read"):
        read_study([KEY], [tmp_path / "none.json"])
    with pytest.raises(InputError, match="at least one person"):
        read_study([KEY], [])
    with pytest.raises(CorruptFileError, match="key of a study is damaged"):
        read_study([{"study": "abc", "questions": {"q": {}}}], [tmp_path / "none.json"])
    files = [
        write(tmp_path / "a.json", answers=answers(set())),
        write(tmp_path / "b.json", study="xyz", answers=answers(set())),
    ]
    with pytest.raises(InputError, match="different studies"):
        read_study([KEY, KEY | {"study": "xyz"}], files)


# --- the page in a real browser ---------------------------------------------------------

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# Plays a person at the keyboard, and catches the file that the page offers.
DRIVER = """
(async () => {
  const key = (name) => (document.activeElement || document.body).dispatchEvent(
    new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  let blob = null;
  URL.createObjectURL = (made) => { blob = made; return "#file"; };
  const alias = document.querySelector("input[type=text]");
  alias.value = "Ann <\\/script><b>";
  alias.dispatchEvent(new Event("input"));
  document.getElementById("start").click();
  let n = 0;
  while (!document.getElementById("download") && n < 99) {
    key(String(1 + (n % 2)));
    document.querySelectorAll("input[name=confidence]")[3].click();
    key("Enter");
    n += 1;
  }
  document.getElementById("download").click();
  const out = document.createElement("pre");
  out.id = "driven";
  out.textContent = JSON.stringify({ n, file: await blob.text(), title: document.title,
    kept: Object.keys(localStorage).map((slot) => localStorage.getItem(slot)),
    wide: document.documentElement.scrollWidth > innerWidth });
  document.body.append(out);
})();
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not installed")
def test_a_person_answers_with_the_keyboard(study: Study, tmp_path: Path) -> None:
    style = re.search(r"<style>(.*?)</style>", study.page, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", study.page, re.DOTALL)
    assert style is not None
    assert script is not None
    policy = content_policy(style[1], script[1])
    assert policy in study.page
    # The page as it is, with the driver's hash beside its own: nothing else may run.
    wider = f"{policy}; {content_policy('', DRIVER).split('; ')[2]}"
    allowed = re.sub(r"script-src ('[^']+')", lambda m: f"{m[0]} {wider.rsplit(' ', 1)[1]}", policy)
    page = study.page.replace(policy, allowed).replace(
        "</body>", f"<script>{DRIVER}</script></body>"
    )
    (tmp_path / "study.html").write_text(page)
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *("--no-first-run", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=420,900"),
            *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=3000", "--dump-dom"),
            (tmp_path / "study.html").as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    assert not said, said
    dom = done.stdout.decode()
    found = re.search(r'<pre id="driven">(.*?)</pre>', dom, re.DOTALL)
    assert found is not None, dom[-2000:]
    driven = json.loads(re.sub("&(lt|gt|amp);", _entity, found[1]))
    assert driven["n"] == 24
    assert driven["title"] == "What does the model look for?"
    assert not driven["wide"]
    file = json.loads(driven["file"])
    assert json.loads(driven["kept"][0])["answers"] == file["answers"]
    answered = write(tmp_path / "answers.json", **file)
    result = read_study([study.key], [answered])
    right = sum((i % 2) == q.right for i, q in enumerate(study.questions))
    assert result.by_person == (("Ann </script><b>", Accuracy.of(right, 24)),)
    assert {score.confidence for score in result.scores} == {4.0}


def _entity(found: re.Match[str]) -> str:
    return {"lt": "<", "gt": ">", "amp": "&"}[found[1]]
