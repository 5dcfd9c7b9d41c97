"""Clients that stop reading in the middle of an answer: little is made for them, and their connection ends."""

import http.client
import json
import socket
import struct
import time
import unittest
from pathlib import Path

import grpc
from posed.v1 import server_service_pb2, server_service_pb2_grpc
from service import POSE, TOKEN, Service, form
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

# Pictures of noise, which PNG does not make smaller: some 200 kB each.
LARGE = "solver=euler&nfe=1&width=256&height=256"
COUNT = 100


class StalledTests(unittest.TestCase):
    """The daemon lets two connections and one stream in, so a client gets in once a stalled one is out."""

    @classmethod
    def setUpClass(cls):
        cls.service = Service({"http.api.idleTimeout": "1s", "limits.streamsPerIdentity": "1",
                               "limits.connectionsPerPeer": "2"})
        cls.session = cls.service.session()
        cls.channel = cls.service.channel()
        cls.stub = server_service_pb2_grpc.ServerServiceStub(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.service.stop()

    def setUp(self):
        self.clients = []
        self.before = self.statistics()

    def tearDown(self):
        for client in self.clients:
            client.close()
        self.in_the_end(lambda: self.statistics().open_streams == 0)

    def statistics(self):
        return self.stub.GetStatistics(server_service_pb2.GetStatisticsRequest())

    def in_the_end(self, condition):
        end = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not come about within 30 seconds")
            time.sleep(0.05)

    def stalled(self):
        """A connection with small buffers, so that the daemon notices soon that nobody reads."""
        client = socket.socket()
        self.clients.append(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 600)
        client.settimeout(60)
        client.connect(("127.0.0.1", self.service.api))
        return client

    def ask(self, client, method, path, body=b"", **headers):
        """Sends a request; nobody reads its answer."""
        fields = {"Host": f"127.0.0.1:{self.service.api}", "Authorization": f"Bearer {TOKEN}",
                  "Content-Length": len(body), **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        client.sendall(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)

    def is_let_in(self):
        """Whether one more connection is let in and answered."""
        try:
            return self.service.ask("GET", "/v1/models")[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def is_open(self, client):
        """Whether the daemon's end of a connection is open."""
        ends = f":{self.service.api:04X}", f":{client.getsockname()[1]:04X}"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, own, other, state = line.split()[:4]
            if (own[-5:], other[-5:]) == ends:
                return state == "01"
        return False

    def rest(self, client):
        """What had been sent before the connection ended."""
        received = b""
        try:
            while piece := client.recv(1 << 16):
                received += piece
        except ConnectionError:
            pass
        return received

    def test_pictures_that_nobody_reads(self):
        pose = POSE.read_bytes()
        for client in [self.stalled(), self.stalled()]:
            for _ in range(COUNT):
                self.ask(client, "POST", f"/v1/{self.session}/frames?{LARGE}", pose,
                         **{"Content-Type": "application/json"})
        self.in_the_end(self.is_let_in)
        # Whoever is read from before the daemon has given it up stalls no longer.
        self.in_the_end(lambda: not any(map(self.is_open, self.clients)))
        for client in self.clients:
            self.assertLess(self.rest(client).count(b"HTTP/1.1 200"), COUNT)
        made = self.statistics().frames_completed - self.before.frames_completed
        self.assertGreater(made, 0)
        self.assertLess(made, 2 * COUNT)

    def test_a_watcher_that_reads_nothing(self):
        self.in_the_end(self.begins_to_watch)
        self.in_the_end(lambda: self.watch() == 429)
        maker = http.client.HTTPConnection("127.0.0.1", self.service.api, timeout=60)
        self.clients.append(maker)
        made = 0
        while self.watch(maker) == 429:
            # Whoever makes pictures does not wait for the watcher.
            maker.request("POST", f"/v1/{self.session}/frames?{LARGE}", POSE.read_bytes(), {
                "Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"})
            answer = maker.getresponse()
            self.assertEqual(answer.status, 200, answer.read())
            answer.read()
            made += 1
            self.assertLess(made, 10 * COUNT, "the watcher was not given up")

    def begins_to_watch(self):
        """Whether a stalled client is let in to watch; it reads the head of the answer and no more."""
        client = self.stalled()
        self.ask(client, "GET", f"/v1/{self.session}/frames.mjpeg")
        if client.recv(4096).startswith(b"HTTP/1.1 200"):
            return True
        self.clients.remove(client)
        client.close()
        return False

    def watch(self, connection=None):
        """The status of an attempt to watch, which ends at once where it succeeds."""
        client = connection or http.client.HTTPConnection("127.0.0.1", self.service.api, timeout=60)
        client.request("GET", f"/v1/{self.session}/frames.mjpeg", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = client.getresponse()
        if answer.status != 200:
            answer.read()
        if connection is None or answer.status == 200:
            client.close()
        return answer.status

    def open(self, **more):
        return connect(
            f"ws://127.0.0.1:{self.service.api}/v1/{self.session}/stream?{LARGE}&format=png&max_lag_ms=60000",
            additional_headers={"Authorization": f"Bearer {TOKEN}"}, max_size=1 << 24, **more)

    def test_a_live_stream_that_nobody_reads(self):
        pose = json.loads(POSE.read_text())
        with self.open(sock=self.stalled(), max_queue=1, close_timeout=1) as stream:
            try:
                for number in range(1, COUNT + 1):
                    stream.send(json.dumps({"sequence": number, "pose": pose}))
            except (OSError, WebSocketException):
                pass  # It is given up while poses are sent.
            self.in_the_end(lambda: self.statistics().frames_completed > self.before.frames_completed)
            self.in_the_end(lambda: self.statistics().open_streams == 0)
            self.assertLess(self.statistics().frames_completed - self.before.frames_completed, COUNT)
        with self.open() as other:
            other.send(json.dumps({"sequence": 1, "pose": pose}))
            self.assertIn("frame", json.loads(other.recv(60)))

    def test_pings_whose_answers_nobody_reads(self):
        client = self.stalled()
        self.ask(client, "GET", f"/v1/{self.session}/stream", Upgrade="websocket", Connection="Upgrade",
                 **{"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
        self.in_the_end(lambda: self.statistics().open_streams == 1)
        # FIN and ping, masked with zeros, 125 bytes.
        ping = struct.pack(">BBI", 0x89, 0x80 | 125, 0) + bytes(125)
        with self.assertRaises(ConnectionError):
            for _ in range(1 << 16):
                client.sendall(ping * 8)
        self.in_the_end(lambda: self.statistics().open_streams == 0)


class SlowTests(unittest.TestCase):
    def test_a_body_that_comes_too_slowly(self):
        brief = Service({"limits.firstMessageTimeout": "1s"})
        try:
            body, kind = form(source=bytes(1000))
            with socket.create_connection(("127.0.0.1", brief.api), timeout=60) as slow:
                slow.sendall((f"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1:{brief.api}\r\n"
                              f"Authorization: Bearer {TOKEN}\r\nContent-Type: {kind}\r\n"
                              f"Content-Length: {len(body)}\r\n\r\n").encode() + body[:100])
                answer = http.client.HTTPResponse(slow)
                answer.begin()
                self.assertEqual(answer.status, 408, answer.read())
                self.assertEqual(answer.getheader("Connection"), "close")
        finally:
            brief.stop()


if __name__ == "__main__":
    unittest.main()
