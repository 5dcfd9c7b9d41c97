"""`python -m posed_recipe.people`: make sets, held-out pairs, sequences and contact sheets."""

import argparse
import sys

from .assets import AssetsUnavailable
from .renderer import RendererUnavailable
from .shards import SetError
from .workers import WorkerDied, ended_by_sigterm


def main(arguments=None):
    """Runs one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m posed_recipe.people", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _make(commands)
    _pairs(commands)
    _sequences(commands)
    _sheet(commands)
    chosen = parser.parse_args(arguments)
    try:
        with ended_by_sigterm():
            chosen.run(chosen)
    except (AssetsUnavailable, RendererUnavailable, SetError, WorkerDied) as error:
        print(f"people: {error}", file=sys.stderr)
        return 1
    return 0


def _command(commands, name, text, run, out):
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--out", required=True, metavar=out)
    parser.add_argument("--seed", type=int, default=0, help="another seed, other people (0)")
    parser.set_defaults(run=run)
    return parser


def _make(commands):
    def run(chosen):
        from .make import make
        rate = make(chosen.out, chosen.identities, chosen.poses, chosen.seed, chosen.workers, chosen.size,
                    signing=chosen.signing)
        print(f"{chosen.out}: {chosen.identities * chosen.poses} pictures, {rate:.1f} a second")

    parser = _command(commands, "make", "make a training set of shards", run, "FOLDER")
    parser.add_argument("--identities", type=int, required=True, metavar="N")
    parser.add_argument("--poses", type=int, default=4, metavar="N", help="pictures of each identity (4)")
    parser.add_argument("--signing", type=float, default=0., metavar="SHARE",
                        help="share of the identities that sign before a fixed camera (0)")
    _workers(parser)
    parser.add_argument("--size", type=int, default=256)


def _workers(parser):
    parser.add_argument("--workers", "--processes", type=int, default=1, metavar="N", help="processes (1)")


def _pairs(commands):
    def run(chosen):
        from .pairs import write_pairs
        write_pairs(chosen.out, chosen.count, chosen.seed, chosen.workers, chosen.size, signing=chosen.signing)
        print(f"{chosen.out}: {chosen.count} pairs of people that no training set has")

    parser = _command(commands, "pairs", "write held-out pairs as `posekit eval` reads them", run, "FOLDER")
    parser.add_argument("--count", type=int, default=200, metavar="N")
    parser.add_argument("--signing", action="store_true", help="all sign before a fixed camera")
    _workers(parser)
    parser.add_argument("--size", type=int, default=256)


def _sequences(commands):
    def run(chosen):
        from .sequences import write_sequences
        for folder in write_sequences(chosen.out, chosen.people, chosen.frames, chosen.seed, chosen.size):
            print(folder)

    parser = _command(commands, "sequences", "write moving poses and their pictures: wave, turn, sign, performance", run, "FOLDER")
    parser.add_argument("--people", type=int, default=1, metavar="N")
    parser.add_argument("--frames", type=int, default=32, metavar="N")
    parser.add_argument("--size", type=int, default=256)


def _sheet(commands):
    def run(chosen):
        from .sheet import write_sheet
        write_sheet(chosen.out, chosen.identities, chosen.poses, chosen.seed, chosen.size, chosen.view,
                    signing=chosen.signing)

    parser = _command(commands, "sheet", "draw a contact sheet", run, "PNG")
    parser.add_argument("--identities", type=int, default=8, metavar="N")
    parser.add_argument("--poses", type=int, default=4, metavar="N")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--signing", type=float, default=0., metavar="SHARE",
                        help="share of the identities that sign before a fixed camera (0)")
    parser.add_argument("--view", choices=("pictures", "poses", "parts"), default="pictures",
                        help="only pictures, or each with its pose drawn, or its part map")
