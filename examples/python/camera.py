"""A live stream: poses come at a camera's pace, the latest one wins.

    python camera.py --source person.png --poses walk.jsonl --rate 25
"""

import argparse
import asyncio
import sys
import time
from pathlib import Path

from posed_client import AsyncClient, PosedError, read_poses


async def at_rate(poses, rate, sent):
    """The poses, one after another at a fixed rate; notes when each was sent."""
    begin = time.monotonic()
    for number, item in enumerate(poses):
        await asyncio.sleep(begin + number / rate - time.monotonic())
        sent.append(time.monotonic())
        yield item.pose


async def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address",
                        help="unix:/path or host:port; else POSED_ADDRESS, else unix:/run/posed/posed.sock")
    parser.add_argument("--source", required=True, nargs="+", help="pictures of the person")
    parser.add_argument("--poses", required=True, type=Path,
                        help="a .jsonl or .pose file, or a folder of pose files")
    parser.add_argument("--rate", type=float, default=25, help="poses a second")
    options = parser.parse_args()

    poses, sent = read_poses(options.poses), []
    async with AsyncClient(options.address) as posed, posed.session(*options.source) as person:
        live = person.stream(at_rate(poses, options.rate, sent), max_lag=0.08, frame_deadline=0.1,
                             image_format="raw")
        async for answer in live:
            milliseconds = (time.monotonic() - sent[answer.sequence - 1]) * 1000
            if answer.frame:
                print(f"{answer.sequence}: a frame after {milliseconds:.0f} ms")
            elif answer.error:
                print(f"{answer.sequence}: {answer.error.message}", file=sys.stderr)
            else:
                print(f"{answer.sequence}: superseded by {answer.superseded_by}")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except PosedError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ValueError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
