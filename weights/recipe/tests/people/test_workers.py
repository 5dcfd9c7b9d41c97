import os
import signal
import subprocess
import sys
import time

import pytest

from posed_recipe.people.workers import WorkerDied, results


def double(job):
    return job * 2


def fail(job):
    raise ValueError(f"job {job} cannot be done")


def die(job):
    os.kill(os.getpid(), signal.SIGKILL)


def threads(job):
    return os.environ.get("LP_NUM_THREADS"), os.environ.get("OPENBLAS_NUM_THREADS")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once(workers):
    assert sorted(results(double, list(range(7)), workers)) == [0, 2, 4, 6, 8, 10, 12]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_job_raises_is_raised_here(workers):
    with pytest.raises(ValueError, match="job . cannot be done"):
        list(results(fail, [1, 2], workers))


def test_a_killed_process_is_noticed():
    with pytest.raises(WorkerDied, match="status -9"):
        list(results(die, [1, 2], 2))


def test_processes_have_one_thread_each_and_the_parent_keeps_its_own():
    before = dict(os.environ)
    assert set(results(threads, [1, 2, 3], 2)) == {("0", "1")}
    assert dict(os.environ) == before


ENDLESS = """
import sys, time
sys.path.insert(0, {here!r})
from posed_recipe.people.workers import ended_by_sigterm, results
from test_workers import wait
if __name__ == "__main__":
    with ended_by_sigterm():
        list(results(wait, [{marks!r} + "/a", {marks!r} + "/b"], 2))
"""


def wait(path):
    with open(path, "w") as file:
        file.write(str(os.getpid()))
    os.replace(path, path + ".ready")
    time.sleep(600)


def test_sigterm_ends_the_processes_too(tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS.format(here=os.path.dirname(__file__), marks=str(tmp_path)))
    process = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.ready"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(.05)
    process.terminate()
    assert process.wait(60) == 128 + signal.SIGTERM
    for mark in tmp_path.glob("*.ready"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(mark.read_text()), 0)
