import numpy as np
import pytest

from clearhead.data import TextDataset, open_dataset
from clearhead.errors import DataError


def lines(n=40, separator="\t"):
    return [f"text number {i}{separator}{'yes' if i % 2 else 'no'}" for i in range(n)]


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


def test_a_tsv_file(tmp_path):
    dataset = open_dataset(write(tmp_path / "mail.tsv", "text\tlabel", lines()))
    assert isinstance(dataset, TextDataset)
    assert (dataset.name, dataset.modality, len(dataset)) == ("mail", "text", 40)
    assert dataset.class_names == ("no", "yes")
    assert dataset.ids[:2].tolist() == ["1", "2"]
    assert dataset.labels.dtype == np.int64
    assert dataset.labels[:2].tolist() == [0, 1]
    assert dataset.load(3) == dataset.show(3).text == "text number 3"
    assert dataset.counts().to_dict() == {
        "train": {"no": 14, "yes": 14},
        "validation": {"no": 3, "yes": 3},
        "test": {"no": 3, "yes": 3},
    }
    assert repr(dataset) == (
        "<TextDataset 'mail': 40 texts, 2 classes; train 28, validation 6, test 6>"
    )


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "dev", "Dev"])
@pytest.mark.parametrize(("suffix", "separator"), [("csv", ","), ("tsv", "\t")])
def test_a_folder_of_split_files(tmp_path, validation, suffix, separator):
    header = separator.join(["sentence", "intent"])
    for name, n in (("train", 20), (validation, 6), ("test", 8)):
        write(tmp_path / "d" / f"{name}.{suffix}", header, lines(n, separator))
    dataset = open_dataset(tmp_path / "d")
    assert [len(dataset.indices(s)) for s in ("train", "validation", "test")] == [20, 6, 8]
    assert dataset.ids[[0, 20, 26]].tolist() == ["train:1", f"{validation}:1", "test:1"]
    assert dataset.notes == ()
    assert dataset.name == "d"


def test_a_missing_split_file_is_made_and_noted(tmp_path):
    write(tmp_path / "train.tsv", "text\tlabel", lines(100))
    write(tmp_path / "test.tsv", "text\tlabel", lines(10))
    dataset = open_dataset(tmp_path)
    assert [len(dataset.indices(s)) for s in dataset.splits] == [85, 15, 10]
    assert dataset.notes[0].startswith("Validation was drawn from train")


def test_files_without_the_names_of_splits_are_one_table(tmp_path):
    write(tmp_path / "a.tsv", "text\tlabel", lines(20))
    write(tmp_path / "b.tsv", "text\tlabel", lines(20))
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 40
    assert dataset.metadata["file"].value_counts().to_dict() == {"a.tsv": 20, "b.tsv": 20}
    assert dataset.ids[[0, 20]].tolist() == ["a:1", "b:1"]


def test_files_beside_the_splits_are_counted(tmp_path):
    write(tmp_path / "train.tsv", "text\tlabel", lines())
    write(tmp_path / "words.tsv", "word", ["a"])
    dataset = open_dataset(tmp_path)
    assert [(p.kind, p.where) for p in dataset.problems] == [
        ("file beside the splits", "words.tsv")
    ]
    with pytest.raises(DataError, match="1 x file beside the splits"):
        open_dataset(tmp_path, strict=True)


def test_two_files_of_one_split(tmp_path):
    for name in ("train", "val", "dev"):
        write(tmp_path / f"{name}.tsv", "text\tlabel", lines())
    with pytest.raises(DataError, match=r"dev\.tsv and val\.tsv .* are both the validation split"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("header", "text", "label"),
    [
        ("id,comment_text,toxic", 1, 2),
        ("label,sentence,source", 1, 0),
        ("Review Text,Class Name,Class", 0, 2),
        ("sentiment,anything", 1, 0),
        ("tweet,anything", 0, 1),
    ],
)
def test_usual_names(tmp_path, header, text, label):
    width = header.count(",") + 1
    rows = []
    for i in range(40):
        row = [f"r{i}"] * width
        row[text], row[label] = f"words {i}", "ab"[i % 2]
        rows.append(",".join(row))
    dataset = open_dataset(write(tmp_path / "t.csv", header, rows))
    assert dataset.load(5) == "words 5"
    assert dataset.class_names == ("a", "b")


def test_named_columns_ids_splits_and_metadata(tmp_path):
    rows = [
        f"k{i},words {i},x{i % 2},{'train' if i < 20 else 'dev' if i < 30 else 'test'},"
        f"{i},{i / 2 if i else ''},{'007' if i % 2 else ''},7"
        for i in range(40)
    ]
    header = "id,note,kind,split,age,score,agent,label"
    path = write(tmp_path / "t.csv", header, rows)
    dataset = open_dataset(path, text_column="note", label_column="kind")
    assert dataset.ids[1] == "k1"
    assert dataset.class_names == ("x0", "x1")
    assert [len(dataset.indices(s)) for s in dataset.splits] == [20, 10, 10]
    assert dataset.notes == ()
    assert dataset.metadata.columns.tolist() == ["age", "score", "agent", "label"]
    assert dataset.metadata["age"].dtype == np.int64
    assert dataset.metadata["score"].dtype == np.float64
    assert np.isnan(dataset.metadata["score"][0])
    assert dataset.metadata["agent"].dtype == object
    assert dataset.metadata["agent"][:2].tolist() == [None, "007"]


