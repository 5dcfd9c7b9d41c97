"""Runs every query of the Grafana dashboard against a real Prometheus that reads a real daemon.

A query must be one that Prometheus understands, and must give numbers once the daemon has made frames.
`python Tests/Observability/dashboard.py` with POSED_BIN; Debian's prometheus is on the path.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Interop/python"))
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from daemon import BINARIES, POSE, SOURCE, Daemon, free_port  # noqa: E402


def expressions():
    """The dashboard's queries: (title, expression), with the variables filled in."""
    board = json.loads((ROOT / "deploy/grafana/posed.json").read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$instance", ".*").replace("$__rate_interval", "30s")


class Prometheus:
    """A Prometheus that reads the daemon's page, and its alerts' rules."""

    def __init__(self, home, page):
        self.port = free_port()
        (home / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s}\n"
            f"rule_files: ['{ROOT}/deploy/prometheus/rules.yaml']\n"
            "scrape_configs:\n"
            f"  - {{job_name: posed, static_configs: [{{targets: ['127.0.0.1:{page}']}}]}}\n")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=error"])

    def numbers(self, expression):
        """Whether a query gives a number."""
        address = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(address, timeout=30) as answer:
            result = json.load(answer)["data"]["result"]
        return any(series["value"][1] != "NaN" for series in result)


def posectl(daemon, *arguments):
    """Runs posectl; its standard output."""
    command = [str(BINARIES / "posectl"), *arguments, "--address", daemon.address]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    page = free_port()
    daemon = Daemon({"http.address": f"127.0.0.1:{page}"})
    with tempfile.TemporaryDirectory(prefix="posed-prometheus-") as home:
        prometheus = Prometheus(Path(home), page)
        try:
            return check(daemon, prometheus, home)
        finally:
            prometheus.process.terminate()
            prometheus.process.wait()
            daemon.stop()


def check(daemon, prometheus, home):
    session = posectl(daemon, "sessions", "create", "--source", str(SOURCE)).strip()
    end = time.monotonic() + 60
    missing = list(expressions())
    while missing and time.monotonic() < end:
        posectl(daemon, "stream", "--session", session, "--poses", str(POSE), "--nfe", "2", "--out",
                f"{home}/frames")
        time.sleep(1)
        try:
            missing = [(title, text) for title, text in missing if not prometheus.numbers(text)]
        except OSError:
            continue  # Prometheus is starting
    for title, text in missing:
        print(f"dashboard: \"{title}\" shows nothing: {text}")
    print(f"dashboard: {sum(1 for _ in expressions())} queries, {len(missing)} without numbers")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
