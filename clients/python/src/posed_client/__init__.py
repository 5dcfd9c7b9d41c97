"""Calls posed: a picture of a person and poses in, the same person in those poses out.

    from posed_client import Client

    with Client("unix:/run/posed/posed.sock") as posed:
        with posed.session("person.png", nfe=4) as person:
            person.synthesize("pose.json").save("frame.png")

`AsyncClient` is the same for asyncio. `posed.v1` has the messages of the protocol.
"""

from posed_client.aio import AsyncClient, AsyncSession, AsyncStream
from posed_client.client import Client, Session, Stream
from posed_client.errors import (
    Aborted, AlreadyExists, DeadlineExceeded, InvalidArgument, NotFound, PermissionDenied, PosedError,
    ResourceExhausted, Unauthenticated, Unavailable)
from posed_client.frames import Answer, Frame
from posed_client.poses import NamedPose, PoseQueue, read_poses
from posed_client.requests import keypoints

__all__ = [
    "Aborted", "AlreadyExists", "Answer", "AsyncClient", "AsyncSession", "AsyncStream", "Client",
    "DeadlineExceeded", "Frame", "InvalidArgument", "NamedPose", "NotFound", "PermissionDenied", "PosedError",
    "PoseQueue", "ResourceExhausted", "Session", "Stream", "Unauthenticated", "Unavailable", "keypoints",
    "read_poses",
]
