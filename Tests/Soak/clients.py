"""Clients of the soak: some that behave, whose every request must be answered, and some that do not.

Each runs in a process of its own: `python clients.py KIND ADDRESS STUBS SEED TOKEN`. Those that behave print a JSON
line at their end, which a SIGTERM brings about.
"""

import collections
import hashlib
import json
import os
import random
import signal
import socket
import sys
import threading
import time
import zlib

ENDING = threading.Event()
# Who does not behave connects from here, so that bounds by peer tell the two apart.
ATTACKER = "127.0.0.2"
JOINTS = 18
STEADY = ("unary", "stream", "expire", "sessions", "oversize", "health")


class Caller:
    """Stubs, and a person of one colour."""

    def __init__(self, address, stubs, seed, token):
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
        self.token = token
        plain = grpc.insecure_channel(address, options=options)
        self.channel = grpc.intercept_channel(plain, bearer(grpc, token))
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
            joints=joints, space=self.pose.COORDINATE_SPACE_PIXELS, canvas_width=64, canvas_height=64))

    def settings(self):
        """Few evaluations of a known seed."""
        return self.synthesis.SynthesisSettings(
            nfe=4, seed=11, image_format=self.image.IMAGE_FORMAT_RAW_RGB8)

    def open(self):
        """A new session's name."""
        return self.sessions.CreateSession(self.session_messages.CreateSessionRequest(
            sources=[self.source()]), timeout=60, wait_for_ready=True).name


def bearer(grpc, token):
    """An interceptor that shows a token with every call."""

    class Bearer(grpc.UnaryUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
        """Adds the token to the metadata."""

        def shown(self, details):
            """The call's details, with the token."""
            metadata = list(details.metadata or []) + [("authorization", "Bearer " + token)]
            return Details(details.method, details.timeout, metadata, details.credentials,
                           getattr(details, "wait_for_ready", None), None)

        def intercept_unary_unary(self, go_on, details, request):
            """A call of one message each way."""
            return go_on(self.shown(details), request)

        def intercept_stream_stream(self, go_on, details, requests):
            """A stream."""
            return go_on(self.shown(details), requests)

    return Bearer()


Details = collections.namedtuple(
    "Details", ("method", "timeout", "metadata", "credentials", "wait_for_ready", "compression"))


class Record:
    """What became of a client's requests."""

    def __init__(self):
        self.sent = self.answered = self.refused = self.interrupted = 0
        self.pictures, self.changed, self.wrong, self.seconds = {}, 0, [], []

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
            "pictures": self.pictures, "seconds": self.seconds}), flush=True)


def lost(grpc, error):
    """Whether the daemon went away under a call, as a restart makes it."""
    return error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def unary(caller, record):
    """One session, request after request; the session must outlive a restart."""
    session = caller.open()
    while not ENDING.is_set():
        number = caller.random.randrange(12)
        record.sent += 1
        begun = time.monotonic()
        try:
            reply = caller.service.Synthesize(caller.messages.SynthesizeRequest(
                session=session, pose=caller.keypoints(number), settings=caller.settings()),
                timeout=60, wait_for_ready=True)
            record.answered += 1
            record.seconds.append((time.time(), time.monotonic() - begun))
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
                kind = event.WhichOneof("answer")
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


def health(caller, record):
    """Asks for the health, as whoever restarts daemons does; it needs no token."""
    check = caller.grpc.insecure_channel(caller.address).unary_unary("/grpc.health.v1.Health/Check")
    while not ENDING.is_set():
        record.sent += 1
        begun = time.monotonic()
        try:
            if (answer := check(b"", timeout=30)) != b"\x08\x01":
                record.wrong.append(f"the health is {answer}")
            record.answered += 1
            record.seconds.append((time.time(), time.monotonic() - begun))
        except caller.grpc.RpcError as error:
            settle(caller, record, error)
        time.sleep(0.05)


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
    """A plain connection from another address of this machine, or None while the daemon is away."""
    host, port = address.rsplit(":", 1)
    plain = socket.socket()
    try:
        plain.bind((ATTACKER, 0))
        plain.connect((host, int(port)))
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


