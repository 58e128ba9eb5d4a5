"""Killed at any moment, interrupted, or out of space: nothing finished is lost."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from clearhead.errors import StorageFullError
from clearhead.features import FeatureStore, extract

from .small import files, network, texts

COMMAND = [sys.executable, "-m", "tests.features.small"]


def start(folder, *more):
    return subprocess.Popen(
        [*COMMAND, str(folder), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(folder):
    subprocess.run([*COMMAND, str(folder)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    finish(folder)
    return files(folder)


def done_of(line):
    kind, done = line.split()
    return kind, int(done) if done != "None" else 0


@pytest.mark.parametrize("seed", range(2))
def test_killed_again_and_again_the_store_ends_with_the_same_bytes(tmp_path, whole, seed):
    random = np.random.default_rng(seed)
    resumed = []
    for _ in range(3):
        process = start(tmp_path, "say")
        began = next((line for line in process.stdout if "start" in line), None)
        if began is None:  # the kill before came when all was done
            process.communicate()
            break
        resumed.append(done_of(began)[1])
        time.sleep(random.uniform(0, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == 0:
            break
    assert resumed == sorted(resumed)  # never goes back
    finish(tmp_path)
    assert files(tmp_path) == whole


def test_ctrl_c_keeps_every_finished_batch_and_the_same_command_goes_on(tmp_path, whole):
    process = start(tmp_path, "interrupt")
    said, errors = process.communicate(timeout=60)
    last = done_of(said.splitlines()[-1])[1]
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert not (tmp_path / "lock").exists()
    again = start(tmp_path, "say")
    _, done = done_of(next(line for line in again.stdout if "start" in line))
    again.communicate()
    assert done >= last
    assert files(tmp_path) == whole


def test_a_damaged_piece_is_computed_again(tmp_path, whole):
    process = start(tmp_path, "die")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    pieces = sorted((tmp_path / "partial").glob("*.arrow"))
    assert pieces
    data = bytearray(pieces[0].read_bytes())
    data[len(data) // 2] ^= 1
    pieces[0].write_bytes(data)
    (tmp_path / "partial" / "shard-00000-junk.arrow").write_bytes(b"junk")
    finish(tmp_path)
    assert files(tmp_path) == whole


EVERY_MOMENT = """
import itertools, os, pathlib, signal, sys
import torch
from clearhead.features import extract
from tests.features.small import files, network, texts

torch.set_num_threads(1)
out = pathlib.Path(sys.argv[1])
data = texts(24)

def run(folder, kill_at):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    calls = itertools.count()
    def killing(function):
        def call(*args, **kwargs):
            if next(calls) == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)
        return call
    os.replace, os.unlink, os.fsync = map(killing, (os.replace, os.unlink, os.fsync))
    pathlib.Path.replace = killing(pathlib.Path.replace)
    pathlib.Path.unlink = killing(pathlib.Path.unlink)
    try:
        extract(network(), data, folder, shard_rows=12, flush_seconds=0)
        os._exit(0)
    finally:
        os._exit(1)

assert run(out / "whole", -1) == 0
whole = files(out / "whole")
for moment in itertools.count():
    ended = run(out / str(moment), moment)
    if ended == 0:
        break
    assert ended == -signal.SIGKILL, ended
    assert run(out / str(moment), -1) == 0, moment
    assert files(out / str(moment)) == whole, moment
print(moment)
"""


def test_killed_at_every_step_of_writing_the_store_ends_with_the_same_bytes(tmp_path):
    """Before each sync, rename and removal of one extraction, a process of its own dies."""
    ran = subprocess.run(
        [sys.executable, "-c", EVERY_MOMENT, str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 30


FULL = """
import sys
import torch
from clearhead.errors import StorageFullError
from clearhead.features import extract
from tests.features.small import network, texts
torch.set_num_threads(1)
try:
    extract(network(), texts(20_000), sys.argv[1], batch_size=50, shard_rows=4000, flush_seconds=0)
except StorageFullError as error:
    print(error)
"""


def tiny_disk(path):
    """Shell command that mounts 1.5 MB of memory at `path`, as root or in a namespace."""
    inner = f"mount -t tmpfs -o size=1500k none {path} && exec "
    for prefix in ([], ["-r"]):
        command = ["unshare", "-m", *prefix, "sh", "-c", inner + "true"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return ["unshare", "-m", *prefix, "sh", "-c", inner + '"$@"', "sh"]
    return None


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare (util-linux)")
def test_a_full_disk_is_said_and_what_was_finished_is_kept(tmp_path):
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    prefix = tiny_disk(disk)
    if prefix is None:
        pytest.skip("no small file system can be mounted here")
    script = f'"{sys.executable}" -c "$0" {disk}/store && cp -r {disk}/store {kept}'
    ran = subprocess.run(
        [*prefix, "sh", "-c", script, FULL], capture_output=True, text=True, check=True
    )
    assert "No space left on the device" in ran.stdout
    assert "run the same command again" in ran.stdout
    found = files(kept)
    assert not any(".tmp-" in name for name in found)
    assert "shard-00000.json" in found
    before = sum(name.endswith(".json") for name in found)
    assert before > 3
    events = []
    store = extract(network(), texts(20_000), kept, on_event=events.append)
    begun = next(event for event in events if event.kind == "start")
    assert begun.done >= 4000
    assert store.n == 20_000


READ_ONLY = """
import os, sys
from clearhead.features import extract
from tests.features.small import network, texts
backbone, data = network(), texts()
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere; nobody may not
extract(backbone, data, sys.argv[1])
"""


def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(0o555)
    ran = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "StorageError" in ran.stderr
    assert "cannot be written" in ran.stderr


def test_a_failing_network_keeps_what_was_finished(tmp_path):
    backbone, calls = network(), []

    def fail(*_):
        calls.append(1)
        if len(calls) == 6:
            raise StorageFullError("as if")

    handle = backbone.module.register_forward_pre_hook(fail)
    with pytest.raises(StorageFullError):
        extract(backbone, texts(), tmp_path)
    handle.remove()
    events = []
    extract(backbone, texts(), tmp_path, on_event=events.append)
    assert next(event for event in events if event.kind == "start").done == 5 * 4
    extract(network(), texts(), tmp_path / "other")
    assert files(tmp_path / "other") == {
        name: data for name, data in files(tmp_path).items() if not name.startswith("other")
    }
    assert FeatureStore.open(tmp_path).n == 50
