"""Three daemons behind HAProxy, with sessions in Redis: what the machines of a site would be, on this one."""

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Interop/python"))
from authority import Authority  # noqa: E402
from daemon import BINARIES, MODEL, free_port  # noqa: E402

TOKENS = {name: f"{name}-of-the-machines-{name}" for name in ("ada", "bea")}
STORE_USER, STORE_PASSWORD = "posed", "a-password-of-the-store"

CONFIGURATION = """\
model: {{folder: {model}, backend: cpu, threads: {threads}}}
listen:
  unix: {{path: {folder}/posed.sock}}
  tcp:
    addresses: ["127.0.0.1:{port}"]
    proxies: [127.0.0.1]
    allow: ["token:*"]
authentication: {{tokensFile: {tokens}}}
http: {{address: "127.0.0.1:{http}"}}
sessions: {{store: "redis://127.0.0.1:{store}"}}
store: {{authFile: {auth}, timeout: 250ms, conditioning: true}}
shutdown: {{drainTimeout: 30s}}
"""


def wait_for(condition, what, seconds=120):
    """Returns when a condition holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError(f"{what} within {seconds} s")


class Process:
    """A program with a log in a folder."""

    def __init__(self, folder, name, command):
        self.folder, self.name, self.command = folder, name, [str(word) for word in command]
        self.process = None

    def start(self):
        """Starts it."""
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def end(self, number=signal.SIGTERM, patience=60):
        """Sends it a signal and waits for its end; its status."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(number)
        return self.process.wait(patience)

    def log(self):
        """What it has said."""
        return (self.folder / f"{self.name}.log").read_text(errors="replace")


def store_user():
    """The rights that docs/machines.md gives the daemons' user of the store."""
    page = (ROOT / "docs/machines.md").read_text()
    return re.search(r"(?m)^user posed on .*$", page).group().replace("PASSWORD", STORE_PASSWORD)


class Store(Process):
    """A Redis server that writes down what it is told."""

    def __init__(self, folder, port=None):
        self.port = port or free_port()
        rules = folder / "users.acl"
        rules.write_text(f"user default off\n{store_user()}\n")
        super().__init__(folder, "redis", [
            "redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes",
            "--save", "", "--aclfile", rules])

    def start(self):
        """Starts it and waits until it listens."""
        super().start()
        wait_for(self._listens, "Redis listens")

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Daemon(Process):
    """`posed` with the small model."""

    def __init__(self, folder, binary, name, store, tokens, auth, model=MODEL, threads=1):
        own = folder / name
        own.mkdir()
        self.port, self.http = free_port(), free_port()
        configuration = own / "posed.yaml"
        configuration.write_text(CONFIGURATION.format(
            model=model, threads=threads, folder=own, port=self.port, tokens=tokens, http=self.http, store=store.port,
            auth=auth))
        super().__init__(folder, name, [binary, "--config", configuration])

    @property
    def is_ready(self):
        """Whether it serves."""
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=5).status == 200
        except OSError:
            return False

    @property
    def has_stored_all(self):
        """Whether the store can be reached and misses nothing."""
        metrics = self.metrics()
        return metrics["posed_store_up"] == 1 and metrics["posed_store_unsaved_sessions"] == 0

    def metrics(self):
        """Its metrics, by name and labels."""
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10).read().decode()
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


class Cluster:
    """All of them; a context."""

    def __init__(self, binary, model=MODEL, threads=1, proxied=True):
        self.folder = Path(tempfile.mkdtemp(prefix="posed-machines-"))
        authority = Authority(self.folder, "authority")
        certificate, key = authority.issue("localhost")
        self.roots = authority.roots
        together = self.folder / "posed.pem"
        together.write_bytes(Path(certificate).read_bytes() + Path(key).read_bytes())
        tokens, auth = self.folder / "tokens", self.folder / "auth"
        tokens.write_text("".join(f"{name} {token}\n" for name, token in TOKENS.items()))
        auth.write_text(f"{STORE_USER} {STORE_PASSWORD}\n")
        for secret in (tokens, auth, together):
            secret.chmod(0o600)
        self.store = Store(self.folder)
        self.daemons = [
            Daemon(self.folder, binary, name, self.store, tokens, auth, model, threads)
            for name in ("one", "two", "three")]
        self.proxied = proxied
        self.port = free_port()
        self.proxy = Process(self.folder, "haproxy", ["haproxy", "-db", "-f", self._proxy_configuration(together)])

    def _proxy_configuration(self, certificate):
        """The file that is shipped, with the addresses of this machine, and without what needs root."""
        text = (ROOT / "deploy/haproxy/haproxy.cfg").read_text()
        text = re.sub(r"(?m)^    (user|group) .*\n", "", text)
        text = text.replace("log /dev/log local0", "log stderr format raw local0")
        text = text.replace("bind :7443", f"bind 127.0.0.1:{self.port}")
        text = text.replace("/etc/haproxy/posed.pem", str(certificate))
        for number, daemon in enumerate(self.daemons, 1):
            text, count = re.subn(rf"10\.0\.0\.{number}:7443 check port 9464",
                                  f"127.0.0.1:{daemon.port} check port {daemon.http}",
                                  text)
            assert count == 1, f"deploy/haproxy/haproxy.cfg: a server at 10.0.0.{number}:7443 expected"
        path = self.folder / "haproxy.cfg"
        path.write_text(text)
        return path

    @property
    def address(self):
        """Where clients call."""
        return f"localhost:{self.port}"

    def client(self, who="ada", **options):
        """A client of `clients/python`."""
        from posed_client import Client
        return Client(self.address, token=TOKENS[who], ca=self.roots, **options)

    def __enter__(self):
        try:
            self.store.start()
            for daemon in self.daemons:
                daemon.start()
            for daemon in self.daemons:
                wait_for(lambda: daemon.is_ready, f"daemon {daemon.name} is ready")
            self.proxy.start()
            with self.client() as client:
                client.wait_until_ready()
            return self
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise

    def __exit__(self, kind, *_):
        for process in [self.proxy, *self.daemons, self.store]:
            try:
                process.end(signal.SIGKILL)
            except OSError:
                pass
        if kind is not None:
            for process in [self.store, self.proxy, *self.daemons]:
                path = self.folder / f"{process.name}.log"
                if path.exists():
                    print(f"--- {process.name}\n" + "\n".join(process.log().splitlines()[-15:]), file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)
