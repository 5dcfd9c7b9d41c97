"""posed, running for a measurement."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path


@contextlib.contextmanager
def running(programs, model, folder, backend, threads=0, settings=None):
    """Starts posed of the folder `programs` with its socket in `folder`, and ends it afterwards; gives its address."""
    path = Path(folder) / "posed.sock"
    process = subprocess.Popen(
        [Path(programs) / "posed", "--model", Path(model).resolve(), "--socket", path, "--http", "none", "--set",
         f"model.backend={backend}", "--set", f"model.threads={threads}",
         *(part for key, value in (settings or {}).items() for part in ("--set", f"{key}={value}"))], stderr=subprocess.DEVNULL)
    try:
        while not path.exists():
            if process.poll() is not None:
                sys.exit(f"posed ended with status {process.returncode}")
            time.sleep(0.1)
        yield f"unix:{path}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextlib.contextmanager
def running_with_tls(programs, model, folder, backend, threads=0):
    """The same with TLS on TCP; gives what posectl needs to call it."""
    key, certificate = Path(folder) / "key.pem", Path(folder) / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, stderr=subprocess.DEVNULL)
    key.chmod(0o600)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {"listen.tcp.addresses": address, "listen.tcp.allow": "anonymous",
                "listen.tcp.tls.certificate": certificate, "listen.tcp.tls.key": key}
    with running(programs, model, folder, backend, threads, settings):
        yield ["--address", address, "--ca", certificate]
