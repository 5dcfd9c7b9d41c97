"""Streams poses through a session, and saves the frames.

    python stream_poses.py --source person.png --poses walk/ --out frames/
    python stream_poses.py --source person.png --poses walk.jsonl --out frames/
"""

import argparse
import sys
import time
from pathlib import Path

from posed_client import Client, PosedError, read_poses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address",
                        help="unix:/path or host:port; else POSED_ADDRESS, else unix:/run/posed/posed.sock")
    parser.add_argument("--source", required=True, nargs="+", help="pictures of the person")
    parser.add_argument("--poses", required=True, type=Path,
                        help="a pose file, a .jsonl or .pose file, or a folder of pose files")
    parser.add_argument("--out", required=True, type=Path, help="the folder for the frames")
    parser.add_argument("--nfe", type=int, help="velocity evaluations a frame")
    parser.add_argument("--max-lag", type=float, help="seconds; the latest pose wins")
    options = parser.parse_args()

    names, poses = zip(*read_poses(options.poses))
    options.out.mkdir(parents=True, exist_ok=True)

    start, frames, failed = time.monotonic(), 0, 0
    with Client(options.address) as posed, posed.session(*options.source) as person:
        for answer in person.stream(poses, max_lag=options.max_lag, nfe=options.nfe):
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
    except PosedError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ValueError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
