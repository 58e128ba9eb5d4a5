"""What the app does to a run: edits, jobs, own inputs, exports."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
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
from clearhead.app.jobs import CancelledError, progress
from clearhead.events import Event
from clearhead.layer import Ban
from clearhead.report.compare_card import CompareCard
from tests.app.jobs import code, do, start, wait

LONG = {"kind": "analyze", "effort": "full", "force": True}


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