def post(path, stream=1):
    """The HTTP/2 frame that begins a call and does not end it; names and values as HPACK's literals."""
    text = lambda value: bytes([len(value)]) + value.encode()
    block = (b"\x83\x86" + b"\x04" + text(path) + b"\x01" + text("localhost")
             + b"\x0f\x10" + text("application/grpc") + b"\x00" + text("te") + text("trailers"))
    return len(block).to_bytes(3, "big") + b"\x01\x04" + stream.to_bytes(4, "big") + block


def empty(stream):
    """The HTTP/2 frame of an empty message that is the call's last."""
    return b"\x00\x00\x05\x00\x01" + stream.to_bytes(4, "big") + bytes(5)


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


def watch_flood(address, _):
    """Watches the health a hundred times on each of many connections, without a token."""
    kept = []
    while not ENDING.is_set():
        plain = connect(address)
        if plain is None:
            continue
        kept.append(plain)
        try:
            plain.sendall(PREFACE + SETTINGS)
            for stream in range(1, 200, 2):
                plain.sendall(post("/grpc.health.v1.Health/Watch", stream) + empty(stream))
        except OSError:
            pass
        if len(kept) > 40:
            kept.pop(0).close()
        time.sleep(0.1)


def silent(address, _):
    """Connections that never say anything."""
    kept = []
    while not ENDING.is_set():
        if plain := connect(address):
            kept.append(plain)
        if len(kept) > 800:
            kept.pop(0).close()
        time.sleep(0.005)


def idle_streams(caller, _):
    """As many streams as it gets, each silent after its start."""
    kept, session = [], caller.open()
    while not ENDING.is_set():
        try:
            kept.append(Silence(caller, session))
        except caller.grpc.RpcError:
            time.sleep(0.2)
        if len(kept) > 60:
            kept.pop(0).close()


def bombs(caller, record):
    """Small messages that are large when they are read: millions of empty joints, and pictures of one colour."""
    picture = zlib.compress(bytes((3 * 2048 + 1) * 2048), 9)
    def chunk(kind, data):
        return (len(data).to_bytes(4, "big") + kind + data
                + zlib.crc32(kind + data).to_bytes(4, "big"))
    png = (b"\x89PNG\r\n\x1a\n"
           + chunk(b"IHDR", (2048).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00")
           + chunk(b"IDAT", picture) + chunk(b"IEND", b""))
    session = caller.open()
    joints = caller.pose.Pose(keypoints=caller.pose.Keypoints(
        joints=[caller.pose.Keypoint()] * 1_000_000))
    while not ENDING.is_set():
        record.sent += 1
        try:
            if record.sent % 2:
                caller.service.Synthesize(caller.messages.SynthesizeRequest(
                    session=session, pose=joints), timeout=30)
            else:
                caller.sessions.CreateSession(caller.session_messages.CreateSessionRequest(
                    sources=[caller.image.Image(png=png)] * 8), timeout=30)
        except caller.grpc.RpcError:
            pass
        time.sleep(0.05)


def huge(caller, record):
    """Pictures far above the model's size."""
    session = caller.open()
    while not ENDING.is_set():
        record.sent += 1
        settings = caller.settings()
        settings.width = settings.height = 2048
        try:
            caller.service.Synthesize(caller.messages.SynthesizeRequest(
                session=session, pose=caller.keypoints(1), settings=settings), timeout=30)
        except caller.grpc.RpcError:
            pass
        time.sleep(0.05)


def flood(caller, _):
    """Sessions without end, with as much metadata as goes."""
    while not ENDING.is_set():
        try:
            caller.sessions.CreateSession(
                caller.session_messages.CreateSessionRequest(sources=[caller.source()] * 8),
                timeout=30, metadata=[("x-noise", "x" * 8000)])
        except caller.grpc.RpcError:
            time.sleep(0.02)


def main():
    """Runs one client."""
    kind, address, stubs, seed, token = sys.argv[1:6]
    signal.signal(signal.SIGTERM, lambda *_: ENDING.set())
    if kind in ("garbage", "watch_flood", "silent"):
        globals()[kind](address, random.Random(int(seed)))
        return
    record, caller = Record(), Caller(address, stubs, int(seed), token)
    try:
        globals()[kind](caller, record)
    except caller.grpc.RpcError as error:
        # Those that do not behave leave sessions behind, and are refused once there are as many as one may have.
        if kind in STEADY or error.code() != caller.grpc.StatusCode.RESOURCE_EXHAUSTED:
            raise
    finally:
        record.report()


if __name__ == "__main__":
    main()
