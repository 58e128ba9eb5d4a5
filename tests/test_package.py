"""The package as others get it: a wheel that runs outside the checkout, and what it exports."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import clearhead
from clearhead import errors

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_wheel_runs_outside_the_checkout(wheel: Path, tmp_path: Path, made_run: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        names = set(archive.namelist())
    assert "clearhead/py.typed" in names
    assert not any(name.startswith(("tests/", "docs/")) for name in names)
    out = tmp_path / "report.html"
    code = (
        "import sys, clearhead, pathlib; "
        f"assert clearhead.__file__.startswith({str(site)!r}), clearhead.__file__; "
        f"clearhead.open_run({str(made_run)!r}).report({str(out)!r})"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=tmp_path, env={"PYTHONPATH": str(site)}
    )
    assert out.read_bytes() == (made_run / "report.html").read_bytes()


def test_every_name_that_is_promised_exists() -> None:
    for name in clearhead.__all__:
        assert getattr(clearhead, name) is not None
    assert set(clearhead.__all__) <= set(dir(clearhead))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = clearhead.nonsense


def test_every_module_says_what_it_offers() -> None:
    modules = [
        name
        for _, name, _ in pkgutil.walk_packages(clearhead.__path__, "clearhead.")
        if not name.endswith("__main__")
    ]
    assert len(modules) > 60
    for name in modules:
        module = importlib.import_module(name)
        missing = [n for n in module.__all__ if not hasattr(module, n)]
        assert not missing, f"{name}: {missing}"


def test_error_tree_is_the_one_that_is_drawn() -> None:
    assert errors.__doc__ is not None
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert issubclass(kind, errors.ClearheadError)
        assert name in errors.__doc__
    assert issubclass(errors.InputError, ValueError)
    assert issubclass(errors.MissingDependencyError, ImportError)
