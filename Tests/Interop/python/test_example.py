"""The example client of examples/python, as its README uses it."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from case import Case
from daemon import POSE, ROOT, SOURCE


class Example(Case):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.environ["XDG_CACHE_HOME"] = self.folder.name
        import posed_client  # pylint: disable=import-outside-toplevel
        self.client = posed_client

    def test_sessions_frames_and_streams(self):
        joints = [(0.3 + index * 0.02, 0.2 + index * 0.03) for index in range(18)]
        with self.client.PosedClient(self.daemon.address) as posed:
            with posed.session(SOURCE, nfe=2) as session:
                frame = session.synthesize(POSE, seed=7)
                path = Path(self.folder.name, "frame.png")
                frame.save(path)
                self.assertEqual(path.read_bytes()[:4], b"\x89PNG")
                self.assertEqual(frame.used.seed, 7)
                self.assertEqual(posed.open(session.name).name, session.name)

                answers = list(session.stream([POSE, joints, b"nothing"], seed=7))
                self.assertEqual([answer.sequence for answer in answers], [1, 2, 3])
                self.assertEqual(answers[0].frame.png, frame.png)
                self.assertIsNotNone(answers[1].frame)
                self.assertEqual(answers[2].error.code, 3)

    def test_a_stream_may_be_left(self):
        with self.client.PosedClient(self.daemon.address) as posed:
            with posed.session(SOURCE, nfe=2) as session:
                endless = iter(lambda: POSE, None)
                for answer in session.stream(endless):
                    if answer.sequence == 3:
                        break

    def test_the_program_saves_frames(self):
        poses, out = Path(self.folder.name, "poses"), Path(self.folder.name, "out")
        poses.mkdir()
        for name in ("a", "b"):
            (poses / f"{name}.json").write_bytes(POSE.read_bytes())
        done = subprocess.run(
            [sys.executable, ROOT / "examples/python/stream_poses.py", "--address",
             self.daemon.address, "--source", SOURCE, "--poses", poses, "--out", out, "--nfe", "2"],
            capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 frames in", done.stdout)
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["a.png", "b.png"])


if __name__ == "__main__":
    unittest.main()
