"""Messages that come compressed: read like others, and never larger than others may be."""

import gzip
import socket
import struct
import time

import grpc
from posed.v1 import image_pb2, session_service_pb2, session_service_pb2_grpc

import daemon as daemons
import http2
from case import Case


class Compression(Case):
    def test_gzip_is_understood(self):
        with grpc.insecure_channel(
                self.daemon.address, compression=grpc.Compression.Gzip) as channel:
            stub = session_service_pb2_grpc.SessionServiceStub(channel)
            # Long enough that it is compressed at all.
            session = stub.CreateSession(
                session_service_pb2.CreateSessionRequest(
                    display_name="a" * 60,
                    sources=[image_pb2.Image(png=daemons.SOURCE.read_bytes())]), timeout=60)
        self.addCleanup(self.forget, session.name)
        self.assertEqual(session.display_name, "a" * 60)

    def test_other_encodings_are_refused_with_those_that_are_not(self):
        with grpc.insecure_channel(
                self.daemon.address, compression=grpc.Compression.Deflate) as channel:
            stub = session_service_pb2_grpc.SessionServiceStub(channel)
            self.refused(grpc.StatusCode.UNIMPLEMENTED, stub.CreateSession,
                         session_service_pb2.CreateSessionRequest(display_name="a" * 2000))

    def test_an_empty_message_may_be_marked_as_compressed(self):
        for body in [b"", gzip.compress(b"")]:
            answer = self.send(body, "/posed.v1.ServerService/GetServerInfo")
            self.assertRegex(answer, rb"grpc-status\x010")

    def send(self, body, method="/posed.v1.SessionService/CreateSession"):
        """What comes back for a compressed message of these bytes, until the call's end."""
        name = lambda text: bytes([len(text)]) + text.encode()
        headers = (b"\x83\x86" + b"\x04" + name(method) + b"\x01"
                   + name("localhost") + b"\x0f\x10" + name("application/grpc") + b"\x00" + name("te")
                   + name("trailers") + b"\x00" + name("grpc-encoding") + name("gzip"))
        message = b"\x01" + struct.pack(">I", len(body)) + body
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.daemon.socket))
            client.settimeout(30)
            client.sendall(http2.PREFACE + http2.frame(http2.SETTINGS)
                           + http2.frame(http2.HEADERS, http2.END_HEADERS, 1, headers))
            for start in range(0, len(message), 16384):
                part = message[start:start + 16384]
                client.sendall(http2.frame(0, int(start + 16384 >= len(message)), 1, part))
            came, end = b"", time.monotonic() + 30
            while b"grpc-status" not in came and time.monotonic() < end:
                data = client.recv(65536)
                if not data:
                    break
                came += data
        return came

    def resident(self):
        """Bytes of memory that the daemon has."""
        with open(f"/proc/{self.daemon.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    def test_bombs_are_refused_before_they_burst(self):
        before = self.resident()
        # 12 MiB in 12 KB, which a client may send before it has heard of larger windows.
        honest = gzip.compress(bytes(12 << 20), 9)
        liars = [honest[:-4] + struct.pack("<I", size) for size in (0, 1000, 6 << 20, 400 << 20)]
        for body in [*liars, honest[:1000], b"\x1f\x8b", gzip.compress(b"x") * 2]:
            # By the limit of a message, by what its caller may have in flight, or as damaged.
            self.assertRegex(
                self.send(body), rb"member of gzip|when it is inflated|bytes of requests in flight")
        # Zeros are no message, which is found out when there was room for them.
        self.assertRegex(self.send(honest), rb"that are none|bytes of requests in flight")
        self.assertLess(self.resident() - before, 100 << 20)
        self.succeeds()
