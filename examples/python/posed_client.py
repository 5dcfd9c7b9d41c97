"""A small client of posed.

    with PosedClient("unix:/run/posed/posed.sock") as posed:
        with posed.session("person.png", nfe=8) as session:
            session.synthesize("pose.json").save("frame.png")
"""

import queue
from pathlib import Path

import grpc

import stubs

stubs.load()

# pylint: disable=wrong-import-position
from google.protobuf import duration_pb2
from posed.v1 import image_pb2, pose_pb2, session_service_pb2, synthesis_pb2, synthesis_service_pb2
from posed.v1 import session_service_pb2_grpc, synthesis_service_pb2_grpc

MESSAGE_BYTES = 64 << 20


class PosedClient:
    """A connection to a daemon, to be closed or used in a `with`."""

    def __init__(self, address, *, token=None, ca=None, cert=None, key=None, timeout=60.0):
        """Connects when first used.

        address: `unix:/path`, or `host:port`.
        token:   a bearer token; only over TLS or to a Unix socket.
        ca:      a PEM file of the authorities to trust; with it or with `cert`, TLS is spoken.
        cert, key: PEM files that say who the client is.
        timeout: seconds that a request may take.
        """
        options = [("grpc.max_receive_message_length", MESSAGE_BYTES),
                   ("grpc.max_send_message_length", MESSAGE_BYTES)]
        if ca or cert:
            credentials = grpc.ssl_channel_credentials(
                *(Path(name).read_bytes() if name else None for name in (ca, key, cert)))
            self.channel = grpc.secure_channel(address, credentials, options=options)
        else:
            self.channel = grpc.insecure_channel(address, options=options)
        self.metadata = [("authorization", f"Bearer {token}")] if token else []
        self.timeout = timeout
        self.sessions = session_service_pb2_grpc.SessionServiceStub(self.channel)
        self.synthesis = synthesis_service_pb2_grpc.SynthesisServiceStub(self.channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes the connection; calls under way end."""
        self.channel.close()

    def session(self, *pictures, name="", ttl=None, **settings):
        """Encodes pictures of a person: paths of PNG files, bytes of them, or arrays [H, W, 3] of uint8."""
        request = session_service_pb2.CreateSessionRequest(
            sources=[image(picture) for picture in pictures], display_name=name,
            default_settings=synthesis_pb2.SynthesisSettings(**settings))
        if ttl is not None:
            request.ttl.CopyFrom(duration(ttl))
        return Session(self, self._call(self.sessions.CreateSession, request))

    def open(self, name):
        """A session that is there already."""
        request = session_service_pb2.GetSessionRequest(name=name)
        return Session(self, self._call(self.sessions.GetSession, request))

    def _call(self, method, request):
        return method(request, timeout=self.timeout, metadata=self.metadata)


class Session:
    """A person, encoded; ended by `close` or at the end of a `with`."""

    def __init__(self, client, message):
        self.client = client
        self.message = message

    @property
    def name(self):
        """`sessions/…`"""
        return self.message.name

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the session."""
        request = session_service_pb2.DeleteSessionRequest(name=self.name)
        self.client._call(self.client.sessions.DeleteSession, request)

    def synthesize(self, pose_, **settings):
        """One picture. `settings` are fields of SynthesisSettings: nfe, seed, solver, …"""
        request = synthesis_service_pb2.SynthesizeRequest(
            session=self.name, pose=pose(pose_),
            settings=synthesis_pb2.SynthesisSettings(**settings))
        return Frame(self.client._call(self.client.synthesis.Synthesize, request).frame)

    def stream(self, poses, *, max_lag=None, frame_deadline=None, warm_start=0.0, **settings):
        """Yields an `Answer` for each of `poses`, in their order; both flow at the same time.

        With `max_lag` (seconds) the latest pose wins: answers to poses that were passed over have
        `superseded_by` instead of a frame. Leaving the loop early stops the work.
        """
        start = synthesis_service_pb2.StreamStart(
            session=self.name, settings=synthesis_pb2.SynthesisSettings(**settings),
            warm_start=warm_start)
        if max_lag is not None:
            start.max_lag.CopyFrom(duration(max_lag))
        if frame_deadline is not None:
            start.frame_deadline.CopyFrom(duration(frame_deadline))

        def requests():
            yield synthesis_service_pb2.StreamSynthesizeRequest(start=start)
            for sequence, item in enumerate(poses, 1):
                yield synthesis_service_pb2.StreamSynthesizeRequest(
                    pose=synthesis_service_pb2.StreamPose(sequence=sequence, pose=pose(item)))

        call = self.client.synthesis.StreamSynthesize(requests(), metadata=self.client.metadata)
        try:
            for response in call:
                if response.WhichOneof("event") != "started":
                    yield Answer(response)
        finally:
            call.cancel()


class Answer:
    """What became of one pose: exactly one of `frame`, `superseded_by` and `error` is not None."""

    def __init__(self, message):
        event = message.WhichOneof("event")
        self.sequence = message.sequence
        self.frame = Frame(message.frame) if event == "frame" else None
        self.superseded_by = message.superseded.superseded_by if event == "superseded" else None
        self.error = message.error if event == "error" else None


class Frame:
    """A picture made, and how (`used`, `cache`, `timings`)."""

    def __init__(self, message):
        self.message = message
        self.used = message.used
        self.cache = message.cache
        self.timings = message.timings

    @property
    def png(self):
        """The bytes of a PNG file."""
        if self.message.image.WhichOneof("content") != "png":
            raise ValueError("the frame came as raw pixels; ask for image_format=IMAGE_FORMAT_PNG")
        return self.message.image.png

    @property
    def pixels(self):
        """(width, height, bytes) of raw pixels, red, green and blue, row by row."""
        if self.message.image.WhichOneof("content") != "raw":
            raise ValueError("the frame came as a PNG; ask for image_format=IMAGE_FORMAT_RAW_RGB8")
        raw = self.message.image.raw
        return raw.width, raw.height, raw.rgb

    def save(self, path):
        """Writes the frame as a PNG file."""
        Path(path).write_bytes(self.png)


class PoseQueue:
    """Poses that another thread puts in while a stream takes them out: for cameras and trackers."""

    def __init__(self):
        self.poses = queue.SimpleQueue()

    def put(self, item):
        """Adds a pose."""
        self.poses.put((item,))

    def close(self):
        """No more poses."""
        self.poses.put(None)

    def __iter__(self):
        while (item := self.poses.get()) is not None:
            yield item[0]


def image(picture):
    """An Image message of a path, of the bytes of a PNG file, or of an array [H, W, 3] of uint8."""
    if isinstance(picture, image_pb2.Image):
        return picture
    if isinstance(picture, (bytes, bytearray)):
        return image_pb2.Image(png=bytes(picture))
    if hasattr(picture, "shape"):
        height, width, channels = picture.shape
        if channels != 3 or str(picture.dtype) != "uint8":
            raise ValueError(f"expected [H, W, 3] of uint8, got {picture.shape} of {picture.dtype}")
        return image_pb2.Image(
            raw=image_pb2.RawImage(width=width, height=height, rgb=picture.tobytes()))
    return image_pb2.Image(png=Path(picture).read_bytes())


def pose(item):
    """A Pose message of a path, of the bytes of a pose file, or of 18 or 25 joints (x, y[, confidence])."""
    if isinstance(item, pose_pb2.Pose):
        return item
    if isinstance(item, (bytes, bytearray)):
        return pose_pb2.Pose(file=bytes(item))
    if isinstance(item, (str, Path)):
        return pose_pb2.Pose(file=Path(item).read_bytes())
    joints = []
    for joint in item:
        x, y, *confidence = (float(value) for value in joint)
        joints.append(pose_pb2.Keypoint(x=x, y=y, confidence=confidence[0] if confidence else None))
    return pose_pb2.Pose(keypoints=pose_pb2.Keypoints(joints=joints))


def duration(seconds):
    """A Duration message."""
    nanos = round(seconds * 1e9)
    return duration_pb2.Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)
