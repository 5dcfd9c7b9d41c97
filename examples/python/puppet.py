"""Whoever moves in a video or before a camera moves the person of a picture.

    python puppet.py --source me.jpg --video dance.mp4 --out puppet.mp4
    python puppet.py --source me.jpg --camera 0

MediaPipe finds the pose, posed makes the picture. With a camera the latest pose wins and a window shows camera and
puppet side by side (Escape ends it); of a video every frame becomes one. The latency is the time from a frame of the
video to its picture. Needs mediapipe==0.10.14 beside posed-client.
"""

import argparse
import statistics
import sys
import threading
import time

import cv2
import mediapipe
import numpy as np

from posed_client import Client, PosedError

# MediaPipe's landmarks in OpenPose's order of 18 joints; the second one is the middle of the shoulders.
LANDMARKS = (0, None, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)
SHOULDERS = (11, 12)


def middle(picture):
    """The square in the middle of a picture."""
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return np.ascontiguousarray(picture[top:top + side, left:left + side])


def joints(landmarks, width, height):
    """18 rows (x, y, confidence) in pixels of a picture that is made."""
    marks = [(mark.x * width, mark.y * height, mark.visibility) for mark in landmarks.landmark]
    left, right = (marks[index] for index in SHOULDERS)
    neck = ((left[0] + right[0]) / 2, (left[1] + right[1]) / 2, min(left[2], right[2]))
    return [neck if index is None else marks[index] for index in LANDMARKS]


class Puppeteer:
    """Frames of a video or camera, and their poses in the size of the pictures that are made."""

    def __init__(self, source, width, height, ahead):
        self.capture = cv2.VideoCapture(source)
        if not self.capture.isOpened():
            raise ValueError(f"{source}: a video or camera expected, but it cannot be opened")
        self.size = width, height
        self.bodies = mediapipe.solutions.pose.Pose()
        self.taken, self.seen = [], None
        # Poses of a video wait here until few are under way, so that the latency is no time in a queue.
        self.room = threading.Semaphore(ahead)

    @property
    def rate(self):
        """Frames a second of a video."""
        return self.capture.get(cv2.CAP_PROP_FPS) or 25.0

    def poses(self):
        """The pose of each frame; where nobody is seen, the one before. Notes when each frame was taken."""
        last = None
        while True:
            self.room.acquire()
            there, frame = self.capture.read()
            if not there:
                return
            begin = time.monotonic()
            self.seen = middle(frame)
            found = self.bodies.process(cv2.cvtColor(self.seen, cv2.COLOR_BGR2RGB)).pose_landmarks
            last = joints(found, *self.size) if found else last
            if last:
                self.taken.append(begin)
                yield last
            else:
                self.room.release()


def write(answers, path, puppeteer, size):
    """A video of all frames; returns their latencies. A pose without a frame shows the one before."""
    video = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"mp4v"), puppeteer.rate, size)
    if not video.isOpened():
        raise ValueError(f"{path}: the video cannot be written")
    latencies, picture = [], None
    for answer in answers:
        puppeteer.room.release()
        if answer.frame:
            picture = cv2.cvtColor(answer.frame.array(), cv2.COLOR_RGB2BGR)
            latencies.append(time.monotonic() - puppeteer.taken[answer.sequence - 1])
            print(f"\rframe {answer.sequence}, {latencies[-1] * 1000:.0f} ms", end="", file=sys.stderr)
        elif answer.error:
            print(f"\n{answer.sequence}: {answer.error.message}", file=sys.stderr)
        if picture is not None:
            video.write(picture)
    video.release()
    return latencies


def show(answers, puppeteer):
    """A window with what the camera sees and the puppet; returns the latencies."""
    latencies = []
    for answer in answers:
        puppeteer.room.release()
        if not answer.frame:
            continue
        latencies.append(time.monotonic() - puppeteer.taken[answer.sequence - 1])
        puppet = cv2.cvtColor(answer.frame.array(), cv2.COLOR_RGB2BGR)
        seen = cv2.resize(puppeteer.seen, (puppet.shape[1], puppet.shape[0]))
        both = cv2.resize(np.hstack([seen, puppet]), None, fx=2, fy=2)
        cv2.putText(both, f"{latencies[-1] * 1000:.0f} ms", (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 255), 2)
        cv2.imshow("puppet", both)
        if cv2.waitKey(1) == 27:
            break
    return latencies


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address",
                        help="unix:/path or host:port; else POSED_ADDRESS, else unix:/run/posed/posed.sock")
    parser.add_argument("--source", required=True, nargs="+", help="pictures of the person")
    moves = parser.add_mutually_exclusive_group(required=True)
    moves.add_argument("--video", help="a video of somebody who moves")
    moves.add_argument("--camera", type=int, help="the number of a camera, such as 0")
    parser.add_argument("--out", help="the video that is written; without it a window shows the frames")
    parser.add_argument("--fit", default="crop", choices=["stretch", "crop", "pad"],
                        help="what is done to a source of another aspect than the model's (crop)")
    parser.add_argument("--nfe", type=int, help="velocity evaluations of a frame")
    options = parser.parse_args()

    with Client(options.address) as posed, posed.session(
            *options.source, fit=options.fit, nfe=options.nfe) as person:
        model = next(model for model in posed.models() if model.name == person.message.model)
        size = model.width, model.height
        is_live = options.camera is not None
        puppeteer = Puppeteer(options.camera if is_live else options.video, *size, ahead=64 if is_live else 2)
        live = {"max_lag": 0.08, "frame_deadline": 0.1} if is_live else {}
        with person.stream(puppeteer.poses(), image_format="raw", seed=7, **live) as answers:
            if options.out:
                latencies = write(answers, options.out, puppeteer, size)
            else:
                latencies = show(answers, puppeteer)
    if not latencies:
        raise ValueError("nobody was seen, so there is no frame")
    print(f"\n{len(latencies)} frames, latency {statistics.median(latencies) * 1000:.0f} ms (median), "
          f"{max(latencies) * 1000:.0f} ms at most", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except PosedError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except ValueError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
