"""Jobs spread over processes that end with their parent: in good order, by a signal or by a crash."""

import multiprocessing
import os
import queue
import signal
import sys
from contextlib import contextmanager

POLL_SECONDS = .5


class WorkerDied(RuntimeError):
    """A process ended without saying why: killed, or out of memory."""


def results(function, jobs, workers):
    """What `function` makes of each job, as it is made; with one worker, in this process."""
    if workers <= 1 or len(jobs) <= 1:
        yield from map(function, jobs)
        return
    context = multiprocessing.get_context("spawn")
    waiting, done = context.Queue(), context.Queue()
    for job in jobs:
        waiting.put(job)
    count = min(workers, len(jobs))
    for _ in range(count):
        waiting.put(None)
    processes = [context.Process(target=_work, args=(function, waiting, done), daemon=True) for _ in range(count)]
    try:
        with _one_thread_each():
            for process in processes:
                process.start()
        for _ in jobs:
            failure, result = _next(done, processes)
            if failure is not None:
                raise failure
            yield result
    finally:
        for process in processes:
            if process.pid is not None:
                process.terminate()
                process.join()


def _next(done, processes):
    while True:
        try:
            return done.get(timeout=POLL_SECONDS)
        except queue.Empty:
            ended = [process.exitcode for process in processes if process.exitcode is not None]
            if any(ended) or len(ended) == len(processes):
                status = max(ended, key=abs)
                raise WorkerDied(f"a process ended with status {status}; what was complete is kept") from None


def _work(function, waiting, done):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    parent = multiprocessing.parent_process()
    while parent.is_alive() and (job := waiting.get()) is not None:
        try:
            done.put((None, function(job)))
        except Exception as error:  # whatever it is, the parent raises it
            done.put((error, None))
            return


@contextmanager
def _one_thread_each():
    """Processes started within draw and compute with one thread each."""
    kept = dict(os.environ)
    os.environ.update(LP_NUM_THREADS="0", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


@contextmanager
def ended_by_sigterm():
    """SIGTERM leaves what runs within as an exit does: processes are ended, files stay whole."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
