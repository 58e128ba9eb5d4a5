"""Names, where it is known what a feature should be called."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clearhead.errors import InputError
from clearhead.explain import (
    Enrichment,
    FeatureName,
    detect_enrichment,
    detect_words,
    find_enrichment,
    merge_names,
    name_by_enrichment,
    name_by_words,
    suggest_names,
    vocabulary_names,
    word_table,
)
from tests.explain.bag_of_words import (
    BOTH,
    CONSTANT,
    HIGH,
    NOISE,
    BagOfWords,
    activations,
    explain,
    make_texts,
)


def test_words_name_their_feature_with_the_score_of_the_name() -> None:
    network = BagOfWords()
    table = word_table(explain(network, make_texts(150, seed=0), seed=1))
    train, test = make_texts(300, seed=2), make_texts(300, seed=3)
    z = activations(network, train, 4), activations(network, test, 5)
    detections = detect_words(table, train, z[0], test, z[1], k=3, explanation="name")
    words = [table.words_of(int(j)) for j in table.features]
    names = {one.feature: one for one in name_by_words(words, detections)}
    assert names[HIGH].name.startswith("terrible")
    first, second = names[BOTH].name.split(" / − ")
    assert first.startswith("moving")
    assert second.startswith("dull")
    assert names[BOTH].score > 0.9
    assert names[BOTH].source == "words"
    assert CONSTANT not in names
    if NOISE in names:
        assert names[NOISE].score < 0.62
    assert name_by_words(words)[0].score is None


def known_cells(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Cells of two types and three classes; 5 fires on poly, 6 on two classes, 7 on nothing."""
    rng = np.random.default_rng(seed)
    known = pd.DataFrame(
        {
            "class": rng.choice(["crack", "spot", "fine", "dark"], size=n),
            "type": rng.choice(["poly", "mono", None], size=n, p=[0.45, 0.45, 0.1]),
            "serial": [f"s{i}" for i in range(n)],  # names nothing
        }
    )
    noise = rng.normal(size=(n, 4))
    noise[:, 0] += 3.0 * (known["type"] == "poly") - 3.0 * (known["type"] == "mono")
    noise[:, 1] += 4.0 * known["class"].isin(["crack", "spot"])
    noise[:, 3] = 0.0
    return known, noise


def test_enrichment_names_the_values_and_not_the_noise() -> None:
    features = [5, 6, 7, 8]
    train, test = known_cells(600, 0), known_cells(400, 1)
    found = find_enrichment(features, train[1], train[0])
    high = {(e.feature, e.value) for e in found if e.direction == "high"}
    assert high == {(5, "poly"), (6, "crack"), (6, "spot")}
    low = {(e.feature, e.value) for e in found if e.direction == "low"}
    assert low == {(5, "mono"), (6, "fine"), (6, "dark")}
    for one in found:
        assert one.lift > 1.5
        assert one.p_value <= 0.01
        assert Enrichment.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    detections = detect_enrichment(found, features, train, test)
    names = {one.feature: one for one in name_by_enrichment(found, detections)}
    assert set(names) == {5, 6}
    assert names[5].name == "type poly / − type mono"
    assert set(names[6].name.split(" / − ")[0].split(", ")) == {"crack", "spot"}
    assert names[5].score > 0.75
    assert names[6].score > 0.75
    assert name_by_enrichment(found)[0].score is None


def test_enrichment_p_values_are_fishers_times_what_was_tried() -> None:
    from scipy.stats import fisher_exact

    known, z = known_cells(200, 0)
    known = known[["type"]]
    (one, *_) = find_enrichment([5], z[:, :1], known)
    fires = z[:, 0] > np.percentile(z[:, 0], 80)
    has = (known["type"] == "poly").to_numpy()
    table = [[(fires & has).sum(), (fires & ~has).sum()], [(~fires & has).sum(), 0]]
    table[1][1] = (~fires & ~has).sum()
    assert one.value == "poly"
    assert one.p_value == pytest.approx(4 * fisher_exact(table, alternative="greater").pvalue)
    assert one.share == pytest.approx(has[fires].mean())
    assert one.elsewhere == pytest.approx(has[~fires].mean())


def test_noise_is_seldom_named() -> None:
    rng = np.random.default_rng(0)
    known = pd.DataFrame({"class": rng.choice(list("abcdefgh"), size=300)})
    assert find_enrichment(range(200), rng.normal(size=(300, 200)), known) == []


def test_enrichment_without_anything_known() -> None:
    assert find_enrichment([1], np.zeros((5, 1)), pd.DataFrame(index=range(5))) == []
    with pytest.raises(InputError, match="z: expected shape"):
        find_enrichment([1], np.zeros((4, 1)), pd.DataFrame({"class": list("aabb")}).iloc[:3])


