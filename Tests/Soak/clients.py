"""Clients of the soak: some that behave, whose every request must be answered, and some that do not.

Each runs in a process of its own: `python clients.py KIND ADDRESS STUBS SEED`. Those that behave print a JSON
line at their end, which a SIGTERM brings about.
"""

import hashlib
import json
import os
import random
import signal
import socket
import sys
import threading
import time

ENDING = threading.Event()
JOINTS = 18


class Caller:
    """Stubs, and a person of one colour."""

    def __init__(self, address, stubs, seed):
        sys.path.insert(0, stubs)
        import grpc
        from posed.v1 import (image_pb2, pose_pb2, session_service_pb2,
                              session_service_pb2_grpc, synthesis_pb2,
                              synthesis_service_pb2, synthesis_service_pb2_grpc)
        self.grpc, self.image, self.pose, self.synthesis = grpc, image_pb2, pose_pb2, synthesis_pb2
        self.messages, self.session_messages = synthesis_service_pb2, session_service_pb2
        self.random = random.Random(seed)
        self.seed = seed
        self.address = address
        options = [("grpc.max_receive_message_length", 64 << 20)]
        self.channel = grpc.insecure_channel(address, options=options)
        self.sessions = session_service_pb2_grpc.SessionServiceStub(self.channel)
        self.service = synthesis_service_pb2_grpc.SynthesisServiceStub(self.channel)

    def source(self):
        """A picture that only this caller has."""
        shade = hashlib.sha256(str(self.seed).encode()).digest()
        return self.image.Image(raw=self.image.RawImage(
            width=64, height=64, rgb=bytes(shade[:3]) * 64 * 64))

    def keypoints(self, number):
        """Pose of that number; equal numbers are equal poses."""
        chance = random.Random(number)
        joints = [self.pose.Keypoint(x=chance.uniform(5, 59), y=chance.uniform(5, 59))
                  for _ in range(JOINTS)]
        return self.pose.Pose(keypoints=self.pose.Keypoints(
            joints=joints, canvas_width=64, canvas_height=64))

    def settings(self):
        """Few evaluations of a known seed."""
        return self.synthesis.SynthesisSettings(
            nfe=4, seed=11, image_format=self.image.IMAGE_FORMAT_RAW_RGB8)

    def open(self):
        """A new session's name."""
        return self.sessions.CreateSession(self.session_messages.CreateSessionRequest(
            sources=[self.source()]), timeout=60, wait_for_ready=True).name


class Record:
    """What became of a client's requests."""

    def __init__(self):
        self.sent = self.answered = self.refused = self.interrupted = 0
        self.pictures, self.changed, self.wrong = {}, 0, []

    def picture(self, number, data):
        """Remembers the picture of a pose, and counts those that differ from the first."""
        digest = hashlib.sha256(data).hexdigest()
        if self.pictures.setdefault(number, digest) != digest:
            self.changed += 1

    def report(self):
        """The record as a JSON line."""
        print(json.dumps({
            "sent": self.sent, "answered": self.answered, "refused": self.refused,
            "interrupted": self.interrupted, "changed": self.changed, "wrong": self.wrong[:5],
            "pictures": self.pictures}), flush=True)


def lost(grpc, error):
    """Whether the daemon went away under a call, as a restart makes it."""
    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def unary(caller, record):
    """One session, request after request; the session must outlive a restart."""
    session = caller.open()
    while not ENDING.is_set():
        number = caller.random.randrange(12)
        record.sent += 1
        try:
            reply = caller.service.Synthesize(caller.messages.SynthesizeRequest(
                session=session, pose=caller.keypoints(number), settings=caller.settings()),
                timeout=60, wait_for_ready=True)
            record.answered += 1
            record.picture(number, reply.frame.image.raw.rgb)
        except caller.grpc.RpcError as error:
            settle(caller, record, error)


def settle(caller, record, error):
    """Books a call that failed."""
    if lost(caller.grpc, error):
        record.interrupted += 1
        time.sleep(0.05)
    elif error.code() == caller.grpc.StatusCode.RESOURCE_EXHAUSTED:
        record.refused += 1
        time.sleep(0.05)
    else:
        record.wrong.append(f"{error.code()}: {error.details()}")


