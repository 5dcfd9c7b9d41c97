"""Streams a folder of poses through a session, and saves the frames.

    python stream_poses.py --source person.png --poses walk/ --out frames/
"""

import argparse
import os
import sys
import time
from pathlib import Path

import grpc

from posed_client import PosedClient


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address",
                        default=os.environ.get("POSED_ADDRESS", "unix:/run/posed/posed.sock"))
    parser.add_argument("--source", required=True, nargs="+", help="PNG pictures of the person")
    parser.add_argument("--poses", required=True, type=Path, help="a folder of pose files")
    parser.add_argument("--out", required=True, type=Path, help="the folder for the frames")
    parser.add_argument("--nfe", type=int, help="velocity evaluations a frame")
    parser.add_argument("--max-lag", type=float, help="seconds; the latest pose wins")
    options = parser.parse_args()

    files = sorted(path for path in options.poses.iterdir()
                   if path.suffix in (".json", ".png", ".txt"))
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {"nfe": options.nfe} if options.nfe else {}

    start, frames, failed = time.monotonic(), 0, 0
    with PosedClient(options.address) as posed, posed.session(*options.source) as session:
        for answer in session.stream(files, max_lag=options.max_lag, **settings):
            name = files[answer.sequence - 1].stem
            if answer.frame:
                frames += 1
                answer.frame.save(options.out / f"{name}.png")
            elif answer.error:
                failed += 1
                print(f"{name}: {answer.error.message}", file=sys.stderr)
            else:
                print(f"{name}: superseded by {files[answer.superseded_by - 1].stem}")
    seconds = time.monotonic() - start
    print(f"{frames} frames in {seconds:.2f} s, {frames / seconds:.1f} a second")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
