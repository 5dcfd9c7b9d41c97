"""Makes sets with several processes. What is complete is kept, so a stopped run goes on where it was."""

import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from . import assets
from .shards import SetError, ShardWriter, is_complete, write_index

IDENTITIES_PER_SHARD = 100
_studio = None


def make(out, identities, poses, seed, workers=1, size=256, split="train"):
    """Writes `identities` x `poses` pictures into the folder `out`; returns pictures a second, by the clock."""
    about = {"size": size, "poses": poses, "seed": seed, "split": split, "identities": identities}
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    _check_same(out, about)
    assets.load()  # built once, before processes ask for it
    numbers = range(-(-identities // IDENTITIES_PER_SHARD))
    jobs = [(out, number, identities, poses, seed, size, split) for number in numbers if not is_complete(out, number)]
    start, made = time.monotonic(), 0
    with tqdm(total=identities * poses, unit="pictures", smoothing=.05) as bar:
        bar.update(identities * poses - sum(poses * len(_identities(job[1], identities)) for job in jobs))
        for count in _results(jobs, workers):
            made += count
            bar.update(count)
            write_index(out, **about)
    write_index(out, **about)
    return made / max(time.monotonic() - start, 1e-9)


def _results(jobs, workers):
    if workers <= 1:
        yield from map(_shard, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with _one_thread_each(), ProcessPoolExecutor(min(workers, max(len(jobs), 1)), context) as pool:
        for done in as_completed([pool.submit(_shard, job) for job in jobs]):
            yield done.result()


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


def _identities(shard, identities):
    return range(shard * IDENTITIES_PER_SHARD, min((shard + 1) * IDENTITIES_PER_SHARD, identities))


def _shard(job):
    """Makes one shard; returns how many pictures it has."""
    global _studio
    from .studio import Studio

    out, number, identities, poses, seed, size, split = job
    if _studio is None or _studio.size != size:
        _studio = Studio(size)
    writer = ShardWriter(out, number)
    for identity in _identities(number, identities):
        for pose, shot in enumerate(_studio.shots(split, seed, identity, poses)):
            writer.add(identity, pose, shot)
    writer.close()
    return len(_identities(number, identities)) * poses


def _check_same(out, about):
    """A folder that already holds another set is refused; more identities of the same set are welcome."""
    try:
        found = json.loads((out / "index.json").read_text())
    except FileNotFoundError:
        return
    for key in ("size", "poses", "seed", "split"):
        if found.get(key) != about[key]:
            raise SetError(f"{out}: holds a set whose {key} is {found.get(key)!r}, not {about[key]!r}; choose another folder")
    if about["identities"] != found["identities"] and found["identities"] % IDENTITIES_PER_SHARD:
        raise SetError(f"{out}: its last shard is not full ({found['identities']} identities); sets grow by whole shards "
                       f"of {IDENTITIES_PER_SHARD}")
