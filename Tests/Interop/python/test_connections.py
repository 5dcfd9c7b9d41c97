"""Connections that say nothing: they keep nobody out, and nothing is lost when they are gone."""

import contextlib
import socket
import ssl
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import daemon as daemons
from case import Case


class Connections(Case):
    def crowd(self, daemon, count):
        """Silent connections to a daemon's TCP port and to its Unix socket; refused ones are let go."""
        opened = contextlib.ExitStack()
        for number in range(count):
            client = socket.socket(socket.AF_INET if number % 2 else socket.AF_UNIX)
            opened.enter_context(client)
            client.settimeout(5)
            with contextlib.suppress(OSError):
                client.connect(("127.0.0.1", daemon.port) if number % 2 else str(daemon.socket))
        return opened

    def serves(self, daemon, seconds):
        """A new client of TCP is served, and one of the Unix socket."""
        for make in (daemon.secure_channel, daemon.channel):
            with make() as channel:
                answer = health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(), timeout=seconds, wait_for_ready=True)
            self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING)

    def test_a_silent_crowd_keeps_nobody_out(self):
        with self.crowd(self.daemon, 600):
            self.serves(self.daemon, 20)

    def test_out_of_descriptors_for_a_while(self):
        daemon = daemons.Daemon(descriptors=70)
        try:
            with self.crowd(daemon, 300):
                time.sleep(0.5)
            self.serves(daemon, 20)
            log = daemon.read_log()
            self.assertIn("No connections are accepted for a moment: Too many open files", log)
            self.assertLess(log.count("No connections are accepted"), 40)
        finally:
            daemon.stop()

    def test_a_client_without_http2_ends_in_the_handshake(self):
        context = ssl.create_default_context(cafile=self.daemon.authority.roots)
        for protocols in ([], ["http/1.1"]):
            if protocols:
                context.set_alpn_protocols(protocols)
            with socket.create_connection(("127.0.0.1", self.daemon.port), 10) as plain:
                with self.assertRaises(OSError):
                    with context.wrap_socket(plain, server_hostname="localhost") as client:
                        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
                        if not client.recv(100):
                            raise ConnectionError("the daemon hung up")
        self.succeeds()