def test_numbers_as_classes_are_sorted_by_size(tmp_path):
    rows = [f"words {i}\t{i % 11}.0" for i in range(110)]
    dataset = open_dataset(write(tmp_path / "t.tsv", "text\tlabel", rows))
    assert dataset.class_names == tuple(str(k) for k in range(11))


def test_empty_texts_are_counted_and_left_out(tmp_path):
    rows = lines()
    rows[4], rows[7] = "\tno", "  \tyes"
    path = write(tmp_path / "t.tsv", "text\tlabel", rows)
    dataset = open_dataset(path)
    assert len(dataset) == 38
    assert [(p.kind, p.where) for p in dataset.problems] == [
        ("empty text", "t.tsv line 6"),
        ("empty text", "t.tsv line 9"),
    ]
    assert dataset.ids[4] == "6"  # a row keeps its number whatever is left out before it
    with pytest.raises(DataError, match="2 x empty text"):
        open_dataset(path, strict=True)


BAD = {
    "missing labels": (
        "text\tlabel",
        [*lines(), "a\t", "b\tNaN"],
        r"2 of the 42 labels are missing .*: t\.tsv line 42, t\.tsv line 43",
    ),
    "one class": ("text\tlabel", ["a\tx", "b\tx"], "All 2 labels are 'x'"),
    "no text": (
        "text\tlabel",
        ["\tx", " \ty"],
        "text column 'text' .* is empty in all 2 rows. Fill it in.",
    ),
    "no rows": ("text\tlabel", [], "has a header and no rows"),
    "no usual names": (
        "a\tb\tc",
        ["1\t2\t3"],
        r"no column is named like a text or a label. Its columns: 'a', 'b', 'c'. "
        r"Name them with text_column \(--text-column\) and label_column \(--label-column\)",
    ),
    "no header": (
        "this film is not what it seems to be\t0",
        lines(),
        r"The first line looks like data: .* put one in front, such as 'text\\tlabel'",
    ),
    "repeated column": ("text\ttext\tlabel", ["a\tb\tc"], "more than one column named text"),
    "duplicate ids": (
        "id\ttext\tlabel",
        ["q\ta\t0", "r\tb\t1", "q\tc\t0"],
        r"1 ids are used more than once: 'q' \(the first of them at t\.tsv line 2, t\.tsv line 4",
    ),
    "empty ids": ("id\ttext\tlabel", ["\ta\t0"], r"1 ids are empty: t\.tsv line 2"),
    "unknown split": (
        "text\tlabel\tsplit",
        ["a\t0\ttrain", "b\t1\tholdout"],
        r"unknown name: 'holdout' at t\.tsv line 3. Splits are named",
    ),
    "class only in test": (
        "text\tlabel\tsplit",
        ["a\t0\ttrain", "b\t1\ttrain", "c\t0\tval", "d\t2\ttest"],
        r"1 of the 3 classes have no training example: '2' \(1 in test, .*t\.tsv line 5",
    ),
    "empty split": (
        "text\tlabel\tsplit",
        ["a\t0\ttrain", "b\t1\ttrain", "c\t0\tval", "\t1\ttest"],
        "Every text of the split test is empty",
    ),
    "labels that are numbers": (
        "text\tlabel",
        [f"text {i}\t{i / 7}" for i in range(60)],
        "60 different values in 60 examples",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_tables(tmp_path, case):
    header, rows, message = BAD[case]
    with pytest.raises(DataError, match=message):
        open_dataset(write(tmp_path / "t.tsv", header, rows))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text_column": "Txet"}, r"no column 'Txet' \(text_column\). Did you mean 'text'\?"),
        ({"label_column": "zzz"}, r"no column 'zzz' \(label_column\). Its columns: text, label"),
        ({"text_column": "label", "label_column": "label"}, "cannot be both"),
    ],
)
def test_wrong_column_names(tmp_path, columns, message):
    path = write(tmp_path / "t.tsv", "text\tlabel", lines())
    with pytest.raises(DataError, match=message):
        open_dataset(path, **columns)


def test_nothing_is_done_to_strange_texts(tmp_path):
    strange = [
        "nul \x00 inside",
        "right to left \u202e \u05d0\u05d1",
        "\ud800 alone",
        "z\u0301" * 50_000,
        "line \u2028 separator \x85",
        "  spaces kept  ",
        "\ufeffmark",
    ]
    rows = [f"{text}\t{i % 2}" for i, text in enumerate(strange * 4)]
    path = tmp_path / "t.tsv"
    path.write_bytes("\n".join(["text\tlabel", *rows]).encode("utf-8", "surrogatepass"))
    dataset = open_dataset(path)
    assert list(dataset.texts) == strange * 4
    assert len(dataset.fingerprint()) == 32


def test_limit(tmp_path):
    path = write(tmp_path / "t.tsv", "text\tlabel", lines(200))
    dataset = open_dataset(path, limit=50)
    assert len(dataset) == 50
    assert dataset.notes[-1] == "Limited to 50 of 200 examples, stratified (seed 0)."
    assert dataset.load(7) == f"text number {int(dataset.ids[7]) - 1}"
    assert len(open_dataset(path, limit=1000)) == 200
    with pytest.raises(DataError, match="limit must be at least 1, got 0"):
        open_dataset(path, limit=0)


def test_the_row_numbers_of_pandas_are_no_metadata(tmp_path):
    rows = [f"{i},words {i},{i % 2}" for i in range(40)]
    dataset = open_dataset(write(tmp_path / "t.csv", ",text,label", rows))
    assert dataset.metadata.shape == (40, 0)
    assert dataset.ids[0] == "1"
