"""Tables in files of other kinds, of texts or of paths of images."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clearhead.data import ImageDataset, TextDataset, open_dataset
from clearhead.errors import DataError

N = 40


def rows(**more):
    made = [{"text": f"words {i}", "label": "ab"[i % 2]} for i in range(N)]
    return [
        {**row, **{name: values[i] for name, values in more.items()}} for i, row in enumerate(made)
    ]


def json_lines(path, records):
    path.write_text("\n".join(map(json.dumps, records)) + "\n")
    return path


def pictures(folder, n=N):
    """`n` grey images i.png, of brightness i."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        Image.new("L", (6, 4), i).save(folder / f"{i}.png")
    return [f"{folder.name}/{i}.png" for i in range(n)]


def brightness(dataset):
    return [int(np.asarray(dataset.load(i)).max()) for i in range(len(dataset))]


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson"])
def test_json_lines(tmp_path, suffix):
    records = rows(age=list(range(N)), id=[f"k{i}" for i in range(N)], tags=[["x"]] * N)
    del records[3]["age"]
    dataset = open_dataset(json_lines(tmp_path / f"a.{suffix}", records))
    assert isinstance(dataset, TextDataset)
    assert (dataset.name, len(dataset), dataset.class_names) == ("a", N, ("a", "b"))
    assert dataset.ids[:2].tolist() == ["k0", "k1"]
    assert np.isnan(dataset.metadata["age"][3])
    assert dataset.metadata["age"][4] == 4
    assert dataset.metadata.columns.tolist() == ["age"]
    assert dataset.notes[0] == "Columns that hold no plain values are no metadata: tags."


def test_strange_texts_in_json_lines(tmp_path):
    strange = ["nul \x00", "\u202e rtl \u05d0", "\ud800 alone", "x" * 1_000_000, "a\u2028b", "  s "]
    records = [{"text": strange[i % 6], "label": i % 2} for i in range(24)]
    dataset = open_dataset(json_lines(tmp_path / "a.jsonl", records))
    assert list(dataset.texts) == strange * 4
    assert dataset.show(2).text == "\ud800 alone"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"text": "a", "label": 1}\n{"text": ', "line 2 is not JSON"),
        ("[1, 2]\n", "line 1 holds a list; the file needs one JSON object a line"),
        ("\n\n", "is empty"),
        ("[" * 100_000, "line 1 is not JSON"),
    ],
)
def test_bad_json_lines(tmp_path, text, message):
    path = tmp_path / "a.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        open_dataset(path)


def test_parquet(tmp_path):
    pd.DataFrame(rows(age=list(range(N)))).to_parquet(tmp_path / "a.parquet")
    dataset = open_dataset(tmp_path / "a.parquet")
    assert dataset.load(3) == "words 3"
    assert dataset.metadata["age"].tolist() == list(range(N))


def test_a_damaged_parquet_file(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match=r"a\.parquet is not a sound parquet file"):
        open_dataset(tmp_path / "a.parquet")


def test_parquet_in_pieces(tmp_path):
    for split, n in (("train", 3), ("test", 1)):
        for i in range(n):
            name = f"{split}-{i:05}-of-{n:05}.parquet"
            pd.DataFrame(rows()).to_parquet(tmp_path / name)
    dataset = open_dataset(tmp_path)
    assert [len(dataset.indices(s)) for s in dataset.splits] == [102, 18, 40]
    assert dataset.ids[0] == "train-00000-of-00003:1"
    pd.DataFrame(rows()).to_parquet(tmp_path / "train.parquet")
    with pytest.raises(DataError, match="are both the train split"):
        open_dataset(tmp_path)


def test_images_inside_a_parquet_file(tmp_path):
    paths = [tmp_path / name for name in pictures(tmp_path / "p")]
    images = [{"bytes": path.read_bytes(), "path": path.name} for path in paths]
    features = {
        "image": {"_type": "Image"},
        "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
    }
    noted = json.dumps({"info": {"features": features}}).encode()
    table = pa.table({"image": images, "label": [i % 2 for i in range(N)]})
    pq.write_table(table.replace_schema_metadata({"huggingface": noted}), tmp_path / "a.parquet")
    dataset = open_dataset(tmp_path / "a.parquet")
    assert isinstance(dataset, ImageDataset)
    assert dataset.class_names == ("cat", "dog")
    assert brightness(dataset) == list(range(N))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("column", ["image", "which one"])
def test_paths_of_images_are_relative_to_the_file(tmp_path, kind, column):
    frame = pd.DataFrame(
        {
            column: pictures(tmp_path / "d" / "photos"),
            "label": ["cat", "dog"] * 20,
            "camera": [f"c{i % 3}" for i in range(N)],
        }
    )
    path = tmp_path / "d" / f"a.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_parquet(path)
    dataset = open_dataset(path, image_column=None if column == "image" else column)
    assert isinstance(dataset, ImageDataset)
    assert brightness(dataset) == list(range(N))
    assert dataset.ids[0] == "photos/0.png"
    assert dataset.metadata["camera"][4] == "c1"
    assert dataset.show(0).width == 6


