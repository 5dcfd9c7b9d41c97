"""What a daemon's memory does over many sizes of pictures.

    python Tests/Soak/sizes.py --posed .build/release/posed --count 1000

Asks for one picture of each size, in an order that mixes large and small, and compares resident memory after 20 sizes and
after all. Both times the last sizes are the same, so that what is kept ready is, too. Exit status 1 where it grew by more
than a tenth.
"""

import argparse
import os
import random
import sys
import tempfile
from pathlib import Path

from clients import Caller
from daemon import TOKENS, Daemon
from soak import stubs

EARLY, GROWTH = 20, 1.10
# Sides are multiples of STEP, and a picture has at most so many tokens.
STEP, LONGEST, TOKENS_AT_MOST = 16, 120, 240
LAST = [(208, 208), (208, 224), (224, 208), (160, 304)]


def sizes():
    """All sizes but the last, each once, large and small mixed, in the same order each time."""
    sides = range(1, LONGEST + 1)
    places = [(STEP * a, STEP * b) for a in sides for b in sides if a * b <= TOKENS_AT_MOST]
    mixed = [place for place in places if place not in LAST]
    random.Random(0).shuffle(mixed)
    return mixed


def ask(caller, size):
    """One picture of that size."""
    settings = caller.settings()
    settings.nfe, settings.width, settings.height = 1, *size
    caller.service.Synthesize(caller.messages.SynthesizeRequest(
        sources=caller.messages.Sources(images=[caller.source()]), pose=caller.keypoints(1), settings=settings))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--posed", default=".build/release/posed")
    parser.add_argument("--model", default="Tests/Goldens/tiny")
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--count", type=int, default=1000)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="posed-sizes-") as folder:
        os.environ["POSED_LIMITS_SESSION_BYTES"] = "8MiB"  # one caller may hold the largest source
        daemon = Daemon(flags.posed, flags.model, folder, flags.backend)
        daemon.start()
        made = Path(folder) / "stubs"
        made.mkdir()
        caller = Caller(daemon.tcp, stubs(str(made)), 1, TOKENS["ada"])
        found = []
        for number, size in enumerate(sizes()[:flags.count], 1):
            ask(caller, size)
            if number in (EARLY, flags.count):
                for last in LAST:
                    ask(caller, last)
                found.append(daemon.resident_bytes())
                print(f"{number} sizes: {found[-1] / 1e6:.1f} MB", flush=True)
        daemon.terminate()
    grown = found[-1] / found[0]
    print(f"grown {grown:.3f} times; {GROWTH} allowed")
    return 0 if grown <= GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
