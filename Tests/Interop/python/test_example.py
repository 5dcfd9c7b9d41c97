"""The example client of examples/python, as its README uses it."""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from case import Case
from daemon import POSE, ROOT, SOURCE


PROGRAM = ROOT / "examples/python/stream_poses.py"


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
        done = self.program("--poses", poses, "--out", out, "--nfe", "2")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 frames in", done.stdout)
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["a.png", "b.png"])

    def program(self, *arguments, source=SOURCE, address=None):
        """What became of stream_poses.py."""
        return subprocess.run(
            [sys.executable, PROGRAM, "--address", address or self.daemon.address, "--source", source,
             *arguments], capture_output=True, text=True, timeout=120)

    def test_files_come_in_the_order_of_their_numbers(self):
        import stream_poses  # pylint: disable=import-outside-toplevel
        for name in ("10.json", "1.json", "2.json", "b2.png", "b10.json", "a.txt", "notes.md"):
            Path(self.folder.name, name).write_bytes(b"{}")
        names = [name for name, _ in stream_poses.read_poses(Path(self.folder.name))]
        self.assertEqual(names, ["1", "2", "10", "a", "b2", "b10"])

    def test_lines_are_poses_and_a_bad_one_is_said(self):
        poses, out = Path(self.folder.name, "walk.jsonl"), Path(self.folder.name, "out")
        good = json.dumps(json.loads(POSE.read_text()))
        poses.write_text(f"{good}\n\n{{\n{good}\n")
        done = self.program("--poses", poses, "--out", out, "--nfe", "2")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("2 frames in", done.stdout)
        self.assertRegex(done.stderr, "^walk-2: [^\n]+\n$")
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["walk-1.png", "walk-3.png"])

    def test_mistakes_are_one_sentence(self):
        empty, out = Path(self.folder.name, "empty"), Path(self.folder.name, "out")
        empty.mkdir()
        nowhere = Path(self.folder.name, "nowhere")
        for words, arguments, options in [
                ("No such file", ["--poses", nowhere], {}),
                ("No such file", ["--poses", POSE], {"source": nowhere}),
                ("expected poses", ["--poses", empty], {}),
                ("File exists", ["--poses", POSE, "--out", POSE], {}),
                ("INVALID_ARGUMENT: sources[0].png", ["--poses", POSE], {"source": POSE}),
                ("UNAVAILABLE: ", ["--poses", POSE], {"address": f"unix:{nowhere}"})]:
            with self.subTest(words=words):
                done = self.program("--out", out, *arguments, **options)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(words, done.stderr)
                self.assertRegex(done.stderr, r"^[^\n]+\n$")

    def test_the_command_of_the_readme(self):
        readme = (PROGRAM.parent / "README.md").read_text(encoding="utf-8")
        command = re.search(r"^samples=.*\npython stream_poses.py .*$", readme, re.MULTILINE).group()
        out = Path(self.folder.name, "frames")
        self.assertIn(" --out frames/", command)
        command = command.replace("--out frames/", f"--out {out}")
        command = command.replace("python ", f"{sys.executable} ")
        done = subprocess.run(
            ["sh", "-ec", command], cwd=PROGRAM.parent, capture_output=True, text=True, timeout=120,
            env={**os.environ, "POSED_ADDRESS": self.daemon.address})
        self.assertEqual(done.returncode, 0, done.stderr)
        poses = (ROOT / "weights/default/samples/ada/wave.jsonl").read_text().splitlines()
        self.assertIn(f"{len(poses)} frames in", done.stdout)
        self.assertEqual(sorted(path.name for path in out.iterdir()),
                         [f"wave-{number:02}.png" for number in range(1, len(poses) + 1)])


if __name__ == "__main__":
    unittest.main()
