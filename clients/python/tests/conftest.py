"""A daemon for the tests, and a connection to it that can be cut."""

import os
import socket
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests/Interop/python"))
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import daemon as daemons  # noqa: E402

SOURCE, POSE = daemons.SOURCE, daemons.POSE


@pytest.fixture(scope="session")
def daemon():
    """posed with the small random model, on a Unix socket and on TCP with TLS."""
    running = daemons.Daemon()
    yield running
    running.stop()


@pytest.fixture
def own_daemon(tmp_path):
    """A daemon of one test's own, which keeps its sessions in a folder; `again` starts it anew after `kill`."""
    class Own:
        def __init__(self):
            self.state = tmp_path / "state"
            self.state.mkdir(mode=0o700)
            self.running = self.start()

        def start(self):
            return daemons.Daemon({"sessions.stateDirectory": str(self.state)})

        def kill(self):
            self.running.process.kill()
            self.running.process.wait()

        def again(self):
            old = self.running
            self.running = self.start()
            old.discard()

    own = Own()
    yield own
    own.running.discard()


class Line:
    """A Unix socket that passes everything on to another one, until it is cut."""

    def __init__(self, path, target):
        self.path, self.target = str(path), target
        self.pairs = []
        self.connections = 0
        self.is_broken = False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self):
        return f"unix:{self.path}"

    def cut(self):
        """Ends every connection that there is; later ones are made as before."""
        for one in self.pairs:
            shut(one)
        self.pairs.clear()

    def close(self):
        self.is_broken = True
        shut(self.listener)
        self.cut()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                break
            if self.is_broken:
                near.close()
                continue
            self.connections += 1
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self.target() if callable(self.target) else self.target))
            self.pairs += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()
        self.listener.close()

    @staticmethod
    def _pass(source, sink):
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
        except OSError:
            pass
        shut(sink)
        source.close()


def shut(one):
    """Ends a connection, if it has not ended."""
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


@pytest.fixture
def line(daemon, tmp_path):
    """A line to the daemon that can be cut."""
    made = Line(tmp_path / "line.sock", daemon.socket)
    yield made
    made.close()


def poses(count):
    """As many poses in pixels of a picture of 64 by 64, no two of them equal."""
    return [[(20 + index * 1.3, 12 + index * 2 + number * 0.05) for index in range(18)] for number in range(count)]
