"""What a call can end with."""

from __future__ import annotations

from typing import Any, Optional

import grpc


class PosedError(Exception):
    """A call that the daemon refused, or that did not reach it.

    code:       the canonical code, such as `INVALID_ARGUMENT`.
    message:    one sentence. Where one field of the request is to blame, it begins with that field.
    request_id: the call's id, as it is in the daemon's log; None where the daemon was not reached.
    """

    def __init__(self, code: str, message: str, request_id: Optional[str] = None):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.request_id = request_id


class InvalidArgument(PosedError):
    """A field of the request is malformed, out of bounds or missing."""


class Unauthenticated(PosedError):
    """The token is missing or unknown."""


class PermissionDenied(PosedError):
    """The daemon knows the caller and does not let it call."""


class NotFound(PosedError):
    """There is no such session or model, or it belongs to somebody else."""


class ResourceExhausted(PosedError):
    """A limit is reached; try again later, or ask for less."""


class DeadlineExceeded(PosedError):
    """The answer did not come in time."""


class Unavailable(PosedError):
    """Nobody answers, or the daemon is ending."""


_CLASSES = {
    "INVALID_ARGUMENT": InvalidArgument, "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied, "NOT_FOUND": NotFound,
    "RESOURCE_EXHAUSTED": ResourceExhausted, "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAVAILABLE": Unavailable,
}
_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


def error(code: str, message: str, request_id: Optional[str] = None) -> PosedError:
    """The error of a code's name."""
    return _CLASSES.get(code, PosedError)(code, message, request_id)


def from_rpc(failure: grpc.RpcError) -> PosedError:
    """The error that a failed call of grpcio stands for; it is its cause."""
    trailers: Any = failure.trailing_metadata() or ()
    request_id = next((value for key, value in trailers if key == "x-request-id"), None)
    made = error(failure.code().name, failure.details() or "", request_id)
    made.__cause__ = failure
    return made


def from_number(code: int, message: str) -> PosedError:
    """The error of a frame, which has a code's number."""
    return error(_NAMES.get(code, "UNKNOWN"), message)
