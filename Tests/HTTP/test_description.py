"""The description of the API, held against the API by schemathesis."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

from service import TOKEN, Service

# What a request comes to, whatever is sent: no failure of the daemon's own, and only what the description says.
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,"
          "response_schema_conformance,unsupported_method,ignored_auth")


class DescriptionTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()

    @classmethod
    def tearDownClass(cls):
        cls.service.stop()

    def test_it_names_every_path(self):
        status, headers, text = self.service.ask("GET", "/openapi.json", token=None)
        self.assertEqual((status, headers["content-type"]), (200, "application/json"))
        described = json.loads(text)
        self.assertEqual(described["openapi"], "3.1.0")
        for path, item in described["paths"].items():
            for method in ("get", "post", "put", "patch", "delete"):
                answer = self.service.ask(method.upper(), path.replace("{session}", "none"), b"")
                if method in item:
                    self.assertNotEqual(answer[0], 405, (method, path))
                else:
                    self.assertEqual(answer[0], 405, (method, path))
                    self.assertNotIn(method.upper(), answer[1]["allow"])

    def test_it_is_true(self):
        address = f"http://127.0.0.1:{self.service.api}"
        command = [
            str(Path(sys.executable).parent / "schemathesis"), "run", f"{address}/openapi.json",
            "--header", f"Authorization: Bearer {TOKEN}", "--checks", CHECKS,
            "--exclude-path", "/v1/sessions/{session}/frames.mjpeg",
            "--max-examples", os.environ.get("POSED_EXAMPLES", "10"), "--seed", "1",
            "--phases", "examples,coverage,fuzzing", "--no-color",
        ]
        done = subprocess.run(command, cwd=self.service.folder, capture_output=True, text=True,
                              timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-8000:] + done.stderr)


if __name__ == "__main__":
    unittest.main()
