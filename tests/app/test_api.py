"""The app's answers, on a run whose network is known."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="needs the extra app")
pytest.importorskip("uvicorn", reason="needs the extra app")
pytest.importorskip("httpx2", reason="needs httpx2")

from starlette.testclient import TestClient

import clearhead
from clearhead.app import Server
from clearhead.app.answers import MOST_BODY
from clearhead.errors import StorageError
from clearhead.report import AppData
from tests.app.conftest import HOSTILE
from tests.app.jobs import code

# --- looking ----------------------------------------------------------------------------


def test_run_is_the_report_s_data(client: TestClient, run: clearhead.Run) -> None:
    answer = client.get("/api/app.json")
    assert answer.headers["content-type"] == "application/json"
    assert AppData.model_validate_json(answer.content) == run.app_data()
    assert client.get("/api/app.json").headers["etag"] == answer.headers["etag"]


def test_text_that_is_a_script_comes_back_as_json_text_only(client: TestClient) -> None:
    text = client.get("/api/app.json").text
    assert "<" not in text
    assert "\\u003cscript\\u003ewindow.pwned" in text
    shown = [e["text"] for e in client.get("/api/app.json").json()["examples"]]
    assert any(HOSTILE[:60] in text for text in shown)


def test_run_changed_by_another_program_is_shown_anew(
    client: TestClient, run: clearhead.Run
) -> None:
    before = client.get("/api/app.json")
    feature = before.json()["features"][0]["index"]
    clearhead.open_run(run.folder).name_feature(feature, "from a shell")
    after = client.get("/api/app.json")
    assert after.headers["etag"] != before.headers["etag"]
    assert after.json()["features"][0]["name"] == "from a shell"
    assert client.get("/api/state").json()["version"] == after.headers["etag"].strip('"')


def test_examples_that_the_report_does_not_show_can_be_asked_for(
    client: TestClient, run: clearhead.Run
) -> None:
    shown = {e["key"] for e in client.get("/api/app.json").json()["examples"]}
    other = next(key for key in map(str, run.store.ids) if key not in shown)
    (card,) = client.post("/api/examples", json={"keys": [other]}).json()
    row = list(run.store.ids).index(other)
    layer, raw = run.layer(), run.store.matrix()[[row]]
    assert card["text"] == run.dataset.show(list(map(str, run.dataset.ids)).index(other)).text
    assert card["predicted"] == layer.predict(raw)[0]
    z = layer.standardize(raw, layer.used)[0]
    assert card["features"] == [[int(j), float(a)] for j, a in zip(layer.used, z, strict=True)]
    assert code(client.post("/api/examples", json={"keys": ["../../etc/passwd"]})) == (
        404,
        "example",
    )


def test_state_names_what_runs_when_the_network_is_opened(client: TestClient) -> None:
    state = client.get("/api/state").json()
    assert state["network"] is None
    assert "report" in state["steps"]
    assert not state["busy"]


def test_page_is_the_bundle_and_holds_no_data(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "counts" not in page.text
    for name in re.findall('(?:src|href)="/([^"]+)"', page.text):
        part = client.get(f"/{name}")
        assert part.status_code == 200
        assert part.headers["content-type"].startswith(("text/javascript", "text/css"))


# --- names and marks ------------------------------------------------------------------


def test_names_and_marks_are_kept_with_the_run(client: TestClient, run: clearhead.Run) -> None:
    notes = client.get("/api/notes")
    assert notes.json() == {"version": "none", "features": {}}
    named = client.put(
        "/api/notes/3/name",
        json={"name": " <b>x</b> "},
        headers={"If-Match": notes.headers["etag"]},
    )
    marked = client.put(
        "/api/notes/3/mark",
        json={"class_name": "calm", "mark": "spurious"},
        headers={"If-Match": named.headers["etag"]},
    )
    assert marked.json()["features"] == {"3": {"name": "<b>x</b>", "marks": {"calm": "spurious"}}}
    assert run.notes.features[3].marks == {"calm": "spurious"}
    assert run.given_names == {3: "<b>x</b>"}
    gone = client.put(
        "/api/notes/3/mark",
        json={"class_name": "calm", "mark": None},
        headers={"If-Match": marked.headers["etag"]},
    )
    assert gone.json()["features"] == {"3": {"name": "<b>x</b>", "marks": {}}}


def test_of_two_tabs_the_second_is_told_and_loses_nothing(client: TestClient) -> None:
    seen = client.get("/api/notes").headers["etag"]  # by both
    one = client.put("/api/notes/1/name", json={"name": "one"}, headers={"If-Match": seen})
    two = client.put("/api/notes/2/name", json={"name": "two"}, headers={"If-Match": seen})
    assert one.status_code == 200
    assert code(two) == (412, "changed")
    assert list(client.get("/api/notes").json()["features"]) == ["1"]
    assert code(client.put("/api/notes/2/name", json={"name": "x"})) == (428, "version")


def test_tabs_that_write_at_the_same_moment_all_keep_their_change(client: TestClient) -> None:
    def write(feature: int) -> None:
        while True:
            seen = client.get("/api/notes").headers["etag"]
            answer = client.put(
                f"/api/notes/{feature}/name",
                json={"name": f"n{feature}"},
                headers={"If-Match": seen},
            )
            if answer.status_code == 200:
                return
            assert answer.status_code == 412

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = client.get("/api/notes").json()["features"]
    assert {int(key): one["name"] for key, one in found.items()} == {i: f"n{i}" for i in range(8)}


@pytest.mark.parametrize(
    ("address", "asked", "said"),
    [
        ("/api/notes/1000/name", {"name": "x"}, "features 0 to"),
        ("/api/notes/1/name", {"name": "  "}, "empty"),
        ("/api/notes/1/name", {"name": "x" * 501}, "501 characters"),
        ("/api/notes/1/name", {}, "name: Field required"),
        ("/api/notes/1/name", {"name": "x", "nmae": 1}, "nmae: Extra inputs"),
        ("/api/notes/1/mark", {"class_name": "clam", "mark": "core"}, "calm"),
        ("/api/notes/1/mark", {"class_name": "calm", "mark": "good"}, "'core'"),
        ("/api/notes/1/mark", [1], "the body"),
    ],
)
def test_wrong_notes_are_refused_with_the_place(
    client: TestClient, address: str, asked: object, said: str
) -> None:
    answer = client.put(address, json=asked, headers={"If-Match": "none"})
    assert code(answer) == (422, "input")
    assert said in answer.json()["error"]["message"]


# --- limits -------------------------------------------------------------------------------


def test_huge_bodies_are_refused_before_they_are_read(client: TestClient) -> None:
    answer = client.post(
        "/api/jobs", content=b" " * (MOST_BODY + 1), headers={"Content-Type": "application/json"}
    )
    assert code(answer) == (413, "size")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"kind": "shell"}', b'{"kind": NaN}', b'"debug"'],
)
def test_bodies_that_mean_nothing_are_refused(client: TestClient, body: bytes) -> None:
    kind = {"Content-Type": "application/json"}
    assert code(client.post("/api/jobs", content=body, headers=kind)) == (422, "input")


def test_forms_are_refused(client: TestClient) -> None:
    """What a page of another origin can send without asking first."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = client.post(
            "/api/jobs", content=b'{"kind": "debug"}', headers={"Content-Type": kind}
        )
        assert code(answer) == (415, "type")


