"""What a call can end with."""

from __future__ import annotations

from typing import Any, Optional

import grpc

from posed.v1 import synthesis_service_pb2
from posed_client.details import Details, of_messages, of_status


class PosedError(Exception):
    """A call that the daemon refused, or that did not reach it.

    code:        the canonical code, such as `INVALID_ARGUMENT`.
    message:     one sentence. Where one field of the request is to blame, it begins with that field.
    request_id:  the call's id, as it is in the daemon's log; None where the daemon was not reached.
    field:       the field of the request that is to blame; None where it is none.
    retry_after: seconds after which the same request may succeed; None where the daemon does not say.
    """

    def __init__(self, code: str, message: str, request_id: Optional[str] = None, details: Details = Details()):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.request_id = request_id
        self.field = details.field
        self.retry_after = details.retry_after


class InvalidArgument(PosedError):
    """A field of the request is malformed, out of bounds or missing."""


class Unauthenticated(PosedError):
    """The token is missing or unknown."""


class PermissionDenied(PosedError):
    """The daemon knows the caller and does not let it call."""


class NotFound(PosedError):
    """There is no such session or model, or it belongs to somebody else."""


class AlreadyExists(PosedError):
    """The caller has a session of this id."""


class Aborted(PosedError):
    """Somebody else changed the session meanwhile."""


class ResourceExhausted(PosedError):
    """A limit is reached; try again later, or ask for less."""


class DeadlineExceeded(PosedError):
    """The answer did not come in time."""


class Unavailable(PosedError):
    """Nobody answers, or the daemon is ending."""


_CLASSES = {
    "INVALID_ARGUMENT": InvalidArgument, "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied, "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": AlreadyExists, "ABORTED": Aborted,
    "RESOURCE_EXHAUSTED": ResourceExhausted, "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAVAILABLE": Unavailable,
}
_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


def error(code: str, message: str, request_id: Optional[str] = None, details: Details = Details()) -> PosedError:
    """The error of a code's name."""
    return _CLASSES.get(code, PosedError)(code, message, request_id, details)


def from_rpc(failure: grpc.RpcError) -> PosedError:
    """The error that a failed call of grpcio stands for; it is its cause."""
    trailers: Any = failure.trailing_metadata() or ()
    found = {key: value for key, value in trailers}
    made = error(failure.code().name, failure.details() or "", found.get("x-request-id"),
                 of_status(found.get("grpc-status-details-bin", b"")))
    made.__cause__ = failure
    return made


def from_frame(failure: synthesis_service_pb2.FrameError) -> PosedError:
    """The error of one frame of a stream."""
    return error(_NAMES.get(failure.code, "UNKNOWN"), failure.message,
                 details=of_messages((detail.type_url, detail.value) for detail in failure.details))
