"""Connections whose other end has gone away without a word."""

import time
import unittest

import daemon as daemons
from http2 import Connection, post
from posed.v1 import server_service_pb2, server_service_pb2_grpc

STREAM = "/posed.v1.SynthesisService/StreamSynthesize"
QUIET, PATIENCE = 10, 1


class Keepalive(unittest.TestCase):
    def test_who_does_not_answer_pings_is_hung_up_on(self):
        daemon = daemons.Daemon({"rpc.keepaliveTime": f"{QUIET}s",
                                 "rpc.keepaliveTimeout": f"{PATIENCE}s"})
        self.addCleanup(daemon.discard)
        begin = time.monotonic()
        connections = {}
        for answers in (True, False):
            for calls in (True, False):
                connection = Connection(daemon.socket, answers)
                self.addCleanup(connection.close)
                if calls:
                    connection.socket.sendall(post(STREAM))
                connections[answers, calls] = connection
        closed = {}
        # Twice as long, so that those who answered are asked again.
        while time.monotonic() < begin + 2 * (QUIET + PATIENCE) + 5:
            for key, connection in connections.items():
                if key not in closed and not connection.read(0.1):
                    closed[key] = time.monotonic() - begin
        self.assertEqual(sorted(closed), [(False, False), (False, True)])
        for key, seconds in closed.items():
            self.assertEqual(connections[key].pings, 1)
            self.assertGreater(seconds, QUIET)
        for calls in (True, False):
            self.assertGreaterEqual(connections[True, calls].pings, 2)
        with daemon.channel() as channel:
            server_service_pb2_grpc.ServerServiceStub(channel).GetServerInfo(
                server_service_pb2.GetServerInfoRequest(), timeout=60)


if __name__ == "__main__":
    unittest.main()