@pytest.mark.parametrize(
    "address",
    [
        "/../run.json",
        "/run.json",
        "/report.html",
        "/api/exports/../run.json",
        "/api/exports/..%2Frun.json",
        "/api/exports/%2e%2e%2frun.json",
        "/api/exports/secret.zip",
        "/api/exports/run.json",
        "/api/nothing",
        "/api/jobs/7",
        "/..%5c..%5cetc%5cpasswd",
        "//etc/passwd",
    ],
)
def test_nothing_else_is_served(client: TestClient, run: clearhead.Run, address: str) -> None:
    (run.folder / "exports").mkdir()
    (run.folder / "exports" / "secret.zip").symlink_to("/etc/passwd")
    answer = client.get(address)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"


def test_link_out_of_the_run_is_refused(run: clearhead.Run, tmp_path: Path) -> None:
    inside = run.folder / "features-again"
    inside.symlink_to(run.folder / "features")
    Server(run).close()
    (tmp_path / "secret.json").write_text("[]")
    (run.folder / "findings.json").unlink()
    (run.folder / "findings.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(StorageError, match=r"findings\.json is a link to .*secret\.json"):
        Server(run)


def test_wrong_method_is_json_too(client: TestClient) -> None:
    assert code(client.delete("/api/app.json")) == (405, "address")
