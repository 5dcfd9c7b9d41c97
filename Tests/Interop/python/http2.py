"""A connection that speaks as much HTTP/2 as is needed to speak it badly."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADERS, SETTINGS, PING, GOAWAY = 1, 4, 6, 7
ACKNOWLEDGED, END_HEADERS = 1, 4


def frame(kind, flags=0, stream=0, payload=b""):
    """The bytes of a frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def post(path, stream=1):
    """The frame that begins a call and does not end it; names and values as HPACK's literals."""
    text = lambda value: bytes([len(value)]) + value.encode()
    block = (b"\x83\x86" + b"\x04" + text(path) + b"\x01" + text("localhost")
             + b"\x0f\x10" + text("application/grpc") + b"\x00" + text("te") + text("trailers"))
    return frame(HEADERS, END_HEADERS, stream, block)


class Connection:
    """A client on a Unix socket that has said hello."""

    def __init__(self, path, answers_pings):
        self.answers_pings, self.pings, self.said_goodbye = answers_pings, 0, False
        self.buffer = b""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.sendall(PREFACE + frame(SETTINGS))

    def read(self, seconds):
        """Reads for so long at most, or until the daemon closes the connection; whether it is open."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return True
        except ConnectionError:
            return False
        self.buffer += data
        while len(self.buffer) >= 9:
            length = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + length:
                break
            self._take(*self.buffer[3:5], self.buffer[9:9 + length])
            self.buffer = self.buffer[9 + length:]
        return bool(data)

    def _take(self, kind, flags, payload):
        if kind == PING and not flags & ACKNOWLEDGED:
            self.pings += 1
            if self.answers_pings:
                self.socket.sendall(frame(PING, ACKNOWLEDGED, payload=payload))
        elif kind == SETTINGS and not flags & ACKNOWLEDGED:
            self.socket.sendall(frame(SETTINGS, ACKNOWLEDGED))
        elif kind == GOAWAY:
            self.said_goodbye = True

    def close(self):
        """Hangs up."""
        self.socket.close()
