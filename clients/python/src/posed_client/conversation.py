"""The order of a stream, whatever carries it: which poses were sent, which were answered, where to go on.

A conversation outlives its connection. When one is lost, the next begins with the same session, the same seed and
the poses that have no answer yet, under the numbers that they had. An answered pose is never asked again.
"""

from __future__ import annotations

import threading
from typing import Dict, List, Optional, Tuple

from posed.v1 import synthesis_service_pb2 as messages
from posed_client.errors import from_number
from posed_client.frames import Answer, Frame
from posed_client.requests import PoseLike, pose

# Poses that await their answers, at most: the daemon reads no further either.
WINDOW = 128


class Conversation:
    """What was said and what is open. May be used by two threads at a time."""

    def __init__(self, start: messages.StreamStart):
        self.start = start
        self.answered = 0
        self._last = 0
        self._open: Dict[int, messages.StreamPose] = {}
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        """Whether another pose has to wait for an answer."""
        return len(self._open) >= WINDOW

    @property
    def has_open(self) -> bool:
        """Whether a pose has no answer yet."""
        return bool(self._open)

    def opening(self) -> Tuple[List[Answer], List[messages.StreamSynthesizeRequest]]:
        """The messages that a connection begins with.

        Where the latest pose wins, the poses before it are answered here: they are superseded.
        """
        with self._lock:
            passed = []
            if self.start.HasField("max_lag") and self._open:
                latest = max(self._open)
                for sequence in [number for number in self._open if number != latest]:
                    del self._open[sequence]
                    passed.append(Answer(sequence, superseded_by=latest))
            begin = [messages.StreamSynthesizeRequest(start=self.start)]
            return passed, begin + [messages.StreamSynthesizeRequest(pose=item) for item in self._open.values()]

    def say(self, item: PoseLike) -> messages.StreamSynthesizeRequest:
        """The message of the next pose, which is open from now on. Raises ValueError, OSError."""
        content = pose(item)
        with self._lock:
            self._last += 1
            said = messages.StreamPose(sequence=self._last, pose=content)
            self._open[self._last] = said
        return messages.StreamSynthesizeRequest(pose=said)

    def hear(self, response: messages.StreamSynthesizeResponse) -> Optional[Answer]:
        """The answer that a message is; None of `started`, and of what was answered before."""
        event = response.WhichOneof("answer")
        if event == "started":
            # A seed drawn at random belongs to the stream, not to its connection.
            self.start.settings.seed = response.started.settings.seed
            return None
        with self._lock:
            if self._open.pop(response.sequence, None) is None and response.sequence:
                return None
            self.answered += 1
        if event == "frame":
            return Answer(response.sequence, frame=Frame(response.frame))
        if event == "superseded":
            return Answer(response.sequence, superseded_by=response.superseded.superseded_by)
        return Answer(response.sequence, error=from_number(response.error.code, response.error.message))
