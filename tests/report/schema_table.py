"""The tables of docs/report.md, made from the pydantic models.

Run ``python -m tests.report.schema_table`` after a change to the schema.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from clearhead.report import schema

PAGE = Path(__file__).parents[2] / "docs" / "report.md"
START = "<!-- schema: made by `python -m tests.report.schema_table` -->\n"
END = "<!-- end of schema -->\n"


def models() -> list[type[BaseModel]]:
    """Every public model of the schema, the whole report first."""
    found = [getattr(schema, name) for name in schema.__all__]
    parts = [m for m in found if isinstance(m, type) and issubclass(m, BaseModel)]
    return sorted(parts, key=lambda m: (m is not schema.ReportData, m.__name__))


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__name__
    return re.sub(r"(clearhead\.report\.schema|typing)\.", "", repr(annotation)).replace("'", '"')


def tables() -> str:
    """One table for each model."""
    lines = []
    for model in models():
        doc = " ".join((model.__doc__ or "").split("\n\n")[0].split())
        lines += [
            f"### {model.__name__}",
            "",
            doc,
            "",
            "| field | type | meaning |",
            "|---|---|---|",
        ]
        for name, field in model.model_fields.items():
            kind = _type(field.annotation).replace("|", "\\|")
            meaning = (field.description or "").replace("|", "\\|")
            default = "" if field.is_required() else f" (default: `{field.get_default()!r}`)"
            lines.append(f"| `{name}` | `{kind}` | {meaning}{default} |".replace("  ", " "))
        lines.append("")
    return "\n".join(lines)


def rewrite(page: str) -> str:
    """`page` with its tables made anew."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{tables()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(rewrite(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
