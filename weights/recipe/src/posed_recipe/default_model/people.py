"""Making people beside the training, in a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from posed_recipe.errors import RecipeError


class Peopling:
    """`posed-recipe people make`, which goes on where it stopped."""

    def __init__(self, folder, identities, processes, seed):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.arguments = ["make", "--out", str(folder), "--identities", str(identities),
                          "--processes", str(processes or max(1, (os.cpu_count() or 2) - 1)), "--seed", str(seed)]
        self.process = None

    @property
    def complete(self):
        """Whether an earlier call has ended this work."""
        return (self.folder / "closed").exists()

    def start(self):
        """Begins, or goes on."""
        log = open(self.folder / "make.log", "ab")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-m", "posed_recipe.people", *self.arguments], stdout=log, stderr=log)
        log.close()

    def alive(self):
        """Whether more pictures are coming."""
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=30):
        """Ends it in good order; finished shards stay."""
        if not self.alive():
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def check(self):
        """Raises if it ended by itself, but badly."""
        if self.process is not None and self.process.poll() not in (None, 0):
            raise RecipeError(
                f"making people ended with status {self.process.returncode}; see {self.folder / 'make.log'}")

    def close(self):
        """Notes that there will be no more."""
        self.stop()
        (self.folder / "closed").write_text("")


def make_heldout(folder, count, seed):
    """Pairs of people that no training sees, as `posekit eval` reads them."""
    folder = Path(folder)
    if (folder / "pairs.jsonl").exists():
        return
    arguments = ["pairs", "--out", str(folder), "--count", str(count), "--seed", str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "posed_recipe.people", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RecipeError(f"making held-out pairs failed: {done.stderr.strip()[-2000:]}")
