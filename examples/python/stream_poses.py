"""Streams poses through a session, and saves the frames.

    python stream_poses.py --source person.png --poses walk/ --out frames/
    python stream_poses.py --source person.png --poses walk.jsonl --out frames/
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

import grpc

from posed_client import PosedClient

ENDINGS = (".json", ".png", ".txt")


def by_number(path):
    """A key that puts 2 before 10."""
    parts = re.split(r"(\d+)", path.stem)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.suffix


def read_poses(path):
    """The poses of a file, of each line of a .jsonl file, or of the files of a folder: (name, bytes) each."""
    if path.is_dir():
        files = sorted((file for file in path.iterdir() if file.suffix in ENDINGS), key=by_number)
        poses = [(file.stem, file.read_bytes()) for file in files]
        if len({name for name, _ in poses}) < len(poses):
            raise ValueError(f"{path}: two pose files differ in their endings alone")
    elif path.suffix == ".jsonl":
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
        digits = len(str(len(lines)))
        poses = [(f"{path.stem}-{number:0{digits}}", line) for number, line in enumerate(lines, 1)]
    else:
        poses = [(path.stem, path.read_bytes())]
    if not poses:
        raise ValueError(f"{path}: expected poses (a file, a .jsonl file, or a folder of "
                         f"{', '.join(ENDINGS)}), there are none")
    return poses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address",
                        default=os.environ.get("POSED_ADDRESS", "unix:/run/posed/posed.sock"))
    parser.add_argument("--source", required=True, nargs="+", help="PNG pictures of the person")
    parser.add_argument("--poses", required=True, type=Path, 
                        help="a pose file, a .jsonl file with a pose on each line, or a folder of pose files")
    parser.add_argument("--out", required=True, type=Path, help="the folder for the frames")
    parser.add_argument("--nfe", type=int, help="velocity evaluations a frame")
    parser.add_argument("--max-lag", type=float, help="seconds; the latest pose wins")
    options = parser.parse_args()

    names, poses = zip(*read_poses(options.poses))
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {"nfe": options.nfe} if options.nfe else {}

    start, frames, failed = time.monotonic(), 0, 0
    with PosedClient(options.address) as posed, posed.session(*options.source) as session:
        for answer in session.stream(poses, max_lag=options.max_lag, **settings):
            name = names[answer.sequence - 1]
            if answer.frame:
                frames += 1
                answer.frame.save(options.out / f"{name}.png")
            elif answer.error:
                failed += 1
                print(f"{name}: {answer.error.message}", file=sys.stderr)
            else:
                print(f"{name}: superseded by {names[answer.superseded_by - 1]}")
    seconds = time.monotonic() - start
    print(f"{frames} frames in {seconds:.2f} s, {frames / seconds:.1f} a second")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ValueError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
