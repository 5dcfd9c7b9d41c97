"""When a call is made again, and how long that goes on."""

from __future__ import annotations

import random
import time
from typing import Optional

import grpc

from posed_client.errors import PosedError, from_rpc

FIRST, LONGEST = 0.05, 1.0
# What gRPC says of a call that a proxy reset, or ended without a status, since it lost the daemon, and of a message that asyncio
# sends into a call that has ended so; a daemon says none of it.
CUT_SHORT = ("RST_STREAM", "Stream removed", "Internal error from Core")


def is_lost(failure: grpc.RpcError) -> bool:
    """Whether a call ended because its connection did, or because a proxy lost the daemon and cut the call short."""
    if failure.code() == grpc.StatusCode.UNAVAILABLE:
        return True
    return (failure.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
            and any(text in (failure.details() or "") for text in CUT_SHORT))


class Retry:
    """Counts attempts since the last success. A connection that stays lost for `patience` seconds is given up."""

    def __init__(self, patience: float):
        self.patience = patience
        self._attempts = 0
        self._since: Optional[float] = None

    def succeeded(self) -> None:
        """An answer came: the next loss begins anew."""
        self._attempts = 0
        self._since = None

    def pause(self, failure: grpc.RpcError) -> float:
        """Seconds until the next attempt. Raises the failure where it is none of the connection's, or where
        patience has run out."""
        error: PosedError = from_rpc(failure)
        now = time.monotonic()
        if self._since is None:
            self._since = now
        if not is_lost(failure) or now - self._since >= self.patience:
            raise error
        wait = min(LONGEST, FIRST * 2 ** self._attempts) * random.uniform(0.5, 1.0)
        self._attempts += 1
        return min(wait, max(0.0, self.patience - (now - self._since)))
