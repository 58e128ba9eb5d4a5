import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clearhead.data.delimited import read_delimited
from clearhead.errors import DataError

FIELDS = st.text(
    alphabet=st.one_of(st.sampled_from('ab "\t,\n\r;\x00\u2028\x85é\ud800'), st.characters()),
    max_size=12,
)


def written(tmp_path, text, name="data.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding, "surrogatepass"))
    return path


@settings(max_examples=200, deadline=None)
@example([("\t\n", "0")])
@given(st.lists(st.tuples(FIELDS, st.sampled_from(["0", "1"])), min_size=1, max_size=8))
@pytest.mark.parametrize(("name", "delimiter"), [("data.csv", ","), ("data.tsv", "\t")])
def test_what_a_csv_writer_quotes_comes_back(tmp_path_factory, name, delimiter, rows):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("text", "label"), *rows])
    table = read_delimited(written(tmp_path_factory.mktemp("csv"), buffer.getvalue(), name))
    assert table.rows == [list(row) for row in rows]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\t\n\r"), min_size=1, max_size=12),
        min_size=1,
        max_size=8,
    )
)
def test_a_plain_tsv_keeps_every_line(tmp_path_factory, texts):
    # Two quotes inside quotes are how a written quote looks: the one ambiguity there is.
    texts = [text.replace('""', "'") for text in texts]
    lines = "".join(f"{text}\t1\n" for text in texts)
    table = read_delimited(
        written(tmp_path_factory.mktemp("tsv"), "text\tlabel\n" + lines, "t.tsv")
    )
    assert [row[0] for row in table.rows] == texts
    assert table.lines == list(range(2, len(texts) + 2))


def test_bare_quotes_in_a_tsv_swallow_no_line(tmp_path):
    text = 'sentence\tlabel\n" brilliant\t1\nas they say " dull "\t0\n"all quoted"\t1\n'
    table = read_delimited(written(tmp_path, text, "dev.tsv"))
    assert table.rows == [
        ['" brilliant', "1"],
        ['as they say " dull "', "0"],
        ['"all quoted"', "1"],
    ]


def test_a_tsv_written_with_quotes_is_unquoted(tmp_path):
    text = 'text\tlabel\n"She said ""hi"""\ta\n"two\tcolumns and\ntwo lines"\tb\nplain\ta\n'
    table = read_delimited(written(tmp_path, text, "train.tsv"))
    assert table.rows == [
        ['She said "hi"', "a"],
        ["two\tcolumns and\ntwo lines", "b"],
        ["plain", "a"],
    ]
    assert table.lines == [2, 3, 5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["data.csv", "data.tsv"])
def test_encodings_and_line_ends(tmp_path, encoding, newline, name):
    separator = "," if name.endswith("csv") else "\t"
    lines = [separator.join(row) for row in (("text", "label"), ("crème brûlée", "1"))]
    table = read_delimited(written(tmp_path, newline.join([*lines, "", ""]), name, encoding))
    assert table.header == ["text", "label"]
    assert table.rows == [["crème brûlée", "1"]]


def test_semicolons_in_a_csv(tmp_path):
    table = read_delimited(written(tmp_path, "text;label\na, b;1\n"))
    assert table.rows == [["a, b", "1"]]


def test_a_very_long_field(tmp_path):
    long = "word " * 100_000
    before = csv.field_size_limit()
    assert read_delimited(written(tmp_path, f"text,label\n{long},1\n")).rows == [[long, "1"]]
    assert csv.field_size_limit() == before


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "data.csv", "is empty"),
        (" \n\n", "data.tsv", "is empty"),
        ("text,label\na,1\nb,2,3\n", "data.csv", r"line 3 has 3 columns, and the header has 2"),
        ("text\tlabel\na\t1\nb\n", "data.tsv", r"line 3 has 1 columns, and the header has 2"),
        ('text,label\na,1\n"b" c,2\n', "data.csv", "from about line 3 on"),
        ('text,label\na,1\n"never closed,2\n', "data.csv", "from about line 3 on"),
    ],
)
def test_broken_files(tmp_path, text, name, message):
    with pytest.raises(DataError, match=message):
        read_delimited(written(tmp_path, text, name))


def test_another_encoding_is_named_with_its_line(tmp_path):
    path = written(tmp_path, "text,label\nfine,1\ncrème,0\n", encoding="latin1")
    with pytest.raises(DataError, match=r"line 3 is not UTF-8 .*iconv"):
        read_delimited(path)
