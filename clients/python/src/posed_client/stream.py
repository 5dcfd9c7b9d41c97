"""Streams of the synchronous client."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, Callable, Deque, Iterable, Iterator, List, Optional

import grpc

from posed.v1 import synthesis_service_pb2 as messages
from posed_client.conversation import Conversation
from posed_client.endpoint import Metadata
from posed_client.frames import Answer
from posed_client.requests import PoseLike
from posed_client.retry import Retry


class Stream:
    """Answers to poses that flow at the same time: an iterator, to be used up, closed, or used in a `with`.

    A lost connection is made anew: the poses without an answer are sent once more, under their numbers.
    What goes wrong with the iterable of poses is raised once the poses before it have their answers.
    """

    def __init__(self, method: Callable[..., Any], metadata: Callable[[], Metadata], start: messages.StreamStart,
                 poses: Iterable[PoseLike], patience: float):
        self._method = method
        self._metadata = metadata
        self._talk = Conversation(start)
        self._retry = Retry(patience)
        self._ready: Deque[Answer] = deque()
        self._outlet = _Outlet(self._talk, poses)
        self._call: Any = None

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> "Stream":
        return self

    def __del__(self) -> None:
        if hasattr(self, "_call"):
            self.close()

    def close(self) -> None:
        """Stops the work. Answers that did not come yet do not come."""
        self._outlet.close()
        if self._call is not None:
            self._call.cancel()

    def __next__(self) -> Answer:
        while not self._outlet.is_closed:
            if self._ready:
                return self._ready.popleft()
            if self._call is None:
                passed, opening = self._talk.opening()
                self._ready.extend(passed)
                self._call = self._method(self._outlet.connect(opening), metadata=self._metadata())
                continue
            try:
                response = next(self._call)
            except StopIteration:
                break
            except grpc.RpcError as failure:
                self._lost(failure)
                continue
            answer = self._talk.hear(response)
            if answer is not None:
                self._retry.succeeded()
                self._outlet.wake()
                return answer
        self.close()
        self._outlet.reraise()
        raise StopIteration

    def _lost(self, failure: grpc.RpcError) -> None:
        """Waits until it is time for another connection. Raises where there is to be none."""
        self._outlet.disconnect()
        self._call = None
        if self._outlet.is_drained and not self._talk.has_open:
            self.close()
            return
        try:
            self._outlet.sleep(self._retry.pause(failure))
        except Exception:
            self.close()
            raise


class _Outlet:
    """What is to be said: poses are taken by a thread of their own and said by one of grpcio's, so that whoever waits
    for a pose holds up neither answers nor a new connection, and no pose goes to a connection that is lost."""

    def __init__(self, talk: Conversation, poses: Iterable[PoseLike]):
        self.is_closed = False
        self._talk = talk
        self._changed = threading.Condition()
        self._waiting: Deque[PoseLike] = deque(maxlen=1)
        self._is_over = False
        self._failure: Optional[Exception] = None
        self._connection = 0
        threading.Thread(target=self._read, args=(poses,), daemon=True, name="posed-poses").start()

    @property
    def is_drained(self) -> bool:
        """Whether every pose was said."""
        with self._changed:
            return self._is_over and not self._waiting

    def connect(self, opening: List[messages.StreamSynthesizeRequest]) -> Iterator[messages.StreamSynthesizeRequest]:
        """What a new connection says."""
        with self._changed:
            self._connection += 1
            return self._say(opening, self._connection)

    def disconnect(self) -> None:
        """The connection that there is takes no more poses."""
        with self._changed:
            self._connection += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more is said."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()

    def wake(self) -> None:
        """An answer came, so there may be room for another pose."""
        with self._changed:
            self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Waits, but not for what is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_closed, seconds)

    def reraise(self) -> None:
        """Raises what went wrong with the poses, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _say(self, opening: List[messages.StreamSynthesizeRequest],
             number: int) -> Iterator[messages.StreamSynthesizeRequest]:
        yield from opening
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self.is_closed or number != self._connection
                    or (self._is_over if not self._waiting else not self._talk.is_full))
                if self.is_closed or number != self._connection or not self._waiting:
                    return
                item = self._waiting.popleft()
                self._changed.notify_all()
                try:
                    said = self._talk.say(item)
                except (ValueError, OSError) as problem:
                    self._failure = problem
                    return
            yield said

    def _read(self, poses: Iterable[PoseLike]) -> None:
        failure = None
        try:
            for item in poses:
                with self._changed:
                    self._changed.wait_for(lambda: self.is_closed or not self._waiting)
                    if self.is_closed:
                        return
                    self._waiting.append(item)
                    self._changed.notify_all()
        except Exception as problem:  # It belongs to whoever reads the answers.
            failure = problem
        with self._changed:
            self._failure = self._failure or failure
            self._is_over = True
            self._changed.notify_all()
