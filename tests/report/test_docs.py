from __future__ import annotations

import re

from clearhead.report import schema
from tests.report.schema_table import PAGE, models, rewrite


def test_the_page_lists_every_field_of_every_model_and_no_more() -> None:
    page = PAGE.read_text(encoding="utf-8")
    chapters = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    listed = {
        c.split("\n")[0].strip(): re.findall(r"^\| `(\w+)` \|", c, re.MULTILINE) for c in chapters
    }
    assert listed == {m.__name__: list(m.model_fields) for m in models()}


def test_the_tables_are_those_of_the_models() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == rewrite(page), "run `python -m tests.report.schema_table`"


def test_the_page_names_the_schema_version() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"schema version **{schema.SCHEMA_VERSION}**" in page
