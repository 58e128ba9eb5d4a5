"""docs/reproduce.md names every setting, every option and every published figure."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from clearhead.cli.reproduce import command
from clearhead.reproduce import SETTINGS

PAGE = (Path(__file__).parents[2] / "docs" / "reproduce.md").read_text(encoding="utf-8")
SHARED = {"setting", "data", "out", "force", "limit"}
"""Those that the page shows in its commands, or that every subcommand has."""


def test_every_setting_and_its_network_is_named() -> None:
    for setting in SETTINGS.values():
        assert f"clearhead reproduce {setting.name} " in PAGE
        assert setting.model is None or setting.model in PAGE


@pytest.mark.parametrize("name", sorted(set(inspect.signature(command).parameters) - SHARED))
def test_every_option_is_named(name: str) -> None:
    assert f"--{name.replace('_', '-')}" in PAGE


def test_published_figures_are_those_that_are_printed() -> None:
    for figure in SETTINGS["sst"].published:
        assert f"{figure.accuracy:.2%}" in PAGE


def test_its_python_runs() -> None:
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "reproduce.md", "exec"), names)
    assert callable(names["sst"])
