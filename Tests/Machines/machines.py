"""Sessions over machines: callers go on while one daemon is killed, one is drained and started anew, Redis is away,
and at last all daemons are started anew. No session may be lost, no request may fail, and every picture has the bits
that it had before.

`machines.py [--sessions N] [--seconds S] [--away S] [--model FOLDER]`; the defaults are the short form for CI.
"""

import argparse
import hashlib
import signal
import statistics
import sys
import threading
import time

from cluster import BINARIES, MODEL, TOKENS, Cluster, wait_for

POSES = 4


def pose(number):
    """The joints of a pose; equal numbers are equal poses."""
    from posed_client import keypoints
    joints = [((7 * joint + 11 * number) % 61 / 61, (5 * joint + 3 * number) % 59 / 59) for joint in range(18)]
    return keypoints(joints, normalized=True)


def person(number):
    """The picture of a person that only this session has."""
    from PIL import Image
    shade = hashlib.sha256(str(number).encode()).digest()
    return Image.new("RGB", (64, 64), tuple(shade[:3]))


class Caller(threading.Thread):
    """One session, picture after picture or as streams, until it is told to end."""

    def __init__(self, cluster, number, streams):
        super().__init__(daemon=True, name=f"caller {number}")
        self.number, self.streams = number, streams
        self.who = list(TOKENS)[number % len(TOKENS)]
        self.client = cluster.client(self.who, reconnect=60.0)
        self.session = self.client.session(
            person(number), id=f"caller-{number}", nfe=2, seed=number, image_format="raw")
        self.expected = [self._digest(self.session.synthesize(pose(index))) for index in range(POSES)]
        self.ending = threading.Event()
        self.failure, self.answered, self.seconds = None, 0, []

    @staticmethod
    def _digest(frame):
        return hashlib.sha256(frame.data).hexdigest()

    def _check(self, index, frame):
        if self._digest(frame) != self.expected[index]:
            raise AssertionError(f"session {self.number}, pose {index}: other bits than before")
        self.answered += 1

    def run(self):
        try:
            while not self.ending.is_set():
                (self._stream if self.streams else self._pictures)()
        except Exception as failure:
            self.failure = failure

    def _pictures(self):
        for index in range(POSES):
            begun = time.monotonic()
            self._check(index, self.session.synthesize(pose(index)))
            self.seconds.append(time.monotonic() - begun)
            time.sleep(0.02)

    def _stream(self):
        def poses():
            for index in range(5 * POSES):
                if self.ending.is_set():
                    return
                time.sleep(0.03)
                yield pose(index % POSES)

        for count, answer in enumerate(self.session.stream(poses())):
            self._check(count % POSES, answer.frame)

    def end(self):
        """Ends it and says whether all was well."""
        self.ending.set()
        self.join(120)
        if self.failure is not None:
            raise self.failure
        assert not self.is_alive(), f"{self.name} does not end"


def progress(callers, what, seconds=60, answers=POSES):
    """Returns when every caller has had so many answers since now."""
    before = [caller.answered for caller in callers]

    def done():
        for caller in callers:
            if caller.failure is not None:
                raise AssertionError(f"{what}: {caller.name}: {caller.failure!r}") from caller.failure
        return all(caller.answered > count + answers for caller, count in zip(callers, before))

    wait_for(done, f"{what}: every session goes on", seconds)
    print(f"{what}: {len(callers)} sessions go on", flush=True)


def disturb(cluster, callers, options):
    """What happens to the machines, one thing after another."""
    one, two, three = cluster.daemons
    progress(callers, "at first")
    one.end(signal.SIGKILL)
    progress(callers, "one daemon killed")
    one.start()
    wait_for(lambda: one.is_ready, "the killed daemon is back")
    status = two.end(signal.SIGTERM)
    assert status == 0, f"the drained daemon ended with status {status}"
    progress(callers, "one daemon drained")
    two.start()
    wait_for(lambda: two.is_ready, "the drained daemon is back")
    # Long enough that every stream has begun anew: each session is then in memory where its requests go.
    progress(callers, "all daemons there", answers=12 * POSES)

    cluster.store.end(signal.SIGTERM)
    wait_for(lambda: all(daemon.metrics()["posed_store_up"] == 0 for daemon in cluster.daemons), "the store is missed")
    end = time.monotonic() + options.away
    progress(callers, "the store away")
    time.sleep(max(0.0, end - time.monotonic()))
    cluster.store.start()
    wait_for(lambda: all(daemon.has_stored_all for daemon in cluster.daemons), "everything is stored again")
    progress(callers, "the store back")
    time.sleep(max(0.0, options.seconds - (time.monotonic() - options.begun)))


def encoded(cluster):
    """How many sources the daemons have encoded since they began."""
    return sum(daemon.metrics().get('posed_stage_seconds_count{stage="source"}', 0) for daemon in cluster.daemons)


def restart(cluster, callers):
    """All daemons end and begin; every session is there with its bits, and no other identity finds it."""
    from posed_client import NotFound
    assert encoded(cluster) > 0
    for daemon in cluster.daemons:
        daemon.end(signal.SIGTERM)
    for daemon in cluster.daemons:
        daemon.start()
    for daemon in cluster.daemons:
        wait_for(lambda: daemon.is_ready, f"daemon {daemon.name} is back")
    firsts = []
    for caller in callers:
        begun = time.monotonic()
        for index in range(POSES):
            caller._check(index, caller.session.synthesize(pose(index)))
            if index == 0:
                firsts.append(time.monotonic() - begun)
        other = next(name for name in TOKENS if name != caller.who)
        with cluster.client(other) as stranger:
            try:
                stranger.open(caller.session.name)
            except NotFound:
                continue
            raise AssertionError(f"{other} finds {caller.session.name} of {caller.who}")
    assert encoded(cluster) == 0, f"{encoded(cluster):.0f} sources were encoded anew, though the store has them"
    print(f"all daemons restarted: {len(callers)} sessions are back, the first frame after "
          f"{statistics.median(firsts) * 1000:.0f} ms in the median", flush=True)


def main():
    """Runs it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--away", type=float, default=5.0)
    parser.add_argument("--model", default=MODEL)
    options = parser.parse_args()
    options.begun = time.monotonic()
    with Cluster(BINARIES / "posed", model=options.model) as cluster:
        callers = [Caller(cluster, number, streams=number % 3 == 2) for number in range(options.sessions)]
        for caller in callers:
            caller.start()
        disturb(cluster, callers, options)
        for caller in callers:
            caller.end()
        spread = [int(daemon.metrics()["posed_sessions"]) for daemon in cluster.daemons]
        restart(cluster, callers)
        answered = sum(caller.answered for caller in callers)
        print(f"{answered} pictures, all with the bits of the first; sessions in memory of each daemon: {spread}")
        for caller in callers:
            caller.session.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
