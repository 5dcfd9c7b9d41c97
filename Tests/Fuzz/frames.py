"""Sends a running daemon HTTP/2 that is wrong in every way, and asks between whether it still serves.

    frames.py --bin FOLDER [--seconds 30] [--seed N]

It starts posed of FOLDER with the small random model, on a Unix socket and a TCP port of the loopback. Each connection gets
frames that are right, changed, cut off or made of random bytes; `posectl health` is asked every second by the Unix
socket and by TCP. Ends with 1, and says which seed, when the daemon ends, does not answer, or grows beyond 512 MiB.
"""

import argparse
import random
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
GROWTH = 512 << 20
PATHS = ["/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", "/posed.v1.SynthesisService/Synthesize",
         "/posed.v1.SynthesisService/StreamSynthesize", "/posed.v1.SessionService/CreateSession", "/", "/a/b", "//", "*"]


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """The bytes of a frame; `length` is what its head says, where that is not the truth."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length & 0xFFFFFF)[1:] + struct.pack(">BBI", kind & 255, flags & 255, stream) + payload


def literal(name, value):
    """A header as HPACK's literal without indexing."""
    text = lambda data: bytes([min(len(data), 126)]) + data[:126]
    return b"\x00" + text(name.encode("latin-1")) + text(value.encode("latin-1"))


class Attack:
    """One connection's worth of bytes."""

    def __init__(self, chance):
        self.chance = chance
        self.stream = 1

    def bytes(self):
        """The preface, most of the time, and some frames."""
        chance = self.chance
        out = PREFACE if chance.random() < 0.95 else chance.randbytes(chance.randrange(40))
        if chance.random() < 0.9:
            out += frame(SETTINGS, payload=self.settings())
        for _ in range(chance.randrange(1, 20)):
            out += self.any()
        if chance.random() < 0.3:
            out = out[:chance.randrange(len(out) + 1)]
        return out

    def settings(self):
        """Settings with numbers that are known or not."""
        chance = self.chance
        return b"".join(struct.pack(">HI", chance.choice([1, 2, 3, 4, 5, 6, chance.randrange(65536)]),
                                    chance.choice([0, 1, 65535, 0x7FFFFFFF, 0xFFFFFFFF, chance.randrange(1 << 32)]))
                        for _ in range(chance.randrange(5)))

    def call(self):
        """A call with headers that are right or not, and messages that may be none."""
        chance, stream = self.chance, self.stream
        self.stream += 2
        block = b"\x83\x86" + literal(":path", chance.choice(PATHS)) + literal(":authority", "localhost")
        block += literal("content-type", chance.choice(["application/grpc", "application/grpc+proto", "text/plain"]))
        block += literal("te", chance.choice(["trailers", "x"]))
        for name, value in [("grpc-timeout", chance.choice(["1S", "0n", "-1S", "99999999H", "x"])),
                            ("grpc-encoding", chance.choice(["gzip", "identity", "zap"])),
                            ("x-trace-bin", chance.choice(["!!!!", "AAAA", "A"])),
                            ("authorization", chance.choice(["Bearer x", "Bearer", ""])),
                            ("X-Upper", "x"), ("connection", "close"), ("x" * chance.randrange(1, 120), "\x00\x7f")]:
            if chance.random() < 0.2:
                block += literal(name, value)
        if chance.random() < 0.2:
            block = self.changed(block)
        out = frame(HEADERS, 4 if chance.random() < 0.9 else 0, stream, block)
        for _ in range(chance.randrange(3)):
            body = chance.randbytes(chance.choice([0, 1, 5, 100, 4000]))
            size = chance.choice([len(body), len(body) + 1, 0, 0xFFFFFFFF])
            out += frame(DATA, chance.choice([0, 1, 8]), stream,
                         struct.pack(">BI", chance.choice([0, 0, 0, 1, 255]), size) + body)
        return out

    def any(self):
        """A frame of any kind."""
        chance = self.chance
        stream = chance.choice([0, 1, self.stream, 2, 0x7FFFFFFF, 0x80000001])
        payload = chance.randbytes(chance.choice([0, 1, 4, 5, 8, 9, 64, 1000]))
        kind = chance.random()
        if kind < 0.45:
            return self.call()
        if kind < 0.55:
            return frame(WINDOW, 0, stream, struct.pack(">I", chance.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF])))
        if kind < 0.65:
            return frame(SETTINGS, chance.choice([0, 1]), stream, self.settings() + payload[:chance.randrange(7)])
        if kind < 0.75:
            return frame(RESET, 0, stream, struct.pack(">I", chance.randrange(1 << 32))) * chance.choice([1, 50])
        if kind < 0.9:
            return frame(chance.choice([*range(10), chance.randrange(256)]), chance.randrange(256), stream, payload)
        return frame(chance.randrange(10), 0, stream, payload, chance.choice([0, 0xFFFFFF, len(payload) + 1, 16385]))

    def changed(self, data):
        """The same with some bytes changed."""
        data = bytearray(data)
        for _ in range(self.chance.randrange(1, 4)):
            data[self.chance.randrange(len(data))] = self.chance.randrange(256)
        return bytes(data)


