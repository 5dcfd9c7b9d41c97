"""The programs of examples/python, as their README uses them."""

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

    def of_the_readme(self, program):
        """What became of the first command of the README that gives a program the samples."""
        readme = (PROGRAM.parent / "README.md").read_text(encoding="utf-8")
        samples = re.search(r"^samples=.*$", readme, re.MULTILINE).group()
        command = re.search(rf"^python {program} .*\$samples.*$", readme, re.MULTILINE).group()
        command = command.replace("--out frames/", f"--out {self.folder.name}/frames")
        return subprocess.run(
            ["sh", "-ec", f"{samples}\n{command.replace('python ', sys.executable + ' ')}"],
            cwd=PROGRAM.parent, capture_output=True, text=True, timeout=120,
            env={**os.environ, "POSED_ADDRESS": self.daemon.address})

    def test_the_commands_of_the_readme(self):
        poses = (ROOT / "weights/default/samples/ada/wave.jsonl").read_text().splitlines()
        done = self.of_the_readme("stream_poses.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{len(poses)} frames in", done.stdout)
        self.assertEqual(sorted(path.name for path in Path(self.folder.name, "frames").iterdir()),
                         [f"wave-{number:02}.png" for number in range(1, len(poses) + 1)])
        done = self.of_the_readme("camera.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), len(poses), done.stdout)
        self.assertRegex(done.stdout, "a frame after [0-9]+ ms")


if __name__ == "__main__":
    unittest.main()
