"""How a daemon starts: by systemd's socket activation, or not at all."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import grpc

from daemon import BINARIES, MODEL
from posed.v1 import server_service_pb2, server_service_pb2_grpc

ACTIVATE = shutil.which("systemd-socket-activate")


class Start(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def posed(self, **settings):
        """The command of a daemon with these settings."""
        command = [str(BINARIES / "posed"), "--model", str(MODEL), "--http", "none"]
        for name, value in settings.items():
            command += [f"--{name}", str(value)]
        return command

    def test_backends_that_are_not_there(self):
        for backend in ("nonsense", "vae=cpu,transformer=nonsense"):
            with self.subTest(backend=backend):
                path = self.folder / "posed.sock"
                done = subprocess.run(self.posed(backend=backend, socket=path), timeout=120,
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 78, done.stderr)
                self.assertIn("model.backend should name backends that there are; 'nonsense' is not", done.stderr)
                self.assertFalse(path.exists())

    @unittest.skipUnless(ACTIVATE, "systemd-socket-activate is not installed")
    def test_the_first_caller_starts_it(self):
        path, elsewhere = self.folder / "activated.sock", self.folder / "posed.sock"
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(str(self.folder / "notify.sock"))
        log = open(self.folder / "log", "w+", encoding="utf-8")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [ACTIVATE, "--listen", path, "--fdname", "posed.socket",
             "--setenv", f"NOTIFY_SOCKET={self.folder}/notify.sock",
             *self.posed(backend="cpu", socket=elsewhere)], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        end = time.monotonic() + 60
        while not path.exists() and time.monotonic() < end:
            time.sleep(0.01)
        # Nobody has called, so nothing runs yet.
        manager.setblocking(False)
        self.assertRaises(BlockingIOError, manager.recv, 65536)

        with grpc.insecure_channel(f"unix:{path}") as channel:
            info = server_service_pb2_grpc.ServerServiceStub(channel).GetServerInfo(
                server_service_pb2.GetServerInfoRequest(), timeout=120, wait_for_ready=True)
        self.assertEqual(info.identity, f"unix:{os.getuid()}")
        self.assertFalse(elsewhere.exists(), "it listens where it was not told to")
        self.told(manager, "READY=1", log)

        process.terminate()
        self.told(manager, "STOPPING=1", log)
        self.assertEqual(process.wait(60), 0, self.read(log))
        self.assertTrue(path.exists(), "the socket is the service manager's to remove")

    def told(self, manager, line, log):
        """Waits until the service manager is told this."""
        manager.settimeout(60)
        said = []
        try:
            while line not in said:
                said += manager.recv(65536).decode().splitlines()
        except TimeoutError:
            self.fail(f"expected {line}, got {said}:\n{self.read(log)}")

    def read(self, log):
        return Path(log.name).read_text(encoding="utf-8")


if __name__ == "__main__":
    unittest.main()
