"""A report that is too large for one file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from clearhead import open_run
from clearhead.report import AppData, written_report
from clearhead.report import html as page_module
from clearhead.report.html import write_html

CHROMIUM = shutil.which("chromium")


@pytest.fixture
def data(run_folder: Path) -> AppData:
    return open_run(run_folder).app_data()


def test_parts_give_back_the_data(
    data: AppData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "PART", 10_000)
    index = write_html(data, tmp_path / "r.html", most=1_000)
    assert index == tmp_path / "r" / "index.html" == written_report(tmp_path / "r.html")
    page = index.read_text(encoding="utf-8")
    names = re.findall(r'<script src="([^"]+)">', page)
    assert f'data-parts="{len(names)}"' in page
    assert len(names) > 2
    texts = []
    for number, name in enumerate(names):
        script = (tmp_path / "r" / name).read_text(encoding="ascii")
        head = f"(globalThis.clearheadParts??=[])[{number}]="
        assert script.startswith(head)
        assert not set("<>&") & set(script.removeprefix(head))
        texts.append(json.loads(script.removeprefix(head).rstrip().rstrip(";")))
    assert AppData.model_validate_json("".join(texts)) == data


def test_file_and_folder_take_each_other_s_place(data: AppData, tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    assert written_report(path) is None
    write_html(data, path)
    write_html(data, path, most=1_000)
    assert not path.exists()
    (tmp_path / "r" / "mine.txt").write_text("kept")
    assert write_html(data, path) == path == written_report(path)
    assert [one.name for one in (tmp_path / "r").iterdir()] == ["mine.txt"]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not installed")
def test_a_browser_opens_the_folder(data: AppData, tmp_path: Path) -> None:
    index = write_html(data, tmp_path / "r.html", most=1_000)
    done = subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--enable-logging=stderr",
            "--v=0",
            "--virtual-time-budget=3000",
            "--dump-dom",
            index.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    assert not said, said
    assert 'id="sparsity"' in done.stdout.decode("utf-8", "replace")
