from pathlib import Path

import pytest

import clearhead.data
from clearhead.data import open_dataset
from clearhead.errors import DataError


def test_all_is_complete():
    names = clearhead.data.__all__
    assert len(names) == len(set(names))
    assert all(hasattr(clearhead.data, name) for name in names)


def test_an_unknown_name_lists_the_names():
    with pytest.raises(DataError, match=r"neither a name nor an existing path") as caught:
        open_dataset("roten-tomatos")
    message = str(caught.value)
    assert "Did you mean 'rotten-tomatoes'?" in message
    assert "Names: elpv, imdb, rotten-tomatoes." in message
    assert "one sub-folder of images per class" in message
    assert "CSV or TSV" in message


def test_a_missing_path_gets_no_silly_hint(tmp_path):
    with pytest.raises(DataError, match="neither a name") as caught:
        open_dataset(tmp_path / "nowhere")
    assert "Did you mean" not in str(caught.value)


def test_a_path_is_never_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="neither a name"):
        open_dataset(Path("imdb"))


@pytest.mark.parametrize("name", ["a.json", "a.txt", "a"])
def test_other_files(tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(DataError, match=r"is not named like a table \(\.csv, \.tsv, \.tab, \.jsonl, \.ndjson, \.parquet\)"):
        open_dataset(tmp_path / name)


@pytest.mark.parametrize("inside", [None, "a.png", "cat/notes.txt"])
def test_folders_without_data(tmp_path, inside):
    if inside:
        (tmp_path / inside).parent.mkdir(exist_ok=True)
        (tmp_path / inside).write_text("x")
    with pytest.raises(DataError, match="holds neither tables nor class folders with images"):
        open_dataset(tmp_path)


def test_columns_are_for_tables():
    with pytest.raises(DataError, match="text_column='a' is for tables, and 'elpv' is none"):
        open_dataset("elpv", text_column="a")
