"""The health of a daemon, by the two messages of grpc.health.v1 as they are on the wire.

The package has no module of that protocol: programs that have one of another package could not import both.
"""

from __future__ import annotations

from typing import Any

_SERVING = b"\x08\x01"


def method(channel: Any) -> Any:
    """`Check`, which takes `b""` and returns whether the daemon serves."""
    return channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=bytes,
                               response_deserializer=lambda message: message == _SERVING)
