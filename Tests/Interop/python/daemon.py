"""A daemon for tests: posed with the small random model, on a Unix socket and on TCP with TLS."""

import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from authority import Authority

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "Tests/Goldens/tiny"
SOURCE = MODEL / "expected/synthesize/source.png"
POSE = MODEL / "expected/synthesize/pose.json"
TOKEN = "a-token-that-nobody-guesses"
BINARIES = Path(os.environ.get("POSED_BIN") or ROOT / ".build/release")


class Daemon:
    """One daemon; `stop` insists that it ended in order, `discard` does not."""

    def __init__(self, changes=None, descriptors=None, configuration=None):
        """`changes` are settings, None for none; `descriptors` is how many the process may have open;
        `configuration` is a file."""
        self.folder = Path(tempfile.mkdtemp(prefix="posed-interop-"))
        self.socket = self.folder / "posed.sock"
        self.authority = Authority(self.folder, "authority")
        certificate, key = self.authority.issue("localhost")
        tokens = self.folder / "tokens"
        tokens.write_text(f"studio {TOKEN}\n")
        tokens.chmod(0o600)
        self.port = free_port()
        settings = {
            "model.backend": "cpu", "http.address": "none",
            "listen.tcp.addresses": f"127.0.0.1:{self.port}",
            "listen.tcp.tls.certificate": certificate, "listen.tcp.tls.key": key,
            "listen.tcp.tls.clientCA": self.authority.roots,
            "authentication.tokensFile": str(tokens),
            **(changes or {}),
        }
        model = settings.pop("model.folder", MODEL)
        command = [str(BINARIES / "posed"), "--model", str(model), "--socket", str(self.socket)]
        if configuration:
            command += ["--config", str(configuration)]
        for name, value in settings.items():
            if value is not None:
                command += ["--set", f"{name}={value}"]
        self.log = open(self.folder / "log", "w+", encoding="utf-8")

        def limit():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, preexec_fn=limit)
        try:
            self._wait()
        except Exception:
            self.process.kill()
            raise

    @property
    def address(self):
        """The Unix socket, as grpcio wants it."""
        return f"unix:{self.socket}"

    def channel(self):
        """A connection through the Unix socket."""
        return grpc.insecure_channel(
            self.address, options=[("grpc.max_receive_message_length", 64 << 20)])

    def secure_channel(self, roots=None, identity=None, options=()):
        """A connection over TLS; `identity` are files (certificate, key)."""
        certificate, key = (Path(name).read_bytes() for name in identity) if identity else (None, None)
        credentials = grpc.ssl_channel_credentials(
            Path(roots or self.authority.roots).read_bytes(), key, certificate)
        return grpc.secure_channel(f"localhost:{self.port}", credentials, options=list(options))

    def stop(self):
        """Ends the daemon as a service manager does."""
        self.process.terminate()
        try:
            status = self.process.wait(timeout=60)
            assert status == 0, f"posed ended with status {status}:\n{self.read_log()}"
        finally:
            self.discard()

    def discard(self):
        """Makes sure that nothing of it is left."""
        self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def read_log(self):
        """What the daemon has said."""
        self.log.flush()
        return (self.folder / "log").read_text(encoding="utf-8")

    def _wait(self):
        request = health_pb2.HealthCheckRequest()
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"posed ended with status {self.process.returncode}:\n"
                                   + self.read_log())
            if self.socket.exists():
                try:
                    with self.channel() as channel:
                        answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=5)
                    if answer.status == health_pb2.HealthCheckResponse.SERVING:
                        return
                except grpc.RpcError:
                    pass
            time.sleep(0.05)
        raise TimeoutError("posed did not begin to serve:\n" + self.read_log())


def free_port():
    """A port that nobody listened at a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