def stream(caller, record):
    """One session, streams of thirty poses, one bad pose in each."""
    session = caller.open()
    while not ENDING.is_set():
        numbers = [caller.random.randrange(12) for _ in range(30)]
        answers = 0

        def requests():
            yield caller.messages.StreamSynthesizeRequest(start=caller.messages.StreamStart(
                session=session, settings=caller.settings()))
            for index, number in enumerate(numbers):
                pose = caller.pose.Pose() if index == 7 else caller.keypoints(number)
                yield caller.messages.StreamSynthesizeRequest(
                    pose=caller.messages.StreamPose(sequence=index + 1, pose=pose))

        record.sent += len(numbers)
        try:
            for event in caller.service.StreamSynthesize(requests(), timeout=120, wait_for_ready=True):
                kind = event.WhichOneof("event")
                if kind == "started":
                    continue
                answers += 1
                if (kind == "error") != (event.sequence == 8):
                    record.wrong.append(f"pose {event.sequence}: {kind} {event.error.message}")
                if kind == "frame":
                    record.picture(numbers[event.sequence - 1], event.frame.image.raw.rgb)
            record.answered += answers
            if answers != len(numbers):
                record.wrong.append(f"{answers} answers to {len(numbers)} poses")
        except caller.grpc.RpcError as error:
            record.sent -= len(numbers) - answers
            record.answered += answers
            settle(caller, record, error)
            if lost(caller.grpc, error):
                record.interrupted -= 1


def expire(caller, record):
    """Requests whose deadline is too short more often than not, and requests taken back."""
    session = caller.open()
    allowed = (caller.grpc.StatusCode.DEADLINE_EXCEEDED, caller.grpc.StatusCode.CANCELLED)
    while not ENDING.is_set():
        record.sent += 1
        call = caller.service.Synthesize.future(caller.messages.SynthesizeRequest(
            session=session, pose=caller.keypoints(caller.random.randrange(12)),
            settings=caller.settings()), timeout=caller.random.uniform(0.0005, 0.05))
        if caller.random.random() < 0.3:
            time.sleep(caller.random.uniform(0, 0.01))
            call.cancel()
        try:
            call.result()
            record.answered += 1
        except caller.grpc.FutureCancelledError:
            record.answered += 1
        except caller.grpc.RpcError as error:
            if error.code() in allowed:
                record.answered += 1
            else:
                settle(caller, record, error)


def sessions(caller, record):
    """Opens, lists and deletes sessions."""
    names = []
    while not ENDING.is_set():
        record.sent += 1
        try:
            if len(names) < 4:
                names.append(caller.open())
            else:
                caller.sessions.DeleteSession(caller.session_messages.DeleteSessionRequest(
                    name=names.pop(0)), timeout=30, wait_for_ready=True)
            caller.sessions.ListSessions(
                caller.session_messages.ListSessionsRequest(page_size=2), timeout=30, wait_for_ready=True)
            record.answered += 1
        except caller.grpc.RpcError as error:
            settle(caller, record, error)
        time.sleep(0.02)


def stall(caller, _):
    """Sends poses and never reads an answer."""
    session = caller.open()

    def requests():
        yield caller.messages.StreamSynthesizeRequest(start=caller.messages.StreamStart(
            session=session, settings=caller.settings()))
        number = 0
        while not ENDING.is_set():
            number += 1
            yield caller.messages.StreamSynthesizeRequest(pose=caller.messages.StreamPose(
                sequence=number, pose=caller.keypoints(number)))

    call = caller.service.StreamSynthesize(requests())
    ENDING.wait(caller.random.uniform(5, 20))
    if caller.random.random() < 0.5:
        os.kill(os.getpid(), signal.SIGKILL)
    call.cancel()


