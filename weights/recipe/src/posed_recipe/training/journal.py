"""What a training tells: a line on the terminal, a line of JSON, TensorBoard."""

import json
import sys
import time
from pathlib import Path

from tqdm import tqdm

QUIET_SECONDS = 20.0


class Journal:
    """Writes to `folder`; only the leading process has one that does anything."""

    def __init__(self, folder, name, active=True):
        self.name = name
        self.active = active
        self.bar = None
        self.told = 0.0
        if not active:
            return
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.lines = open(folder / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115
        self.board = board(folder / "tensorboard")
        if sys.stderr.isatty():
            self.bar = tqdm(total=100, unit="%", desc=name, bar_format="{desc} {bar} {n:.0f}% {postfix}")

    def record(self, step, values, progress=None):
        """Numbers of a step; with `progress` they are shown too."""
        if not self.active:
            return
        place = {"step": step} if progress is None else {"step": step, "progress": round(progress, 5)}
        self.lines.write(json.dumps({**place, **values}) + "\n")
        self.lines.flush()
        for key, value in values.items():
            if self.board is not None and isinstance(value, int | float):
                self.board.add_scalar(f"{self.name}/{key}", value, step)
        if progress is not None:
            self.show(step, progress, values)

    def show(self, step, progress, values):
        """A bar on a terminal; elsewhere a line now and then."""
        text = " ".join(f"{key} {value:.4g}" for key, value in values.items() if isinstance(value, float))
        if self.bar is not None:
            self.bar.n = 100 * progress
            self.bar.set_postfix_str(f"step {step} {text}")
        elif time.monotonic() - self.told >= QUIET_SECONDS:
            self.told = time.monotonic()
            print(f"{self.name} {100 * progress:.1f}% step {step} {text}", file=sys.stderr, flush=True)

    def picture(self, name, pixels, step):
        """uint8 [H, W, 3] for TensorBoard."""
        if self.active and self.board is not None:
            self.board.add_image(name, pixels, step, dataformats="HWC")

    def say(self, sentence):
        """A sentence for whoever watches."""
        if self.active:
            tqdm.write(f"{self.name}: {sentence}", file=sys.stderr)
            sys.stderr.flush()

    def close(self):
        """Ends the bar and the files."""
        if not self.active:
            return
        if self.bar is not None:
            self.bar.close()
        if self.board is not None:
            self.board.close()
        self.lines.close()


def board(folder):
    """A TensorBoard writer, or None where tensorboard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(folder)
