"""Making people beside the training, in processes of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from posed_recipe.errors import RecipeError


class Maker:
    """A command of `posed-recipe people` in a session of its own, so that all of its processes end together."""

    def __init__(self, log, *arguments):
        self.log, self.arguments = Path(log), [str(argument) for argument in arguments]
        self.process = None

    def start(self):
        """Begins, or goes on."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "posed_recipe.people", *self.arguments],
                stdout=log, stderr=log, start_new_session=True)

    def alive(self):
        """Whether it is still at work."""
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ends it; what is complete stays."""
        if self.alive():
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()

    def wait(self, deadline):
        """Until it ends by itself; False if the call must end before. Raises if it failed."""
        while self.alive():
            if deadline.passed:
                return False
            try:
                self.process.wait(1.0)
            except subprocess.TimeoutExpired:
                continue
        self.check()
        return True

    def check(self):
        """Raises if it ended by itself, but badly."""
        if self.process is not None and self.process.poll() not in (None, 0, -signal.SIGTERM):
            raise RecipeError(f"making people ended with status {self.process.returncode}; see {self.log}")


class Peopling:
    """The set to train on, and the held-out pairs."""

    def __init__(self, folder, heldout, identities, count, workers, seed, signing=0.0):
        self.folder, self.heldout = Path(folder), Path(heldout)
        workers = workers or max(1, (os.cpu_count() or 3) - 2)
        self.train = Maker(self.folder / "make.log", "make", "--out", folder, "--identities", identities,
                           "--workers", workers, "--seed", seed, "--signing", signing)
        self.pairs = Maker(self.heldout / "make.log", "pairs", "--out", heldout, "--count", count,
                           "--seed", seed)

    @property
    def complete(self):
        """Whether an earlier call has ended this work."""
        return (self.folder / "closed").exists()

    def start_pairs(self):
        """Begins with the held-out pairs where they are not there yet."""
        if not (self.heldout / "pairs.jsonl").exists():
            self.pairs.start()

    def close(self, deadline):
        """Ends the making of people, for good; False if the held-out pairs are still missing."""
        self.train.check()
        self.train.stop()
        if not self.pairs.wait(deadline):
            return False
        (self.folder / "closed").write_text("")
        return True

    def stop(self):
        """Ends both for now."""
        self.train.stop()
        self.pairs.stop()
