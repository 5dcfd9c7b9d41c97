"""Where the daemon is, how to reach it, and what it is told about the caller."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple, Union

import grpc

PathLike = Union[str, "os.PathLike[str]"]
Metadata = Tuple[Tuple[str, str], ...]

DEFAULT_ADDRESS = "unix:/run/posed/posed.sock"
MESSAGE_BYTES = 64 << 20


@dataclass(frozen=True, repr=False)
class Endpoint:
    """An address with its credentials. It refuses to send a token where others could read it."""

    target: str
    credentials: Optional[grpc.ChannelCredentials]
    server_name: Optional[str]
    is_loopback: bool
    token: Optional[str]
    token_file: Optional[Path]

    @classmethod
    def make(cls, address: Optional[str], *, token: Optional[str], token_file: Optional[PathLike],
             tls: Optional[bool], ca: Optional[PathLike], cert: Optional[PathLike],
             key: Optional[PathLike], server_name: Optional[str]) -> "Endpoint":
        """Checks everything that can be checked without a connection. Raises ValueError, OSError."""
        target, is_unix, is_loopback = _parse(address or os.environ.get("POSED_ADDRESS") or DEFAULT_ADDRESS)
        if (cert is None) != (key is None):
            raise ValueError("cert and key: expected both or neither")
        if token is not None and token_file is not None:
            raise ValueError("token and token_file: expected one of them")
        if tls is None:
            tls = any(given is not None for given in (ca, cert, server_name))
        elif not tls and any(given is not None for given in (ca, cert, server_name)):
            raise ValueError("tls: expected True beside ca, cert or server_name, got False")
        if tls and is_unix:
            raise ValueError("a Unix socket has no TLS; leave out tls, ca, cert and server_name")
        if token is None and token_file is None:
            token_file = os.environ.get("POSED_TOKEN_FILE") or None
        if (token is not None or token_file is not None) and not (tls or is_unix or is_loopback):
            raise ValueError(f"{target}: a token would travel in clear text; use TLS (ca=, or tls=True), "
                             "a Unix socket or a loopback address")
        if token is not None:
            _check_token(token, "token")
        credentials = None
        if tls:
            credentials = grpc.ssl_channel_credentials(*(
                Path(name).read_bytes() if name is not None else None for name in (ca, key, cert)))
        return cls(target, credentials, server_name, is_unix or is_loopback, token,
                   Path(token_file) if token_file is not None else None)

    @property
    def options(self) -> List[Tuple[str, Union[int, str]]]:
        """Options of the channel."""
        options: List[Tuple[str, Union[int, str]]] = [
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
            # A daemon that was started anew is found within a second.
            ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
            # Two clients of one process are two connections.
            ("grpc.use_local_subchannel_pool", 1),
        ]
        if self.server_name is not None:
            options.append(("grpc.ssl_target_name_override", self.server_name))
        if self.is_loopback:
            # A proxy from the environment would see the token.
            options.append(("grpc.enable_http_proxy", 0))
        return options

    def metadata(self, session: Optional[str] = None) -> Metadata:
        """What a call carries: the token, and the session's name for a proxy that routes by it.

        A token file is read for each call, so a token may be replaced while the client lives. Raises
        ValueError, OSError.
        """
        pairs = []
        token = self.token
        if self.token_file is not None:
            token = self.token_file.read_text(encoding="utf-8").strip()
            _check_token(token, str(self.token_file))
        if token is not None:
            pairs.append(("authorization", f"Bearer {token}"))
        if session:
            pairs.append(("x-posed-session", session))
        return tuple(pairs)

    def __repr__(self) -> str:
        return f"Endpoint({self.target!r})"


def _check_token(token: str, where: str) -> None:
    if not token or not all("\x21" <= letter <= "\x7e" for letter in token):
        raise ValueError(f"{where}: expected a token of printable ASCII without spaces")


def _parse(address: str) -> Tuple[str, bool, bool]:
    """(gRPC target, whether it is a Unix socket, whether it stays on this machine)."""
    if address.startswith("/"):
        address = "unix:" + address
    if address.startswith("unix:"):
        path = address[len("unix:"):]
        if not path.strip("/"):
            raise ValueError(f"address: expected unix:/path, got {address!r}")
        return address, True, True
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536 or "/" in host or not host \
            or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        raise ValueError(f"address: expected unix:/path or host:port, got {address!r}")
    bare = host.strip("[]")
    try:
        is_loopback = ipaddress.ip_address(bare).is_loopback
    except ValueError:
        is_loopback = bare.lower() == "localhost"
    return address, False, is_loopback
