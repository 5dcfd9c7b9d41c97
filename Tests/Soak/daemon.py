"""A daemon under test: its configuration, its process, and what can be seen of it from outside."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

CONFIGURATION = """\
model:
  folder: {model}
  backend: {backend}
listen:
  unix:
    path: {socket}
  tcp:
    addresses: ["127.0.0.1:{tcp}"]
    allow: ["token:*"]
authentication:
  tokensFile: {tokens}
rpc:
  maxReceiveBytes: 4194304
http:
  address: 127.0.0.1:{port}
sessions:
  stateDirectory: {state}
limits:
  memory: 512MiB
  sessions: 64
  sessionsPerIdentity: 16
  sessionBytes: 4MiB
  bytesInFlight: 64MiB
  calls: 128
  callsPerIdentity: 32
  streams: 64
  streamsPerIdentity: 16
  queuedFrames: 128
  queuedFramesPerIdentity: 32
  firstMessageTimeout: 5s
  idleTimeout: 30s
cache:
  poseBytes: 1048576
"""


# Two identities that behave, and one that does not.
TOKENS = {name: f"{name}-of-the-soak-{name}" for name in ("ada", "bea", "mallory")}


class Daemon:
    """`posed` on a Unix socket in a folder of its own."""

    def __init__(self, binary, model, folder, backend="cpu"):
        self.binary = str(binary)
        self.folder = Path(folder).resolve()
        self.socket = str(self.folder / "posed.sock")
        self.address = "unix:" + self.socket
        self.http_port, self.tcp_port = free_port(), free_port()
        self.tcp = f"127.0.0.1:{self.tcp_port}"
        tokens = self.folder / "tokens"
        tokens.write_text("".join(f"{name} {token}\n" for name, token in TOKENS.items()))
        tokens.chmod(0o600)
        self.log = open(self.folder / "posed.log", "ab")
        self.config = self.folder / "posed.yaml"
        self.config.write_text(CONFIGURATION.format(
            model=Path(model).resolve(), socket=self.socket, port=self.http_port, tcp=self.tcp_port,
            backend=backend, tokens=tokens, state=self.folder / "state"))
        (self.folder / "state").mkdir(exist_ok=True)
        self.process = None

    def start(self):
        """Starts it and waits until it says that it is ready."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = str(self.folder / "notify.sock")
        if os.path.exists(path):
            os.unlink(path)
        notify.bind(path)
        notify.settimeout(120)
        environment = dict(os.environ, NOTIFY_SOCKET=path)
        self.process = subprocess.Popen(
            [self.binary, "--config", str(self.config)], stdout=self.log, stderr=self.log,
            env=environment)
        while b"READY=1" not in notify.recv(65536):
            pass
        notify.close()

    def kill(self):
        """Ends it as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self, patience=60):
        """Asks it to drain; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)

    def resident_bytes(self):
        """Resident memory now; 0 when it is gone."""
        try:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found.group(1)) * 1024 if found else 0

    def open_files(self):
        """File descriptors that it holds."""
        try:
            return len(os.listdir(f"/proc/{self.process.pid}/fd"))
        except OSError:
            return 0

    def metrics(self):
        """Its metrics, by name and labels."""
        url = f"http://127.0.0.1:{self.http_port}/metrics"
        text = urllib.request.urlopen(url, timeout=10).read().decode()
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def free_port():
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def slope(samples):
    """Growth of (seconds, value) samples, by least squares, in units a second."""
    count = len(samples)
    if count < 2:
        return 0.0
    mean_x = sum(x for x, _ in samples) / count
    mean_y = sum(y for _, y in samples) / count
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0


def floors(samples, seconds=15):
    """The least of (seconds, value) samples in each span of so many seconds.

    Resident memory goes up and down by megabytes with the messages that are under way. What is held for
    good shows in the moments when least is.
    """
    least = {}
    for when, value in samples:
        span = int(when // seconds)
        least[span] = min(value, least.get(span, value))
    return [(span * seconds, value) for span, value in sorted(least.items())]


class Growth:
    """How fast something rises, in units a minute: `late` without the first two fifths of the time, `last` in the
    second half of the rest.

    At the start, caches, tables and pages of the program fill, and the rise becomes less and less. What is lost for
    good rises as fast at the end. `lasting` is therefore the lesser of the two.
    """

    FEWEST = 4  # floors that a slope is drawn through

    def __init__(self, samples):
        begin = int(len(samples) * 0.4)
        middle = begin + (len(samples) - begin) // 2
        late, last = floors(samples[begin:]), floors(samples[middle:])
        self.late, self.last = slope(late) * 60, slope(last) * 60
        self.is_told = len(last) >= self.FEWEST

    @property
    def lasting(self):
        """The rise that the start does not explain; None where there was too little time to tell."""
        return min(self.late, self.last) if self.is_told else None

    def report(self):
        """For the report of a run."""
        return {"late": round(self.late, 2), "last": round(self.last, 2),
                "lasting": None if self.lasting is None else round(self.lasting, 2)}


class Watch:
    """Samples memory and file descriptors of a daemon."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.begin = time.monotonic()
        self.resident, self.files, self.used, self.unused = [], [], [], []

    def sample(self):
        """Takes a sample; of the heap one each five times."""
        now = time.monotonic() - self.begin
        if len(self.resident) % 5 == 0:
            metrics = self.daemon.metrics()
            self.used.append((now, metrics["posed_heap_used_bytes"]))
            self.unused.append((now, metrics["posed_heap_unused_bytes"]))
        self.resident.append((now, self.daemon.resident_bytes()))
        self.files.append((now, self.daemon.open_files()))

    def growth(self):
        """How what it holds grows, by name."""
        return {name: Growth(samples) for name, samples in
                (("resident bytes", self.resident), ("bytes of the heap", self.used), ("files", self.files))}

    def course(self):
        """Megabytes at the floor, span by span, resident and in the heap: for people."""
        return {name: [round(value / 1e6, 1) for _, value in floors(samples)] for name, samples in
                (("resident", self.resident), ("used", self.used), ("unused", self.unused))}
