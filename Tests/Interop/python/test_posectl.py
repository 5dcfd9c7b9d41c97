"""posectl, against the daemon that it is made for."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from case import Case
from daemon import BINARIES, POSE, SOURCE, TOKEN


class Posectl(Case):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def run_it(self, *arguments, status=0, address=None):
        """What posectl prints, after it ended as it should."""
        done = subprocess.run(
            [BINARIES / "posectl", *map(str, arguments)], capture_output=True, text=True, timeout=120,
            env={**os.environ, "POSED_ADDRESS": address or self.daemon.address})
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done.stdout if status == 0 else done.stderr

    def test_status_and_catalog(self):
        self.assertIn("SERVING", self.run_it("status"))
        status = json.loads(self.run_it("status", "--json"))
        self.assertEqual(status["health"], "SERVING")
        made = int(status["statistics"].get("frames_completed", 0))
        self.succeeds()
        statistics = json.loads(self.run_it("status", "--json"))["statistics"]
        self.assertEqual(int(statistics["frames_completed"]), made + 1)
        self.assertIn("(default)", self.run_it("models"))
        self.assertIn("blas", self.run_it("backends"))
        self.assertIn("heun", self.run_it("solvers"))
        self.assertEqual(self.run_it("health").strip(), "SERVING")

    def test_a_session_from_its_making_to_its_end(self):
        name = self.run_it("sessions", "create", "--source", SOURCE, "--name", "Ada",
                           "--nfe", "2").strip()
        self.addCleanup(self.forget, name)
        self.assertIn("Ada", self.run_it("sessions", "list"))
        updated = json.loads(self.run_it("sessions", "update", name, "--name", "Grace", "--json"))
        self.assertEqual(updated["display_name"], "Grace")
        self.assertEqual(updated["default_settings"]["nfe"], 2)

        out = self.folder / "frame.png"
        frame = json.loads(self.run_it("synthesize", "--session", name, "--pose", POSE, "--out",
                                       out, "--seed", "3", "--json"))
        self.assertEqual(out.read_bytes()[:4], b"\x89PNG")
        self.assertEqual(frame["used"]["seed"], "3")

        self.run_it("sessions", "delete", name)
        self.assertIn("NOT_FOUND", self.run_it("sessions", "get", name, status=1))

    def test_a_folder_becomes_frames(self):
        poses = self.folder / "poses"
        poses.mkdir()
        for index in range(5):
            (poses / f"p{index}.json").write_bytes(POSE.read_bytes())
        out = self.folder / "out"
        report = json.loads(self.run_it(
            "stream", "--source", SOURCE, "--poses", poses, "--out", out, "--nfe", "2",
            "--format", "raw", "--json"))
        self.assertEqual((report["frames"], report["failed"]), (5, 0))
        self.assertEqual(len(list(out.iterdir())), 5)

    def test_a_bench_reports(self):
        for mode in ("unary", "stream"):
            report = json.loads(self.run_it(
                "bench", "--mode", mode, "--concurrency", "2", "--frames", "20", "--warmup", "0",
                "--nfe", "2", "--json"))
            self.assertEqual((report["frames"], report["failed"]), (20, 0))
            self.assertGreater(report["latency_ms"]["p50"], 0)

    def test_tls_and_tokens(self):
        token = self.folder / "token"
        token.write_text(TOKEN + "\n")
        address = f"localhost:{self.daemon.port}"
        roots = self.daemon.authority.roots
        shown = self.run_it("status", "--ca", roots, "--token-file", token, address=address)
        self.assertIn("token:studio", shown)
        certificate, key = self.daemon.authority.issue("operator")
        shown = self.run_it("status", "--ca", roots, "--cert", certificate, "--key", key,
                            address=address)
        self.assertIn("mtls:operator", shown)
        self.assertIn("UNAUTHENTICATED", self.run_it(
            "status", "--ca", roots, status=1, address=address))
        self.run_it("status", "--timeout", "2s", status=3, address=address)

    def test_what_goes_wrong_is_said_and_counted(self):
        self.assertIn("there is no socket", self.run_it(
            "status", status=3, address="unix:/nowhere/posed.sock"))
        self.run_it("status", "--nonsense", status=2)
        self.run_it("sessions", "create", "--source", self.folder / "none.png", status=4)
        bad = self.folder / "bad.json"
        bad.write_text("{")
        self.assertIn("INVALID_ARGUMENT", self.run_it(
            "synthesize", "--source", SOURCE, "--pose", bad, "--out", self.folder / "o.png",
            status=1))
        self.assertFalse((self.folder / "o.png").exists())


if __name__ == "__main__":
    unittest.main()
