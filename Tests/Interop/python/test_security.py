"""TLS, mutual TLS and tokens."""

import signal
import time
import unittest

import grpc

from authority import Authority
from case import Case
from daemon import TOKEN, Daemon
from grpc_health.v1 import health_pb2, health_pb2_grpc
from posed.v1 import server_service_pb2, server_service_pb2_grpc, session_service_pb2

UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def bearer(token):
    return [("authorization", f"Bearer {token}")]


class Security(Case):
    def secure(self, **options):
        channel = self.daemon.secure_channel(**options)
        self.addCleanup(channel.close)
        return server_service_pb2_grpc.ServerServiceStub(channel)

    def identity(self, server, **options):
        return server.GetServerInfo(
            server_service_pb2.GetServerInfoRequest(), timeout=60, **options).identity

    def fails(self, code, server, **options):
        return self.refused(
            code, server.GetServerInfo, server_service_pb2.GetServerInfoRequest(), **options)

    def test_tokens_say_who_calls(self):
        self.assertEqual(self.identity(self.secure(), metadata=bearer(TOKEN)), "token:studio")

    def test_wrong_tokens_and_none(self):
        server = self.secure()
        self.fails(UNAUTHENTICATED, server)
        self.fails(UNAUTHENTICATED, server, metadata=bearer("wrong"))
        self.fails(UNAUTHENTICATED, server, metadata=bearer(TOKEN + "x"))
        self.fails(UNAUTHENTICATED, server, metadata=bearer(TOKEN[:-1]))
        self.fails(UNAUTHENTICATED, server, metadata=[("authorization", f"Basic {TOKEN}")])
        # The connection is as good as before.
        self.assertEqual(self.identity(server, metadata=bearer(TOKEN)), "token:studio")

    def test_certificates_say_who_calls(self):
        identity = self.daemon.authority.issue("studio-1")
        self.assertEqual(self.identity(self.secure(identity=identity)), "mtls:studio-1")

    def test_certificates_of_strangers(self):
        stranger = Authority(self.daemon.folder, "stranger")
        server = self.secure(identity=stranger.issue("studio-1"))
        self.fails(UNAVAILABLE, server)
        # Nor does the client believe a daemon that a stranger vouches for.
        self.fails(UNAVAILABLE, self.secure(roots=stranger.roots), metadata=bearer(TOKEN))

    def test_certificates_that_have_expired(self):
        self.fails(UNAVAILABLE, self.secure(identity=self.daemon.authority.issue("old", days=-1)))

    def test_names_that_are_not_the_daemons(self):
        server = self.secure(options=[("grpc.ssl_target_name_override", "elsewhere.example")])
        self.fails(UNAVAILABLE, server, metadata=bearer(TOKEN))

    def test_without_tls_nothing_is_said(self):
        with grpc.insecure_channel(f"localhost:{self.daemon.port}") as channel:
            self.fails(UNAVAILABLE, server_service_pb2_grpc.ServerServiceStub(channel),
                       metadata=bearer(TOKEN))

    def test_sessions_of_others_do_not_exist(self):
        name = self.session()
        with self.daemon.secure_channel() as channel:
            self.use(channel)
            self.refused(grpc.StatusCode.NOT_FOUND, self.sessions.GetSession,
                         session_service_pb2.GetSessionRequest(name=name), metadata=bearer(TOKEN))
            listed = self.sessions.ListSessions(
                session_service_pb2.ListSessionsRequest(), timeout=60, metadata=bearer(TOKEN))
            self.assertEqual(len(listed.sessions), 0)
        self.use(self.channel)
        self.assertEqual(
            self.sessions.GetSession(session_service_pb2.GetSessionRequest(name=name)).name, name)

    def test_health_is_for_everybody(self):
        with self.daemon.secure_channel() as channel:
            status = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=60).status
        self.assertEqual(status, health_pb2.HealthCheckResponse.SERVING)


    def test_tokens_follow_their_file_after_reloads(self):
        tokens = self.daemon.folder / "moving-tokens"
        elsewhere = self.daemon.folder / "other-tokens"
        configuration = self.daemon.folder / "posed.yaml"
        names = {"alice": "a-token-for-alice-alone", "bob": "a-token-for-bob-and-nobody"}

        def write(path, *holders):
            path.write_text("".join(f"{name} {names[name]}\n" for name in holders))
            path.chmod(0o600)

        def configure(path):
            configuration.write_text(f"authentication: {{tokensFile: {path}}}\n")

        write(tokens, "alice", "bob")
        configure(tokens)
        daemon = Daemon({"authentication.tokensFile": None}, configuration=configuration)
        try:
            with daemon.secure_channel() as channel:
                server = server_service_pb2_grpc.ServerServiceStub(channel)

                def known(name):
                    try:
                        self.identity(server, metadata=bearer(names[name]))
                        return True
                    except grpc.RpcError as error:
                        self.assertEqual(error.code(), UNAUTHENTICATED)
                        return False

                def becomes(name, wanted):
                    end = time.monotonic() + 20
                    while known(name) != wanted:
                        self.assertLess(time.monotonic(), end, f"{name}: not {wanted} in time")
                        time.sleep(0.2)

                def reload():
                    before = daemon.read_log().count("Reloaded the configuration")
                    daemon.process.send_signal(signal.SIGHUP)
                    end = time.monotonic() + 20
                    while daemon.read_log().count("Reloaded the configuration") == before:
                        self.assertLess(time.monotonic(), end, daemon.read_log())
                        time.sleep(0.05)

                self.assertTrue(known("alice") and known("bob"))
                reload()
                watch = health_pb2_grpc.HealthStub(channel).Watch(
                    health_pb2.HealthCheckRequest(), timeout=60, metadata=bearer(names["bob"]))
                self.assertEqual(next(watch).status, health_pb2.HealthCheckResponse.SERVING)
                write(tokens, "alice")
                becomes("bob", False)
                # Calls that were open end, too.
                with self.assertRaises(grpc.RpcError) as ended:
                    next(watch)
                self.assertNotEqual(ended.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
                self.assertTrue(known("alice"))
                # Another file takes the place of the first, which goes.
                write(elsewhere, "bob")
                configure(elsewhere)
                tokens.unlink()
                reload()
                becomes("bob", True)
                self.assertFalse(known("alice"))
                reload()
                write(elsewhere, "alice")
                becomes("bob", False)
                self.assertTrue(known("alice"))
        finally:
            daemon.stop()


if __name__ == "__main__":
    unittest.main()
