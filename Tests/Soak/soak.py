"""Runs posed at full load for some minutes with clients that behave and clients that do not.

    python Tests/Soak/soak.py --posed .build/release/posed --model Tests/Goldens/tiny --minutes 10

The clients that behave are two identities, and have an eighth of the time to themselves; then come those that do not,
with a third identity, with none, and from another address. Half-way the daemon is killed (SIGKILL) and started again. At the end every behaving client must have had an
answer to each request that the kill did not interrupt, the same picture for the same request throughout, and
its session after the restart; the daemon's ledger of calls, tags and buffers and what callers' accounts hold must read zero
once the clients are gone, its memory must stay below `limits.memory` and not grow, and a SIGTERM must end it with status 0. Needs grpcio and grpcio-tools.
Prints a JSON report; the exit status is 0 only when all of that holds.

Memory does not grow when a straight line through the least of each fifteen seconds rises by less than 1 MB a minute,
of resident memory and of what the heap holds, before and after the kill alike. The first two fifths of each half do not count: caches fill then.
Of the rest, the whole and its second half must both rise faster for a failure: where the start is all that rises, the second half
is level. A run of less than eight minutes is too short to tell the two apart; its rise is reported and decides nothing.
By design the daemon keeps the conditioning of sessions that are gone until its bytes are needed, so clients that vanish
and come back as others fill that cache up to `limits.sessionBytes`; it is small here, as is that of poses, so that
both are full in time.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from daemon import TOKENS, Daemon, Watch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
STEADY = ["unary", "unary", "unary", "stream", "stream", "expire", "sessions", "oversize", "health"]
HOSTILE = ["stall", "vanish", "vanish", "garbage", "half_open", "watch_flood", "silent", "idle_streams",
           "bombs", "huge", "flood"]
HONEST = ["ada", "bea"]
GROWTH_LIMITS = {"resident bytes": 1_000_000, "bytes of the heap": 1_000_000, "files": 5}  # a minute
MEMORY_LIMIT = 512 << 20  # limits.memory of the daemon's configuration
HELD = {"posed_frames_running", "posed_frames_waiting", "posed_streams"}
# What the ledger counts that a daemon without clients has all the same.
LASTING = ('"queues"}', '"descriptors"}')
# What accounts hold of sessions lasts as long as those.
KEPT = ('"sessions"}', '"sessionBytes"}')


class Crowd:
    """Client processes; those that end by themselves are replaced by new ones."""

    def __init__(self, address, stubs):
        self.address, self.stubs = address, stubs
        self.seed = 0
        self.steady = {kind + str(i): self.begin(kind, HONEST[i % 2]) for i, kind in enumerate(STEADY)}
        self.hostile = []
        self.replaced = 0

    def attack(self):
        """Lets the hostile ones in. They share the processors, so they are nice about that."""
        self.hostile = [(kind, self.begin(kind, "mallory")) for kind in HOSTILE]

    def begin(self, kind, identity):
        """Starts a client."""
        self.seed += 1
        niceness = [] if identity in HONEST else ["nice", "-n", "15"]
        return subprocess.Popen(
            niceness + [sys.executable, str(HERE / "clients.py"), kind, self.address, self.stubs,
                        str(self.seed), TOKENS[identity]],
            stdout=subprocess.PIPE, text=True)

    def renew(self):
        """Replaces hostile clients that have ended."""
        for index, (kind, process) in enumerate(self.hostile):
            if process.poll() is not None:
                process.stdout.close()
                self.hostile[index] = (kind, self.begin(kind, "mallory"))
                self.replaced += 1

    def end(self):
        """Ends all; the records of the steady ones."""
        for _, process in self.hostile:
            process.kill()
            process.wait()
        records = {}
        for process in self.steady.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self.steady.items():
            out, _ = process.communicate(timeout=180)
            records[name] = json.loads(out.strip().splitlines()[-1]) if out.strip() else None
        return records


def stubs(folder):
    """Python modules of the protocol, made in `folder`."""
    protos = [str(p.relative_to(ROOT / "protos")) for p in (ROOT / "protos/posed").rglob("*.proto")]
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "protos"),
         "--python_out", folder, "--grpc_python_out", folder, *protos], check=True)
    return folder


def verdict(records, first, second, ledger, status):
    """What does not hold, a sentence each."""
    faults = []
    for name, record in records.items():
        if record is None:
            faults.append(f"{name} ended without a record")
            continue
        missing = record["sent"] - record["answered"] - record["refused"] - record["interrupted"]
        if missing != 0:
            faults.append(f"{name}: {missing} of {record['sent']} requests have no answer")
        if record["changed"]:
            faults.append(f"{name}: {record['changed']} pictures differ from the first of their request")
        faults += [f"{name}: {sentence}" for sentence in record["wrong"]]
        if record["answered"] == 0:
            faults.append(f"{name} was never answered")
    for label, watch in (("before", first), ("after", second)):
        for name, growth in watch.growth().items():
            if growth.lasting is not None and growth.lasting > GROWTH_LIMITS[name]:
                faults.append(f"{label} the kill, {name} grew by {growth.lasting:,.0f} a minute")
        peak = max(value for _, value in watch.resident)
        if peak > MEMORY_LIMIT:
            faults.append(f"{label} the kill, memory reached {peak >> 20} MiB")
    faults += [f"ledger: {name} is {value:.0f}" for name, value in ledger.items() if value != 0]
    if status != 0:
        faults.append(f"the daemon ended with status {status}")
    return faults


def percentile(records, kind, since, until):
    """The 99th percentile of the times that a kind of call took between two moments, in seconds."""
    times = sorted(seconds for name, record in records.items() if record and name.startswith(kind)
                   for at, seconds in record["seconds"] if (since is None or at >= since) and (until is None or at < until))
    return round(times[int(len(times) * 0.99)], 4) if times else None


def watch_for(seconds, daemon, crowd):
    """Lets the crowd work; samples of the daemon each second."""
    watch = Watch(daemon)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        crowd.renew()
        watch.sample()
        if daemon.process.poll() is not None:
            raise SystemExit(f"the daemon died with status {daemon.process.returncode}")
        time.sleep(1)
    return watch


def ledger(daemon, patience=20):
    """What the daemon still holds of calls, once the clients are gone."""
    end = time.monotonic() + patience
    while True:
        held = {name: value for name, value in daemon.metrics().items()
                if name in HELD or name.startswith("posed_rpc_alive") and not name.endswith(LASTING)
                or name.startswith("posed_account_held") and not name.endswith(KEPT)}
        if not any(held.values()) or time.monotonic() > end:
            return held
        time.sleep(0.5)


def main():
    """Runs the soak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--posed", default=str(ROOT / ".build/release/posed"))
    parser.add_argument("--model", default=str(ROOT / "Tests/Goldens/tiny"))
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder", help="where logs and state go; a temporary one without it")
    arguments = parser.parse_args()
    folder = Path(arguments.folder or tempfile.mkdtemp(prefix="posed-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stubs").mkdir(exist_ok=True)
    made = stubs(str(folder / "stubs"))
    daemon = Daemon(arguments.posed, arguments.model, folder, arguments.backend)
    daemon.start()
    crowd = Crowd(daemon.tcp, made)
    half = arguments.minutes * 30
    watch_for(half / 4, daemon, crowd)
    begun = time.time()
    crowd.attack()
    first = watch_for(half * 3 / 4, daemon, crowd)
    daemon.kill()
    daemon.start()
    second = watch_for(half, daemon, crowd)
    kept = daemon.metrics()["posed_session_bytes"]
    records = crowd.end()
    held = ledger(daemon)
    status = daemon.terminate()
    faults = verdict(records, first, second, held, status)
    summary = {
        "minutes": arguments.minutes,
        "requests": sum(r["sent"] for r in records.values() if r),
        "answered": sum(r["answered"] for r in records.values() if r),
        "refused": sum(r["refused"] for r in records.values() if r),
        "interrupted": sum(r["interrupted"] for r in records.values() if r),
        "clients_replaced": crowd.replaced,
        "growth_a_minute": [{name: growth.report() for name, growth in watch.growth().items()}
                            for watch in (first, second)],
        "megabytes": [watch.course() for watch in (first, second)],
        "session_bytes": kept,
        "peak_megabytes": [round(max(v for _, v in watch.resident) / 1e6, 1) for watch in (first, second)],
        "p99_seconds": {kind: {"quiet": percentile(records, kind, None, begun),
                               "attacked": percentile(records, kind, begun, None)}
                        for kind in ("unary", "health")},
        "exit_status": status, "ledger": held, "faults": faults, "log": str(folder / "posed.log"),
    }
    print(json.dumps(summary, indent=2))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
