"""How long a training runs: a number of steps, or seconds of training; and when this call must end."""

import signal
import time
from dataclasses import dataclass

from posed_recipe.errors import RecipeError


@dataclass(frozen=True)
class Budget:
    """Steps or seconds, whichever is given; seconds count over all calls that a training takes.

    A budget of steps makes a training on a CPU exact: the same losses however often it is interrupted. On a GPU they are
    the same to within what sums in another order change, for some of its kernels add in any order. One of
    seconds ends on time, and the learning rate then follows the clock.
    """

    steps: int | None = None
    seconds: float | None = None

    def __post_init__(self):
        if (self.steps is None) == (self.seconds is None):
            raise RecipeError("a training's budget is either a number of steps or of seconds")

    def progress(self, step, seconds):
        """From 0 to 1."""
        used = step / max(1, self.steps) if self.steps is not None else seconds / max(1e-9, self.seconds)
        return min(1.0, used)


class Deadline:
    """When this call has to come to its end: after some minutes, or at the first SIGTERM or SIGINT."""

    def __init__(self, minutes=None):
        self.at = None if minutes is None else time.monotonic() + 60 * minutes
        self.signalled = False

    def watch_signals(self):
        """Lets the first signal end the call in good order; the second one ends it at once."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.receive)
        return self

    def receive(self, number, frame):
        """A signal came."""
        self.signalled = True
        signal.signal(number, signal.SIG_DFL)

    @property
    def remaining(self):
        """Seconds left, infinite without a limit."""
        if self.signalled:
            return 0.0
        return float("inf") if self.at is None else max(0.0, self.at - time.monotonic())

    @property
    def passed(self):
        """Whether it is time to save and go."""
        return self.remaining <= 0