def test_the_best_name_is_suggested_and_a_persons_is_kept() -> None:
    words = [FeatureName(2, "bad", "words", 0.7), FeatureName(1, "few", "words")]
    classes = [FeatureName(2, "defective", "enrichment", 0.9), FeatureName(1, "cat", "vocabulary")]
    suggested = suggest_names(words, classes)
    assert [one.name for one in suggested] == ["few", "defective"]
    named = merge_names(suggested, {2: " my name ", 5: "new"})
    assert [(one.feature, one.name, one.source) for one in named] == [
        (1, "few", "words"),
        (2, "my name", "person"),
        (5, "new", "person"),
    ]
    # Suggestions made again do not take the person's place; what is suggested is not "given".
    again = merge_names(suggested, named)
    assert [one.name for one in again] == ["few", "my name", "new"]
    assert merge_names([*named, *suggested], {2: "better"})[1].name == "better"
    assert suggest_names(suggested, named)[1].source == "person"
    for one in named:
        assert FeatureName.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    with pytest.raises(InputError, match="feature 3 is empty"):
        merge_names(suggested, {3: "  "})
    assert str(words[0]) == "2: bad (by words, 0.70)"
    assert "not judged" in str(words[1])


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A CLIP of random weights, with its tokenizer, in a folder."""
    transformers = pytest.importorskip("transformers")
    import torch

    folder = tmp_path_factory.mktemp("clip")
    letters = [*"abcdefghijklmnopqrstuvwxyz"]
    tokens = [*letters, *(c + "</w>" for c in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = transformers.CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=16
    )
    size = {"shortest_edge": 16}
    crop = {"height": 16, "width": 16}
    picture = transformers.CLIPImageProcessor(size=size, crop_size=crop)
    small = {
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "initializer_factor": 8.0,  # so that pictures differ
    }
    text = {
        **small,
        "vocab_size": len(tokens),
        "max_position_embeddings": 16,
        "bos_token_id": len(tokens) - 2,
        "eos_token_id": len(tokens) - 1,
        "pad_token_id": len(tokens) - 1,
    }
    vision = {**small, "image_size": 16, "patch_size": 8}
    torch.manual_seed(0)
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)
    model = transformers.CLIPModel(config)
    model.save_pretrained(folder)
    transformers.CLIPProcessor(picture, tokenizer).save_pretrained(folder)
    return folder


VOCABULARY = ["red", "stripes", "a dog", "night", "face", "wheel"]


def test_a_feature_that_is_the_likeness_to_a_word_gets_that_word(clip) -> None:
    from clearhead.explain.vocabulary import _open, vocabulary_similarity

    rng = np.random.default_rng(0)
    images = [
        Image.fromarray((rng.random((16, 16, 3)) * rng.integers(40, 255, 3)).astype(np.uint8))
        for _ in range(160)
    ]
    model, processor = _open(clip)
    cosine, scale = vocabulary_similarity(model, processor, images, VOCABULARY, 32)
    assert scale == pytest.approx(14.3, abs=0.1)
    assert np.abs(cosine).max() <= 1.0
    # What a picture is like beyond what all pictures are like: the activation of six features.
    p = np.exp(scale * cosine)
    truth = np.log(p / p.sum(axis=1, keepdims=True))
    truth = (truth - truth.mean(axis=0)) / truth.std(axis=0)
    names = vocabulary_names(
        clip, images[:80], truth[:80], VOCABULARY, test=(images[80:], truth[80:]), k=10
    )
    assert [one.name for one in names] == VOCABULARY
    assert all(one.source == "vocabulary" for one in names)
    assert min(one.score for one in names) > 0.9
    again = vocabulary_names(
        (model, processor), images[:80], truth[:80], VOCABULARY, features=range(10, 16), k=10
    )
    assert [one.name for one in again] == VOCABULARY
    assert again[0].feature == 10
    assert again[0].score is None


def test_vocabulary_refuses_what_does_not_fit(clip, tmp_path) -> None:
    images = [Image.new("RGB", (16, 16))] * 3
    with pytest.raises(InputError, match="holds no config"):
        vocabulary_names(tmp_path, images, np.zeros((3, 1)), VOCABULARY)
    with pytest.raises(InputError, match=r"expected shape \(3, 2\)"):
        vocabulary_names(clip, images, np.zeros((2, 2)), VOCABULARY)
    with pytest.raises(InputError, match="a name to choose from"):
        vocabulary_names(clip, images, np.zeros((3, 2)), [])
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="the CLIP model could not be read"):
        vocabulary_names(tmp_path, images, np.zeros((3, 1)), VOCABULARY)
