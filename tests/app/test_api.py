"""The app's answers, on a run whose network is known."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import threading
import time
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette", reason="needs the extra app")
pytest.importorskip("uvicorn", reason="needs the extra app")
pytest.importorskip("httpx2", reason="needs httpx2")

from starlette.testclient import TestClient

import clearhead
from clearhead.app import Server
from clearhead.app.answers import MOST_BODY
from clearhead.app.jobs import CancelledError, progress
from clearhead.errors import StorageError
from clearhead.events import Event
from clearhead.layer import Ban
from clearhead.report import AppData
from clearhead.report.compare_card import CompareCard
from tests.app.conftest import HOSTILE
from tests.app.jobs import do, start, wait

LONG = {"kind": "analyze", "effort": "full", "force": True}


def code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


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


# --- edits ------------------------------------------------------------------------------


def test_edits_are_those_of_the_command_line(client: TestClient, run: clearhead.Run) -> None:
    feature = int(run.layer().used[0])
    change = {"action": "ban", "features": [feature]}
    before = client.get("/api/edits").json()
    preview = do(client, kind="preview", edits=[change])
    assert client.get("/api/edits").json() == before
    made = do(client, kind="edit", edits=[change], version=before["version"])
    assert made["rows"] == preview["rows"]
    assert run.edits == (Ban((feature,)),)
    assert feature not in run.layer("edited").used
    after = client.get("/api/edits").json()
    assert (after["done"], len(after["steps"])) == (1, 1)
    do(client, kind="undo", version=after["version"])
    assert run.edits == ()
    undone = client.get("/api/edits").json()
    assert (undone["done"], len(undone["steps"])) == (0, 1)
    do(client, kind="redo", version=undone["version"])
    assert run.edits == (Ban((feature,)),)


def test_edit_decided_on_what_is_no_more_is_refused(client: TestClient, run: clearhead.Run) -> None:
    seen = client.get("/api/edits").json()["version"]
    run.edit(zero=[int(run.layer().used[0])])  # in a shell
    change = {"action": "zero", "features": [int(run.layer().used[1])]}
    for wanted in (
        {"kind": "edit", "edits": [change], "version": seen},
        {"kind": "undo", "version": seen},
    ):
        assert code(client.post("/api/jobs", json=wanted)) == (412, "changed")
    assert len(run.edits) == 1


def test_edit_overtaken_while_it_waited_is_refused(client: TestClient, run: clearhead.Run) -> None:
    seen = client.get("/api/edits").json()["version"]
    change = {"action": "zero", "features": [int(run.layer().used[0])]}
    held = start(client, **LONG)
    first, second = (
        start(client, kind="edit", edits=[change], version=seen) for _ in range(2)
    )  # both tabs press the button while the worker is busy
    client.post(f"/api/jobs/{held}/cancel")
    assert wait(client, first)["state"] == "done"
    job = wait(client, second)
    assert (job["state"], job["error"]["code"]) == ("failed", "changed")
    assert len(run.edits) == 1


def test_what_is_wrong_with_an_edit_is_said(client: TestClient) -> None:
    job = wait(client, start(client, kind="preview", edits=[{"action": "ban", "features": [9999]}]))
    assert job["state"] == "failed"
    assert "no feature 9999" in job["error"]["message"]
    # Counterexamples name files of this machine: a page must not.
    data = {"action": "counterexamples", "data": "/etc/passwd"}
    answer = client.post("/api/jobs", json={"kind": "preview", "edits": [data]})
    assert code(answer) == (422, "input")
    assert "/etc/passwd" not in answer.text


def test_another_point_is_selected_and_explained(client: TestClient, run: clearhead.Run) -> None:
    number = run.selection["index"] - 1
    assert do(client, kind="select", point=number) == {"selected": number}
    assert client.get("/api/app.json").json()["path"]["selected"] == number
    job = wait(client, start(client, kind="select", point=500))
    assert "points 0 to 11" in job["error"]["message"]


def test_the_edited_layer_stands_beside_the_chosen_one(
    client: TestClient, run: clearhead.Run
) -> None:
    assert client.get("/api/compare").json() == []
    run.edit(Ban((int(run.layer().used[0]),)))
    (card,) = client.get("/api/compare").json()
    assert card["own"]
    found = CompareCard.model_validate(card).accuracies[0]
    X, y = run.store.matrix("test"), run.store.labels("test")
    assert found.a.value == pytest.approx((run.layer().predict(X) == y).mean())
    assert found.b.value == pytest.approx((run.layer("edited").predict(X) == y).mean())


def test_another_run_stands_beside_this_one(run: clearhead.Run, tmp_path: Path) -> None:
    other = clearhead.open_run(shutil.copytree(run.folder, tmp_path / "other"))
    with contextlib.closing(Server(run, compare=other)) as server:
        client = TestClient(
            server.app,  # type: ignore[arg-type]
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"Authorization": f"Bearer {server.keys.token}"},
        )
        (card,) = client.get("/api/compare").json()
        assert not card["own"]
        assert card["n_changed"] == {"mended": 0, "broken": 0, "other mistake": 0}


def test_a_questionnaire_is_made_and_its_answers_read(
    client: TestClient, run: clearhead.Run
) -> None:
    made = do(client, kind="study", questions=4, arms=["sparse"])
    answer = client.get(f"/api/exports/{made['file']}")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "html" not in answer.headers["content-type"]  # never a page of this origin
    assert made["study"] in answer.text
    key = json.loads((run.folder / "study" / f"{made['study']}.json").read_text())
    given = {name: {"choice": one["right"]} for name, one in key["questions"].items()}
    text = json.dumps(
        {
            "clearhead_study": 1,
            "study": made["study"],
            "person": "Ann",
            "browser": "b",
            "saved": "",
            "answers": given,
            "comment": "",
        }
    )
    result = do(client, kind="answers", files=[{"name": "../../ann.json", "text": text}])
    assert result["n_people"] == 1
    assert all(score["accuracy"]["value"] == 1.0 for score in result["scores"])
    job = wait(client, start(client, kind="answers", files=[{"name": "x.json", "text": "{"}]))
    assert job["state"] == "failed"
    assert "x.json" in job["error"]["message"]


# --- jobs ---------------------------------------------------------------------------------


def test_job_is_cancelled_in_the_middle_and_the_worker_goes_on(
    client: TestClient, run: clearhead.Run
) -> None:
    made = run.analysis if (run.folder / "explain" / "layer.json").exists() else None
    number = start(client, **LONG)
    wait(client, number, until=lambda job: job["progress"] and job["progress"]["done"])
    waiting = start(client, kind="debug", effort="quick", force=True)
    assert client.get("/api/state").json()["busy"]
    assert client.post(f"/api/jobs/{waiting}/cancel").json()["state"] == "cancelled"
    client.post(f"/api/jobs/{number}/cancel")
    job = wait(client, number)
    assert job["state"] == "cancelled"
    assert 0 < job["progress"]["done"] < job["progress"]["total"]
    assert (made is None) == (not (run.folder / "explain" / "layer.json").exists())
    assert wait(client, waiting)["state"] == "cancelled"
    do(client, kind="debug", effort="quick", force=True)


def test_an_iteration_without_a_count_leaves_the_count_of_its_step() -> None:
    before = {"step": "solve", "kind": "progress", "message": "", "done": 2, "total": 13}
    before |= {"unit": "points"}
    found = progress(Event("solve", "progress", "gap 1e-3"), before)
    assert (found["message"], found["done"], found["total"]) == ("gap 1e-3", 2, 13)
    assert progress(Event("edit", "start", "other"), before)["done"] is None


def test_only_the_part_of_the_run_that_changed_gets_a_new_version(
    client: TestClient, run: clearhead.Run
) -> None:
    def parts() -> dict[str, str]:
        found: dict[str, str] = client.get("/api/state").json()["parts"]
        return found

    before = parts()
    run.name_feature(0, "a name")
    named = parts()
    assert [part for part in before if named[part] != before[part]] == ["notes"]
    version = client.get("/api/edits").json()["version"]
    do(client, kind="edit", edits=[{"action": "calibrate"}], version=version)
    assert [part for part in named if parts()[part] != named[part]] == ["edits"]


def test_what_was_shown_stays_while_a_step_is_done_again(
    client: TestClient, server: Server, run: clearhead.Run
) -> None:
    before = client.get("/api/app.json").content
    run.file.begin("debug")  # as a step does before it writes
    assert client.get("/api/app.json").content == before


def test_events_tell_jobs_and_survive_a_reload(client: TestClient, server: Server) -> None:
    do(client, kind="preview", edits=[{"action": "calibrate"}])

    def listen() -> list[tuple[str, dict[str, object]]]:
        """What a page that was loaded just now is told."""
        with client.stream("GET", "/api/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            text = ""
            for part in answer.iter_text():
                text += part
                if "event: run" in text:
                    server.jobs.closed = True  # ends the stream, as the server's end does
        found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)
        return [(name, json.loads(value)) for name, value in found]

    told = listen()
    assert [name for name, _ in told] == ["job", "run"]
    assert told[0][1]["state"] == "done"
    assert "result" not in told[0][1]


def test_queue_has_an_end(client: TestClient) -> None:
    numbers = [start(client, **LONG)]
    wait(client, numbers[0], until=lambda job: job["state"] == "running")
    for _ in range(20):
        numbers.append(start(client, kind="debug"))
    assert code(client.post("/api/jobs", json={"kind": "debug"})) == (503, "queue")
    for number in reversed(numbers):
        client.post(f"/api/jobs/{number}/cancel")
    assert wait(client, numbers[0])["state"] == "cancelled"


def test_defect_is_a_failed_job_and_not_the_end_of_the_worker(server: Server) -> None:
    def broken(on_event) -> None:
        raise ZeroDivisionError("secret detail")

    def stopped(on_event) -> None:
        raise CancelledError

    jobs = [server.jobs.add("x", "x", work) for work in (broken, stopped, lambda _: 7)]
    while server.jobs.busy:
        time.sleep(0.01)
    assert [job.state for job in jobs] == ["failed", "cancelled", "done"]
    assert jobs[0].error is not None
    assert "secret detail" not in jobs[0].error["message"]


# --- trying and exporting -------------------------------------------------------------


def test_own_text_is_seen_as_the_network_sees_it(client: TestClient, run: clearhead.Run) -> None:
    text = "loud1 loud2 filler3"
    found = do(client, kind="try", text=text)
    raw = run.backbone.features(run.backbone.prepare([text])).numpy()
    layer = run.layer()
    np.testing.assert_allclose(found["layers"]["sparse"]["logits"], layer.logits(raw)[0], rtol=1e-6)
    np.testing.assert_allclose(
        found["layers"]["sparse"]["probabilities"], layer.probabilities(raw)[0], rtol=1e-6
    )
    assert run.store.class_names[found["layers"]["sparse"]["predicted"]] == "loud"
    known = dict(map(tuple, found["features"]))
    z = layer.standardize(raw, layer.used)[0]
    assert [known[int(j)] for j in layer.used] == z.tolist()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "one of them"),
        ({"text": "a", "image": "b"}, "one of them"),
        ({"image": base64.b64encode(b"no image").decode()}, "reads texts"),
    ],
)
def test_own_input_that_the_network_cannot_read(
    client: TestClient, asked: dict[str, str], said: str
) -> None:
    job = wait(client, start(client, kind="try", **asked))
    assert job["error"]["code"] == "input"
    assert said in job["error"]["message"]


def test_export_is_an_archive_of_the_run(client: TestClient, run: clearhead.Run) -> None:
    made = do(client, kind="export", format="sklearn")
    answer = client.get(f"/api/exports/{made['file']}")
    assert answer.headers["content-type"] == "application/zip"
    assert f'filename="{made["file"]}"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert "sklearn-sparse/README.md" in archive.namelist()


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
