"""Makes sets with several processes. What is complete is kept, so a stopped run goes on where it was."""

import json
import time
from pathlib import Path

from tqdm import tqdm

from . import assets
from .shards import FORMAT, SetError, ShardWriter, is_complete, write_index
from .studio import shared_studio
from .workers import results

IDENTITIES_PER_SHARD = 100


def make(out, identities, poses, seed, workers=1, size=256, split="train", signing=0.):
    """Writes `identities` x `poses` pictures into the folder `out`; returns pictures a second, by the clock.

    A share `signing` of the identities signs before a fixed camera.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    about = {"size": size, "poses": poses, "seed": seed, "split": split, "signing": signing,
             "identities": identities}
    _check_same(out, about)
    assets.load()  # built once, before processes ask for it
    shards = range(-(-identities // IDENTITIES_PER_SHARD))
    jobs = [(out, shard, _identities(shard, identities), poses, seed, size, split, signing)
            for shard in shards if not is_complete(out, shard)]
    start, made = time.monotonic(), 0
    todo = sum(len(job[2]) * poses for job in jobs)
    with tqdm(total=identities * poses, initial=identities * poses - todo, unit="pictures", smoothing=.05) as bar:
        for count in results(_make_shard, jobs, workers):
            made += count
            bar.update(count)
            write_index(out, **about)
    write_index(out, **about)
    return made / max(time.monotonic() - start, 1e-9)


def _identities(shard, identities):
    return range(shard * IDENTITIES_PER_SHARD, min((shard + 1) * IDENTITIES_PER_SHARD, identities))


def _make_shard(job):
    """Makes one shard; returns how many pictures it has."""
    out, number, identities, poses, seed, size, split, signing = job
    studio = shared_studio(size)
    writer = ShardWriter(out, number)
    for identity in identities:
        for pose, shot in enumerate(studio.shots(split, seed, identity, poses, signing)):
            writer.add(identity, pose, shot)
    writer.close()
    return len(identities) * poses


def _check_same(out, about):
    """A folder that already holds another set is refused; more identities of the same set are welcome."""
    try:
        found = json.loads((out / "index.json").read_text())
    except FileNotFoundError:
        return
    about = {"format": FORMAT, **about}
    for key in ("format", "size", "poses", "seed", "split", "signing"):
        if found.get(key) != about[key]:
            raise SetError(f"{out}: holds a set whose {key} is {found.get(key)!r}, not {about[key]!r}; "
                           "choose another folder")
    before = found["identities"]
    if about["identities"] < before:
        raise SetError(f"{out}: was begun with {before} identities, not fewer ({about['identities']})")
    ends_short = before % IDENTITIES_PER_SHARD and is_complete(out, before // IDENTITIES_PER_SHARD)
    if about["identities"] > before and ends_short:
        raise SetError(f"{out}: its last shard is not full ({before} identities); sets grow by whole shards "
                       f"of {IDENTITIES_PER_SHARD}")
