"""posed, running for a measurement."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path


@contextlib.contextmanager
def running(programs, model, folder, backend, threads=0):
    """Starts posed of the folder `programs` with its socket in `folder`, and ends it afterwards; gives its address."""
    path = Path(folder) / "posed.sock"
    process = subprocess.Popen(
        [Path(programs) / "posed", "--model", Path(model).resolve(), "--socket", path, "--http", "none", "--set",
         f"model.backend={backend}", "--set", f"model.threads={threads}"], stderr=subprocess.DEVNULL)
    try:
        while not path.exists():
            if process.poll() is not None:
                sys.exit(f"posed ended with status {process.returncode}")
            time.sleep(0.1)
        yield f"unix:{path}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
