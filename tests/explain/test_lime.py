"""LIME on networks whose right answer is known, on odd examples, and after interruptions."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from PIL import Image

from clearhead.errors import BackboneError, CorruptFileError, InputError, StepMissingError
from clearhead.explain import LimeExplanations, explain_images, explain_texts, words_of
from clearhead.explain.lime.perturb import generator_for, kept_parts, proximity
from clearhead.explain.lime.texts import CutText
from tests.explain.planted import N_FEATURES, image_network, layer_for, text_network

TEXTS = [
    ("first", "a good film , bad !!! a film"),
    ("long", "not a good film a film a film a film a film bad a"),
    ("chinese", "我好a film"),
    ("arabic", "جيد film a"),
    ("emoji", "a film 🙂🙂"),
    ("one", "good"),
    ("unknown", "xyz"),
    ("empty", ""),
    ("blank", "  \n"),
]


@pytest.fixture(scope="module")
def network():
    return text_network()


@pytest.fixture(scope="module")
def layer():
    return layer_for(N_FEATURES)


@pytest.fixture(scope="module")
def found(network, layer):
    return explain_texts(network, layer, TEXTS, ridge=1e-6)


def weights(explanation, feature):
    return dict(zip(explanation.parts.words, explanation.weight[:, feature], strict=True))


def test_the_word_that_a_feature_fires_on(found):
    first = found.of("first")
    assert weights(first, 0)["good"] == pytest.approx(1.5, abs=1e-3)
    assert weights(first, 1)["bad"] == pytest.approx(-2.0, abs=1e-3)
    assert weights(first, 2)["!!!"] == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(first.r2[:3], 1.0, atol=1e-4)
    np.testing.assert_allclose(first.activation[:3], [1.5, -2.0, 1.0])
    np.testing.assert_allclose(first.intercept[:3], 0.0, atol=1e-3)
    for feature, word in ((0, "good"), (1, "bad"), (2, "!!!")):
        own = np.abs(first.weight[:, feature])
        assert own.argmax() == first.parts.words.index(word)
        assert np.sort(own)[-2] < 1e-3
        assert first.std_error[:, feature].max() < 1e-3


def test_a_text_too_long_for_all_subsets(found):
    long = found.of("long")
    assert len(long.parts) == 14
    assert weights(long, 0)["good"] == pytest.approx(1.5, abs=1e-3)
    assert long.r2[0] == pytest.approx(1.0, abs=1e-4)
    # A product of two words is not additive: both count, and R² says that it is not all.
    strongest = np.argsort(-np.abs(long.weight[:, 7]))[:2]
    assert {long.parts.words[i] for i in strongest} == {"not", "good"}
    assert 0.3 < long.r2[7] < 0.999
    assert long.std_error[strongest, 7].min() > 1e-3


def test_every_script(found):
    assert weights(found.of("chinese"), 4)["好"] == pytest.approx(1.0, abs=1e-3)
    assert weights(found.of("arabic"), 6)["جيد"] == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(found.of("emoji").weight[:, 5], [0, 0, 1, 1], atol=1e-3)


def test_one_word_none_and_features_that_never_move(found):
    one = found.of("one")
    assert one.weight.shape == (1, N_FEATURES)
    assert one.weight[0, 0] == pytest.approx(1.5, abs=1e-4)
    np.testing.assert_array_equal(one.std_error, 0.0)
    for empty in (found.of("empty"), found.of("blank")):
        assert empty.weight.shape == (0, N_FEATURES)
        np.testing.assert_array_equal(empty.r2, 0.0)
        np.testing.assert_array_equal(empty.intercept, empty.activation)
    for one in found:
        assert one.r2[3] == 0.0
        np.testing.assert_array_equal(one.weight[:, 3], 0.0)
        for values in (one.weight, one.std_error, one.intercept, one.r2, one.activation):
            assert np.isfinite(values).all()


def test_activations_are_standardised(network):
    layer = layer_for(N_FEATURES, center=0.5, scale=0.25)
    found = explain_texts(network, layer, TEXTS[:1], features=[1, 0], ridge=1e-6)
    np.testing.assert_array_equal(found.features, [1, 0])
    np.testing.assert_allclose(found[0].activation, [-10.0, 4.0], rtol=1e-6)
    assert found[0].weight[1, 1] == pytest.approx(6.0, abs=1e-2)
    assert found[0].column(0) == 1


def test_an_example_does_not_depend_on_the_others(network, layer, found):
    alone = explain_texts(network, layer, TEXTS[1:2], ridge=1e-6)
    np.testing.assert_allclose(alone[0].weight, found.of("long").weight, atol=1e-6)
    other = explain_texts(network, layer, TEXTS[1:2], ridge=1e-6, seed=1)
    assert np.abs(other[0].weight[:, 7] - alone[0].weight[:, 7]).max() > 1e-4


@pytest.mark.parametrize(("m", "n"), [(0, 8), (1, 8), (3, 8), (4, 8), (30, 200), (300, 50)])
def test_subsets(m, n):
    kept = kept_parts(m, n, generator_for(3, "id"))
    assert kept[0].all()
    assert len(kept) == min(n, 2**m)
    assert len(np.unique(kept, axis=0)) == len(kept)
    np.testing.assert_array_equal(kept, kept_parts(m, n, generator_for(3, "id")))
    weight = proximity(kept, 0.25)
    assert weight[0] == 1.0
    assert ((weight > 0) & (weight <= 1)).all()


def test_removing_words_leaves_text_that_reads():
    def without(text, *removed):
        parts = words_of(text)
        kept = np.array([word not in removed for word in parts.words], dtype=bool)
        return CutText(text, parts).render(kept)

    assert without("A  film.\n") == "A  film.\n"
    assert without("(good) film", ")") == "(good film"
    assert without("one/two", "/") == "one two"
    assert without("我很好", "很") == "我好"
    assert without("good , bad", ",") == "good bad"
    parts = words_of("good, bad")
    masked = CutText("good, bad", parts).render(np.array([True, False, False]), "[MASK]")
    assert masked == "good[MASK] [MASK]"


def test_a_mask_token_needs_a_tokenizer_that_has_one(network, layer):
    with pytest.raises(InputError, match="no mask token"):
        explain_texts(network, layer, TEXTS, fill="mask")


def interrupt_after(done):
    def on_event(event):
        if event.kind == "progress" and event.done >= done:
            raise KeyboardInterrupt

    return on_event


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_interrupted_and_resumed_gives_the_same_bytes(network, layer, tmp_path, monkeypatch):
    monkeypatch.setattr("clearhead.explain.lime.texts.WordSource.rows_at_once", 128)
    options = {"n_perturbations": 64}
    whole = explain_texts(network, layer, TEXTS, folder=tmp_path / "whole", **options)
    folder = tmp_path / "cut"
    for done in (2, 6):
        with pytest.raises(KeyboardInterrupt):
            explain_texts(
                network, layer, TEXTS, folder=folder, on_event=interrupt_after(done), **options
            )
    assert any(name.startswith("lime-0000") for name in files(folder))
    events = []
    resumed = explain_texts(network, layer, TEXTS, folder=folder, on_event=events.append, **options)
    assert 0 < events[0].done < len(TEXTS)
    assert files(folder) == files(tmp_path / "whole")
    for ours, theirs in zip(resumed, whole, strict=True):
        np.testing.assert_array_equal(ours.weight, theirs.weight)
        np.testing.assert_array_equal(ours.std_error, theirs.std_error)
    assert resumed.ids == whole.ids


def test_the_cache_is_used_only_for_the_same(network, layer, tmp_path):
    def evaluations(examples=TEXTS[:2], layer=layer, **options):
        events = []
        found = explain_texts(
            network, layer, examples, folder=tmp_path, on_event=events.append, **options
        )
        assert found.ids == tuple(name for name, _ in examples)
        return events[-1].data["evaluations"]

    assert evaluations() > 0
    assert evaluations() == 0
    assert evaluations(TEXTS[:1]) == 0
    assert LimeExplanations.load(tmp_path).ids == ("first", "long")
    assert evaluations(TEXTS[1:3]) > 0
    assert set(LimeExplanations.load(tmp_path).ids) == {"first", "long", "chinese"}
    assert evaluations(TEXTS[:3]) == 0
    assert evaluations([("first", "another text")]) > 0
    assert LimeExplanations.load(tmp_path).of("first").parts.words == ("another", "text")
    assert evaluations(n_perturbations=32) > 0
    assert evaluations(n_perturbations=32, seed=1) > 0
    assert evaluations(n_perturbations=32, seed=1, features=[0, 1]) > 0
    assert evaluations(n_perturbations=32, seed=1, features=[0, 1]) == 0
    assert evaluations(n_perturbations=32, layer=layer_for(N_FEATURES, scale=2.0)) > 0
    (tmp_path / "lime.safetensors").write_bytes(b"damaged")
    with pytest.raises(CorruptFileError, match="damaged"):
        LimeExplanations.load(tmp_path)
    assert evaluations(n_perturbations=32, layer=layer_for(N_FEATURES, scale=2.0)) > 0


def test_saved_and_loaded(found, tmp_path):
    found.save(tmp_path)
    loaded = LimeExplanations.load(tmp_path)
    assert loaded.ids == found.ids
    for ours, theirs in zip(loaded, found, strict=True):
        assert ours.parts.words == theirs.parts.words
        np.testing.assert_array_equal(ours.parts.spans, theirs.parts.spans)
        for name in ("weight", "std_error", "intercept", "r2", "activation", "features"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    json.loads((tmp_path / "lime.json").read_text())
    with pytest.raises(StepMissingError, match="run explain"):
        LimeExplanations.load(tmp_path / "nothing")


def test_shown(found):
    first = found.of("first")
    assert found[:2].ids == ("first", "long")
    assert first.to_frame(0).iloc[0]["word"] == "good"
    ax = first.plot(0)
    assert "feature 0" in ax.get_title()
    assert len(ax.patches) == len(first.parts)
    assert "good" in first._repr_html_()
    assert found.of("empty")._repr_html_()
    found.of("empty").plot(0)
    with pytest.raises(InputError, match="feature 99 was not explained"):
        first.plot(99)
    with pytest.raises(InputError, match="is a text"):
        first.overlay(0)
    with pytest.raises(InputError, match="'who'"):
        found.of("who")


def test_what_a_text_holds_is_no_markup(network, layer):
    found = explain_texts(network, layer, [("<b>$\\frac$", "<script>alert(1)</script> $\\x$ good")])
    assert "<script" not in found._repr_html_()
    assert "<b>" not in found._repr_html_()
    found[0].plot(0, k=20).figure.canvas.draw()  # matplotlib refuses broken mathematics here


def test_bad_arguments(network, layer):
    def refused(match, examples=TEXTS, error=InputError, **options):
        with pytest.raises(error, match=match):
            explain_texts(network, layer, examples, **options)

    refused("n_perturbations=1", n_perturbations=1)
    refused("ridge=0", ridge=0)
    refused("kernel_width=nan", kernel_width=float("nan"))
    refused("seed=-1", seed=-1)
    refused("batch_size=0", batch_size=0)
    refused("fill='blank'", fill="blank")
    refused("more than once", [TEXTS[0], TEXTS[0]])
    refused("'x' is a int", [("x", 3)])
    refused("8 is no feature", features=[0, 8])
    refused("more than once", features=[0, 0])
    refused("integers", features=[0.5])
    with pytest.raises(BackboneError, match="explain_texts"):
        explain_images(network, layer, [])
    with pytest.raises(InputError, match="fitted on 3"):
        explain_texts(network, layer_for(3), TEXTS)


def test_few_perturbations_are_warned_of(network, layer):
    events = []
    text = " ".join(["a good film"] * 10)
    found = explain_texts(network, layer, [("t", text)], n_perturbations=20, on_event=events.append)
    assert [event for event in events if event.kind == "warning"]
    assert np.isinf(found[0].std_error).all()
    assert np.isfinite(found[0].weight).all()


def red_spot(size=(32, 32), mode="RGB"):
    picture = Image.new("RGB", size, (60, 60, 60))
    picture.paste((255, 0, 0), (0, 0, size[0] // 2, size[1] // 2))
    return picture.convert(mode)


@pytest.mark.parametrize("method", ["slic", "grid"])
def test_the_region_that_is_red(method):
    network = image_network()
    found = explain_images(
        network, layer_for(4), [("p", red_spot())], n_regions=4, method=method, ridge=1e-6
    )[0]
    red = found.parts.segments[2, 2]
    assert np.argmax(found.weight[:, 0]) == red
    assert found.r2[0] == pytest.approx(1.0, abs=1e-4)
    # The mean over pixels is additive: what hiding the region changes, exactly.
    share = (found.parts.segments == red).mean()
    grey, shown = 128 / 127.5 - 1, np.array([255, 0, 0]) / 127.5 - 1
    effect = share * ((shown - grey) @ [1.0, -0.5, -0.5])
    if method == "grid":
        assert found.weight[red, 0] == pytest.approx(effect, rel=1e-3)
    np.testing.assert_array_equal(found.parts.picture[2, 2], [255, 0, 0])
    assert found.overlay(0).size == (32, 32)
    assert "data:image/png" in found.to_html(0)
    assert found.plot().images


@pytest.mark.parametrize("fill", ["grey", "mean", "blur"])
@pytest.mark.parametrize(
    "picture",
    [
        red_spot((40, 12)),
        red_spot((8, 8), "L"),
        Image.new("RGB", (16, 16), (9, 9, 9)),
        Image.new("RGB", (1, 1), (255, 0, 0)),
    ],
)
def test_odd_pictures(fill, picture, tmp_path):
    found = explain_images(
        image_network(),
        layer_for(4),
        [("p", picture)],
        features=[0, 1, 2],
        n_perturbations=16,
        fill=fill,
    )
    for values in (found[0].weight, found[0].r2, found[0].intercept):
        assert np.isfinite(values).all()
    found.save(tmp_path)
    loaded = LimeExplanations.load(tmp_path)[0]
    np.testing.assert_array_equal(loaded.parts.segments, found[0].parts.segments)
    np.testing.assert_array_equal(loaded.parts.picture, found[0].parts.picture)


def test_one_region():
    found = explain_images(
        image_network(), layer_for(4), [("p", red_spot())], n_regions=1, method="grid"
    )[0]
    hidden = 128 / 127.5 - 1
    assert found.weight.shape == (1, 4)
    shown = np.asarray(red_spot()).mean((0, 1)) / 127.5 - 1
    assert found.weight[0, 2] == pytest.approx(shown.mean() - hidden, rel=2e-3)


def test_pictures_are_cached(tmp_path):
    network, pictures = image_network(), [("a", red_spot()), ("b", red_spot((20, 30)))]
    first = explain_images(network, layer_for(4), pictures, folder=tmp_path, n_perturbations=16)
    events = []
    again = explain_images(
        network, layer_for(4), pictures, folder=tmp_path, n_perturbations=16, on_event=events.append
    )
    assert events[-1].data["evaluations"] == 0
    for ours, theirs in zip(first, again, strict=True):
        np.testing.assert_array_equal(ours.weight, theirs.weight)


def test_a_grid_where_scikit_image_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    events = []
    found = explain_images(
        image_network(),
        layer_for(4),
        [("p", red_spot())],
        n_regions=4,
        n_perturbations=16,
        on_event=events.append,
    )
    assert any("scikit-image" in event.message for event in events if event.kind == "warning")
    assert len(found[0].parts) == 4
