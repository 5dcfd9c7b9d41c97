"""What a daemon's memory does over many sizes of pictures.

    python Tests/Soak/sizes.py --posed .build/release/posed --count 1000

Asks for one picture of each size, in an order that mixes large and small, and compares resident memory after 20 sizes and
after all. Both times the last sizes are the same, so that what is kept ready is, too. Exit status 1 where it grew by more
than a tenth.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from clients import Caller
from daemon import Daemon
from soak import stubs

EARLY, GROWTH = 20, 1.10
STEP, SIDES = 16, 32
LAST = [(512, 512), (496, 512), (512, 496), (496, 496)]


def sizes():
    """All sizes but the last, each once, far from the one before."""
    places = [(a, b) for a in range(2, SIDES + 2) for b in range(2, SIDES + 2)]
    stride = 389  # shares no factor with their number
    mixed = [places[i * stride % len(places)] for i in range(len(places))]
    return [(STEP * a, STEP * b) for a, b in mixed if (STEP * a, STEP * b) not in LAST]


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
    parser.add_argument("--backend", default="blas")
    parser.add_argument("--count", type=int, default=1000)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="posed-sizes-") as folder:
        daemon = Daemon(flags.posed, flags.model, folder, flags.backend)
        daemon.start()
        made = Path(folder) / "stubs"
        made.mkdir()
        caller = Caller(daemon.address, stubs(str(made)), 1)
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