def test_images_that_are_not_there(tmp_path):
    paths = pictures(tmp_path / "photos")
    frame = pd.DataFrame({"image": paths, "label": ["cat", "dog"] * 20})
    frame.to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "photos" / "0.png").unlink()
    dataset = open_dataset(tmp_path / "a.csv")  # one of them: counted when it is loaded
    with pytest.raises(DataError, match="the file is missing"):
        dataset.load(0)
    (tmp_path / "elsewhere").mkdir()
    frame.to_csv(tmp_path / "elsewhere" / "a.csv", index=False)
    with pytest.raises(DataError, match=r"are not there: .*elsewhere/photos/0\.png and the 39"):
        open_dataset(tmp_path / "elsewhere" / "a.csv")


def test_texts_and_images_in_one_table(tmp_path):
    frame = pd.DataFrame(
        {
            "text": [f"caption {i}" for i in range(N)],
            "img": pictures(tmp_path / "p"),
            "label": ["a", "b"] * 20,
        }
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    message = r"texts \(column 'text'\) and images \(column 'img'\)\. Say which"
    with pytest.raises(DataError, match=message):
        open_dataset(tmp_path / "a.csv")
    assert open_dataset(tmp_path / "a.csv", text_column="text").modality == "text"
    assert open_dataset(tmp_path / "a.csv", image_column="img").modality == "image"
    with pytest.raises(DataError, match="were both given"):
        open_dataset(tmp_path / "a.csv", text_column="text", image_column="img")


def test_any_names_of_columns(tmp_path):
    columns = {
        "what": [f"words {i}" for i in range(N)],
        "mood": ["x", "y"] * 20,
        "part": ["train"] * 24 + ["val"] * 8 + ["test"] * 8,
        "who": [f"p{i // 4}" for i in range(N)],
        "key": [f"k{i}" for i in range(N)],
        "age": range(N),
    }
    pd.DataFrame(columns).to_csv(tmp_path / "a.csv", index=False)
    names = {"text_column": "what", "label_column": "mood", "id_column": "key"}
    dataset = open_dataset(tmp_path / "a.csv", split_column="part", **names)
    assert dataset.counts().sum().tolist() == [24, 8, 8]
    assert dataset.ids[0] == "k0"
    assert dataset.metadata.columns.tolist() == ["who", "age"]
    dataset = open_dataset(
        tmp_path / "a.csv", group_column="who", validation=0.2, test=0.1, **names
    )
    assert dataset.counts().sum().tolist() == [28, 8, 4]
    sides = dataset.metadata["who"].groupby(dataset.split).agg(set)
    assert not sides["train"] & sides["test"]
    assert "who" in dataset.metadata  # to slice by
    for option in ("image", "split", "group", "id"):
        with pytest.raises(
            DataError, match=rf"no column 'whoo' \({option}_column\). Did you mean 'wh"
        ):
            open_dataset(tmp_path / "a.csv", **{**names, f"{option}_column": "whoo"})


def test_groups_that_are_missing(tmp_path):
    groups = [f"p{i // 4}" if i != 5 else "" for i in range(N)]
    pd.DataFrame(rows(who=groups)).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match=r"1 examples have no group: a\.csv line 7\. Fill the col"):
        open_dataset(tmp_path / "a.csv", group_column="who")


def test_balance(tmp_path):
    labels = ["rare" if i % 10 == 0 else "often" for i in range(400)]
    path = tmp_path / "a.csv"
    pd.DataFrame({"text": [f"words {i}" for i in range(400)], "label": labels}).to_csv(path)
    whole = open_dataset(path)
    dataset = open_dataset(path, balance_held_out=True)
    assert dataset.counts().to_numpy().tolist() == [[252, 6, 6], [28, 6, 6]]
    assert set(dataset.ids) < set(whole.ids)
    assert dataset.notes[-1] == (
        "Validation and test were drawn down to classes of equal size (examples a class: "
        "validation 6, test 6; seed 0)."
    )
    again = open_dataset(path, balance_held_out=True)
    assert again.ids.tolist() == dataset.ids.tolist()


def test_balance_needs_every_class(tmp_path):
    split = ["train"] * 30 + ["val"] * 5 + ["test"] * 5
    labels = ["a", "b"] * 15 + ["a"] * 5 + ["a", "b", "a", "b", "a"]
    pd.DataFrame(rows(split=split)).assign(label=labels).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match="class 'b' has no validation example"):
        open_dataset(tmp_path / "a.csv", balance_held_out=True)
    assert open_dataset(tmp_path / "a.csv").counts()["validation"].tolist() == [5, 0]


def test_names_for_numbered_classes(tmp_path):
    path = tmp_path / "a.csv"
    pd.DataFrame(rows()).assign(label=[0, 1] * 20).to_csv(path, index=False)
    dataset = open_dataset(path, class_names=["negative", "positive"])
    assert dataset.class_names == ("negative", "positive")
    assert dataset.labels[:2].tolist() == [0, 1]
    pd.DataFrame(rows()).assign(label=[0, 2] * 20).to_csv(path, index=False)
    with pytest.raises(
        DataError, match="labels 2 are outside the classes: there are 2, numbered f"
    ):
        open_dataset(path, class_names=["negative", "positive"])
    pd.DataFrame(rows()).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"labels a, b are not among .*\. Did you mean 'aa'\?"):
        open_dataset(path, class_names=["aa", "bb"])
    with pytest.raises(DataError, match="class_names holds a more than once"):
        open_dataset(path, class_names=["a", "a"])