def vanish(caller, _):
    """Is killed in the middle of a stream that it reads."""
    threading.Timer(caller.random.uniform(0.3, 3), lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
    stream(caller, Record())


def oversize(caller, record):
    """Sends messages over the limit."""
    data = bytes(6 << 20)
    while not ENDING.is_set():
        record.sent += 1
        try:
            caller.sessions.CreateSession(caller.session_messages.CreateSessionRequest(
                sources=[caller.image.Image(png=data)]), timeout=30, wait_for_ready=True)
            record.wrong.append("a message over the limit was taken")
        except caller.grpc.RpcError as error:
            if error.code() == caller.grpc.StatusCode.RESOURCE_EXHAUSTED:
                record.answered += 1
            else:
                settle(caller, record, error)
        time.sleep(0.2)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


def connect(address):
    """A plain connection, or None while the daemon is away."""
    plain = socket.socket(socket.AF_UNIX)
    try:
        plain.connect(address.removeprefix("unix:"))
        return plain
    except OSError:
        plain.close()
        time.sleep(0.1)
        return None


def garbage(address, chance):
    """Bytes that are no HTTP/2, or stop being it."""
    while not ENDING.is_set():
        plain = connect(address)
        if plain is None:
            continue
        try:
            if chance.random() < 0.6:
                plain.sendall(PREFACE + SETTINGS)
            plain.sendall(chance.randbytes(chance.randrange(1, 4000)))
            plain.settimeout(0.2)
            plain.recv(4096)
        except OSError:
            pass
        plain.close()
        time.sleep(0.05)


def post(path):
    """The HTTP/2 frame that begins a call and does not end it; names and values as HPACK's literals."""
    def text(value):
        return bytes([len(value)]) + value.encode()

    block = (b"\x83\x86" + b"\x04" + text(path) + b"\x01" + text("localhost")
             + b"\x0f\x10" + text("application/grpc") + b"\x00" + text("te") + text("trailers"))
    return len(block).to_bytes(3, "big") + b"\x01\x04\x00\x00\x00\x01" + block


class Silence:
    """A stream that sends its start, and sometimes a pose, and then nothing for as long as it is kept."""

    def __init__(self, caller, session):
        self.over = threading.Event()
        self.call = caller.service.StreamSynthesize(self.requests(caller, session))
        next(self.call)  # The daemon has it in hand.

    def requests(self, caller, session):
        """What is sent before the silence."""
        yield caller.messages.StreamSynthesizeRequest(start=caller.messages.StreamStart(
            session=session, settings=caller.settings()))
        if caller.random.random() < 0.5:
            yield caller.messages.StreamSynthesizeRequest(pose=caller.messages.StreamPose(
                sequence=1, pose=caller.keypoints(1)))
        self.over.wait()

    def close(self):
        """Takes the call back."""
        self.call.cancel()
        self.over.set()


def half_open(caller, _):
    """Connections, calls and streams that begin and never go on."""
    whole = PREFACE + SETTINGS + post("/posed.v1.SynthesisService/StreamSynthesize")
    kept, session = [], caller.open()
    while not ENDING.is_set():
        try:
            if caller.random.random() < 0.5:
                kept.append(Silence(caller, session))
            elif plain := connect(caller.address):
                kept.append(plain)
                whole_call = caller.random.random() < 0.5
                plain.sendall(whole if whole_call else whole[:caller.random.randrange(1, len(whole))])
        except caller.grpc.RpcError:
            time.sleep(0.1)  # It is away, and comes back with the session.
        except OSError:
            pass
        if len(kept) > 20:
            kept.pop(0).close()
        time.sleep(0.2)


def main():
    """Runs one client."""
    kind, address, stubs, seed = sys.argv[1:5]
    signal.signal(signal.SIGTERM, lambda *_: ENDING.set())
    if kind == "garbage":
        garbage(address, random.Random(int(seed)))
        return
    record, caller = Record(), Caller(address, stubs, int(seed))
    try:
        globals()[kind](caller, record)
    except caller.grpc.RpcError as error:
        # Those that vanish leave sessions behind, and are refused once there are as many as one owner may have.
        if kind not in ("stall", "vanish") or error.code() != caller.grpc.StatusCode.RESOURCE_EXHAUSTED:
            raise
    finally:
        record.report()


if __name__ == "__main__":
    main()
