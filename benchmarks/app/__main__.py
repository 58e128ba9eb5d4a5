"""python -m benchmarks.app: how long a step of the slider takes, on every screen, in Chromium."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.app.data import large_app
from clearhead.report.html import write_html

SCREENS = (
    "overview",
    "class",
    "class/7",
    "feature",
    "feature/{feature}",
    "example",
    "example/{key}",
)
SCREENS += ("errors", "edit?edits=zero:{feature}", "bias", "compare", "about")
STEP = """async ([n, kind]) => {
  const range = document.getElementById('sparsity');
  const dense = [...document.querySelectorAll('button[title=d]')];
  const frame = () => new Promise((done) => requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = done;
    after.port2.postMessage(0);
  }));
  const last = Number(range.max), taken = [];
  await frame();
  for (let i = 0; i < n; i++) {
    const start = performance.now();
    if (kind === 'slider') {
      range.value = String(Math.round((last * ((i * 7) % 31)) / 30));
      range.dispatchEvent(new Event('input', { bubbles: true }));
    } else dense[(i + 1) % 2].click();
    await frame();
    taken.push(performance.now() - start);
  }
  return taken;
}"""


def main() -> None:
    """Print one row a screen, and write them as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.app", description=__doc__)
    parser.add_argument("--steps", type=int, default=31)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    a = parser.parse_args()
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if chromium is None:
        sys.exit("This needs Chromium, which is not installed.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        data = large_app()
        place = write_html(data, Path(folder) / "report.html")
        size = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
        print(f"{size / 2**20:.1f} MB in {place.name}")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(120_000)
        started = time.perf_counter()
        page.goto(place.as_uri())
        page.wait_for_selector("main h1")
        first = time.perf_counter() - started
        print(f"first screen {first:.2f} s, from a file")
        found = {"first_screen_s": round(first, 3), "megabytes": round(size / 2**20, 1), "ms": {}}
        subject = {"feature": data.features[0].index, "key": data.along.keys[0]}
        print(
            f"{'screen':16s} {'slider, median':>15s} {'95%':>6s} {'dense':>8s} {'95%':>6s}   (ms)"
        )
        for screen in SCREENS:
            where = screen.format(**subject)
            page.evaluate("to => { location.hash = '#/' + to }", where)
            page.wait_for_selector(f'main[data-screen="{re.split("[/?]", where)[0]}"] h1')
            page.wait_for_timeout(500)
            row = {}
            for kind in ("slider", "switch"):
                taken = sorted(page.evaluate(STEP, [a.steps, kind]))
                row[kind] = [
                    round(statistics.median(taken), 1),
                    round(taken[int(0.95 * len(taken))], 1),
                ]
            found["ms"][screen] = row
            (m, q), (d, e) = row["slider"], row["switch"]
            name = screen.split("/{")[0].split("?")[0]
            print(f"{name:16s} {m:15.1f} {q:6.1f} {d:8.1f} {e:6.1f}", flush=True)
        browser.close()
    if a.out:
        a.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
