"""What the service manager's store of descriptors saves: the first frame of a session after a SIGKILL, with it and without.

    python Tests/Peers/restart.py --model FOLDER --rounds 5

A stand-in for systemd takes the encoded source that posed hands over (`FDSTORE=1`) and passes it to the next process, or
passes nothing. Each round makes a session and a frame, kills the daemon, starts it again and asks for the frame of another
pose, once each way. Prints a JSON report: medians of the time from the kill until the daemon is ready, of the first frame
in the daemon, and of the part of it that the source took.
"""

import argparse
import array
import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHELL = 'LISTEN_PID=$$ exec "$0" "$@"'  # the variable names the process that the descriptors are meant for


class Manager:
    """Starts posed as a service, and keeps what it hands over."""

    def __init__(self, options, folder):
        self.options, self.folder = options, Path(folder)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.folder / "notify"))
        self.socket.settimeout(120)
        self.kept, self.process = {}, None
        self.address = f"unix:{self.folder / 'posed.sock'}"

    def receive(self, wanted):
        """Reads notifications until one has the line `wanted`; files that come are kept."""
        while True:
            size = array.array("i").itemsize
            data, ancillary, _, _ = self.socket.recvmsg(65536, socket.CMSG_SPACE(8 * size))
            lines = data.decode().splitlines()
            numbers = array.array("i")
            for _, _, content in ancillary:
                numbers.frombytes(content[:len(content) // size * size])
            for line in lines:
                if line.startswith("FDNAME=") and numbers:
                    self.kept[line.partition("=")[2]] = numbers[0]
            if wanted in lines:
                return

    def start(self, passing):
        """Starts posed, with the kept files or without, and waits until it is ready."""
        kept = list(self.kept.items()) if passing else []
        environment = dict(os.environ, NOTIFY_SOCKET=str(self.folder / "notify"))
        if kept:
            environment |= {"LISTEN_FDS": str(len(kept)), "LISTEN_FDNAMES": ":".join(name for name, _ in kept)}

        def place():
            for index, (_, number) in enumerate(kept):
                os.dup2(number, 3 + index)

        self.process = subprocess.Popen(
            ["sh", "-c", SHELL, Path(self.options.bin).resolve() / "posed", "--model", Path(self.options.model).resolve(),
             "--socket", self.folder / "posed.sock", "--http", "none", "--set", f"model.backend={self.options.backend}",
             "--set", f"sessions.stateDirectory={self.folder / 'state'}"],
            env=environment, stderr=subprocess.DEVNULL, preexec_fn=place, close_fds=False)
        self.receive("READY=1")

    def call(self, *arguments):
        """What posectl prints."""
        return subprocess.run([Path(self.options.bin) / "posectl", *arguments, "--address", self.address],
                              check=True, stdout=subprocess.PIPE, text=True).stdout

    def frame(self, session, pose):
        """The report of a frame."""
        return json.loads(self.call("synthesize", "--session", session, "--pose", pose, "--out",
                                    self.folder / "frame.png", "--seed", "1", "--json"))


def round_of(options, passing):
    """Times of one kill."""
    with tempfile.TemporaryDirectory(prefix="posed-restart-") as folder:
        manager = Manager(options, folder)
        (manager.folder / "state").mkdir()
        manager.start(False)
        session = manager.call("sessions", "create", "--source", options.source).strip()
        manager.frame(session, options.poses[0])
        manager.receive("FDSTORE=1")
        manager.process.send_signal(signal.SIGKILL)
        manager.process.wait()
        killed = time.monotonic()
        manager.start(passing)
        ready = time.monotonic()
        report = manager.frame(session, options.poses[1])
        manager.process.send_signal(signal.SIGTERM)
        manager.process.wait()
        return ready - killed, report


def milliseconds(text):
    """A duration of protobuf's JSON, such as 0.017s."""
    return float(text.removesuffix("s")) * 1000


def report(rounds):
    """Medians of rounds."""
    def stage(name):
        return statistics.median(milliseconds(frame["timings"].get(name, "0s")) for _, frame in rounds)

    return {"ready_s": statistics.median(ready for ready, _ in rounds), "first_frame_ms": stage("total"),
            "source_ms": stage("source")}


def main():
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / ".build/release"))
    parser.add_argument("--model", required=True, help="a model's folder, with samples")
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    person = min(path for path in (Path(options.model) / "samples").iterdir() if path.is_dir())
    options.source = person / "source.png"
    with tempfile.TemporaryDirectory() as folder:
        options.poses = [Path(folder) / f"{number}.json" for number in range(2)]
        lines = (person / "sign.jsonl").read_text().splitlines()
        for path, line in zip(options.poses, lines, strict=False):
            path.write_text(line)
        rounds = {name: [round_of(options, name == "kept") for _ in range(options.rounds)] for name in ("kept", "lost")}
    print(json.dumps({name: report(found) for name, found in rounds.items()}, indent=2))


if __name__ == "__main__":
    main()