class Daemon:
    """posed with the small model."""

    def __init__(self, programs, folder):
        self.programs, self.path = programs, f"{folder}/posed.sock"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = open(f"{folder}/log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [f"{programs}/posed", "--model", ROOT / "Tests/Goldens/tiny", "--socket", self.path,
             "--set", "model.backend=cpu", "--set", "http.address=none",
             "--set", f"listen.tcp.addresses=127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log)
        self.health("--wait")
        self.first = self.memory()

    def health(self, *more):
        """Whether it answers, by both ways."""
        for address in (f"unix:{self.path}", f"127.0.0.1:{self.port}"):
            done = subprocess.run([f"{self.programs}/posectl", "health", "--address", address, "--timeout", "60s", *more],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise SystemExit(f"frames: no health by {address}: {done.stdout}{done.stderr}\n{self.tail()}")

    def memory(self):
        """Resident bytes."""
        if self.process.poll() is not None:
            raise SystemExit(f"frames: the daemon ended with {self.process.returncode}\n{self.tail()}")
        return int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]) * 4096

    def tail(self):
        """The end of its log."""
        self.log.seek(0)
        return self.log.read()[-3000:]

    def connect(self, chance):
        """A connection by either way."""
        if chance.random() < 0.5:
            made = socket.socket(socket.AF_UNIX)
            made.settimeout(5)
            made.connect(self.path)
            return made
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)


def attack(daemon, chance):
    """One connection."""
    try:
        with daemon.connect(chance) as made:
            made.sendall(Attack(chance).bytes())
            made.settimeout(chance.choice([0.0, 0.02, 0.1]))
            try:
                while made.recv(65536):
                    pass
            except (TimeoutError, BlockingIOError):
                pass
    except OSError:
        pass  # a daemon may hang up on such a client


def main():
    """Attacks for so long; 0 when the daemon outlived it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    chance, count = random.Random(options.seed), 0
    print(f"frames: seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="posed-frames-") as folder:
        daemon = Daemon(options.bin, folder)
        try:
            end, asked = time.monotonic() + options.seconds, time.monotonic()
            while time.monotonic() < end:
                attack(daemon, chance)
                count += 1
                if time.monotonic() > asked + 1:
                    daemon.health()
                    if daemon.memory() > daemon.first + GROWTH:
                        raise SystemExit(f"frames: {daemon.memory() >> 20} MiB after {count} connections")
                    asked = time.monotonic()
            daemon.health()
            print(f"frames: {count} connections, {daemon.first >> 20} MiB before, {daemon.memory() >> 20} MiB after")
            daemon.process.terminate()
            status = daemon.process.wait(timeout=60)
            if status != 0:
                raise SystemExit(f"frames: the daemon ended with {status}\n{daemon.tail()}")
        finally:
            daemon.process.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
