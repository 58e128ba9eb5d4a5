"""The Jigsaw network: equal to Keras' arithmetic and to its published scores, and no code run."""

from __future__ import annotations

import collections
import importlib.util
import pickle
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

from clearhead.backbones import open_backbone
from clearhead.errors import BackboneError, CorruptFileError, MissingDependencyError

h5py = pytest.importorskip("h5py")
VOCABULARY = ["you", "are", "so", "dumb", "and", "stupid", "have", "a", "nice", "day"]


def weights(seed: int = 0, n_words: int = 20_000) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    shapes = {"embedding/vars/0": (n_words, 50)}
    for way in ("forward", "backward"):
        cell = f"bidirectional/{way}_layer/cell/vars"
        shapes |= {f"{cell}/0": (50, 200), f"{cell}/1": (50, 200), f"{cell}/2": (200,)}
    shapes |= {"dense/vars/0": (100, 50), "dense/vars/1": (50,)}
    shapes |= {"dense_1/vars/0": (50, 6), "dense_1/vars/1": (6,)}
    return {key: random.normal(0, 0.3, shape).astype(np.float32) for key, shape in shapes.items()}


def pickled_tokenizer(**changes: object) -> bytes:
    """A tokenizer as Keras pickles it, from stand-ins for Keras' modules of the same names."""
    name = "keras.src.legacy.preprocessing.text"
    kind = type("Tokenizer", (), {"__module__": name, "__qualname__": "Tokenizer"})
    parts = name.split(".")
    stands = {".".join(parts[: i + 1]): types.ModuleType(parts[i]) for i in range(len(parts))}
    stands[name].Tokenizer = kind
    tokenizer = kind()
    tokenizer.__dict__ |= {
        "word_counts": collections.OrderedDict((word, 1) for word in VOCABULARY),
        "word_docs": collections.defaultdict(int, {"you": 2}),
        "filters": '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n',
        "split": " ",
        "lower": True,
        "num_words": 10,
        "char_level": False,
        "oov_token": None,
        "word_index": {word: i + 1 for i, word in enumerate(VOCABULARY)},
        **changes,
    }
    before = {key: sys.modules.get(key) for key in stands}
    sys.modules.update(stands)
    try:
        return pickle.dumps(tokenizer)
    finally:
        for key, module in before.items():
            sys.modules.pop(key)
            if module is not None:
                sys.modules[key] = module


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the same layout, with random weights."""
    folder = tmp_path / "toxic_classifier" / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('TensorFlow is not here')")
    with h5py.File(folder / "model.weights.h5", "w") as file:
        for key, value in weights().items():
            file[f"layers/{key}"] = value
    (folder / "tokenizer.pickle").write_bytes(pickled_tokenizer())
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def keras_scores(words: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """What Keras computes, written out for one text."""

    def lstm(x: np.ndarray, cell: str) -> np.ndarray:
        kernel, recurrent, bias = (arrays[f"{cell}/{i}"].astype(float) for i in range(3))
        h, c, out = np.zeros(50), np.zeros(50), []
        for row in x:
            i, f, new, o = np.split(row @ kernel + h @ recurrent + bias, 4)
            c = expit(f) * c + expit(i) * np.tanh(new)
            h = expit(o) * np.tanh(c)
            out.append(h)
        return np.array(out)

    x = arrays["embedding/vars/0"].astype(float)[words]
    ways = [
        lstm(x, "bidirectional/forward_layer/cell/vars"),
        lstm(x[::-1], "bidirectional/backward_layer/cell/vars")[::-1],
    ]
    pooled = np.concatenate(ways, axis=1).max(axis=0)
    hidden = np.maximum(pooled @ arrays["dense/vars/0"] + arrays["dense/vars/1"], 0)
    return expit(hidden @ arrays["dense_1/vars/0"] + arrays["dense_1/vars/1"])


def test_it_computes_what_keras_computes(package: Path) -> None:
    backbone = open_backbone("toxic-bilstm")
    assert (backbone.n_features, backbone.layer, backbone.activation) == (50, "head", "sigmoid")
    assert backbone.class_names[:2] == ("toxic", "severe_toxic")
    text = "You ARE, so-dumb! day unheard-of stupid"
    batch = backbone.prepare([text, "nice " * 150, ""])
    words = batch.args[0]
    # The tenth word is beyond num_words, words that are not in the table are left out, and
    # zeros stand in front.
    assert words[0, -5:].tolist() == [1, 2, 3, 4, 6]
    assert words[0, :-5].sum() == 0
    assert words[1].tolist() == [9] * 100
    assert batch.truncated == (1,)
    scores = torch.sigmoid(backbone.forward(batch)).numpy()
    for row, expected in zip(scores, words.numpy(), strict=True):
        np.testing.assert_allclose(row, keras_scores(expected, weights()), atol=2e-6)


def test_of_a_longer_text_the_end_is_kept(package: Path) -> None:
    backbone = open_backbone("toxic-bilstm")
    words = backbone.prepare(["you " * 60 + "nice " * 60]).args[0][0]
    assert words.tolist() == [1] * 40 + [9] * 60


def test_a_pickle_that_would_run_code_is_refused(package: Path, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "was-run",)

    (package / "tokenizer.pickle").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(BackboneError, match="could run code"):
        open_backbone("toxic-bilstm")
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("changes", [{"char_level": True}, {"oov_token": "<unk>"}, {"split": "_"}])
def test_another_kind_of_tokenizer_is_refused(package: Path, changes: dict[str, object]) -> None:
    (package / "tokenizer.pickle").write_bytes(pickled_tokenizer(**changes))
    with pytest.raises(CorruptFileError, match="words at spaces"):
        open_backbone("toxic-bilstm")


def test_damaged_files_are_named(package: Path) -> None:
    (package / "tokenizer.pickle").write_bytes(b"\x80\x05nothing")
    with pytest.raises(CorruptFileError, match=r"tokenizer\.pickle"):
        open_backbone("toxic-bilstm")
    (package / "model.weights.h5").write_bytes(b"nothing")
    with pytest.raises(CorruptFileError, match=r"model\.weights\.h5"):
        open_backbone("toxic-bilstm")


@pytest.mark.skipif(
    importlib.util.find_spec("toxic_classifier") is not None, reason="the package is installed"
)
def test_without_the_package_the_mend_is_said() -> None:
    with pytest.raises(MissingDependencyError, match="--no-deps toxic-comment-classifier"):
        open_backbone("toxic-bilstm")


@pytest.mark.skipif(
    importlib.util.find_spec("toxic_classifier") is None,
    reason="pip install --no-deps toxic-comment-classifier",
)
def test_the_scores_are_those_that_the_package_publishes() -> None:
    backbone = open_backbone("toxic-bilstm")

    def scores(*texts: str) -> np.ndarray:
        return torch.sigmoid(backbone.forward(backbone.prepare(list(texts)))).numpy()

    # README of toxic-comment-classifier 0.3.0.
    published = [
        0.9889402985572815, 0.07256772369146347, 0.620429277420044, 0.01934845559298992,
        0.8664075136184692, 0.04072948172688484,
    ]  # fmt: skip
    np.testing.assert_allclose(scores("You are so dumb and stupid!")[0], published, atol=1e-6)
    means = scores(
        "I hate you so much!", "This is wonderful news.", "You're disgusting!",
        "Absolutely love your energy!", "You're the worst person ever!", "Have a nice day :)",
    ).mean(axis=1)  # fmt: skip
    np.testing.assert_allclose(means, [0.1395, 0.0013, 0.3110, 0.0088, 0.0937, 0.0115], atol=5.1e-5)
