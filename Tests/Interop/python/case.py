"""What all tests share: one daemon, and a session or two. The protocol's modules are those of posed-client."""

import time
import unittest

import daemon as daemons

import grpc
from posed.v1 import catalog_service_pb2_grpc, image_pb2, pose_pb2
from posed.v1 import server_service_pb2, server_service_pb2_grpc, synthesis_pb2
from posed.v1 import session_service_pb2, session_service_pb2_grpc
from posed.v1 import synthesis_service_pb2, synthesis_service_pb2_grpc

# A name as the daemon makes them, of a session that it never made.
UNKNOWN_SESSION = "sessions/" + "a" * 26

SHARED = {}


def the_daemon():
    """The daemon of this run, started when first asked for."""
    if "daemon" not in SHARED:
        SHARED["daemon"] = daemons.Daemon()
    return SHARED["daemon"]


def end():
    """Ends the daemon, if there is one; fails where it does not end in order."""
    running = SHARED.pop("daemon", None)
    if running:
        running.stop()


class Case(unittest.TestCase):
    """A test that talks to the daemon through its Unix socket."""

    def setUp(self):
        self.daemon = the_daemon()
        self.channel = self.daemon.channel()
        self.addCleanup(self.channel.close)
        self.use(self.channel)

    def use(self, channel):
        """Talks through another connection from now on."""
        self.sessions = session_service_pb2_grpc.SessionServiceStub(channel)
        self.synthesis = synthesis_service_pb2_grpc.SynthesisServiceStub(channel)
        self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(channel)
        self.server = server_service_pb2_grpc.ServerServiceStub(channel)

    def session(self, **fields):
        """The name of a new session, which ends with the test."""
        request = session_service_pb2.CreateSessionRequest(
            sources=[image_pb2.Image(png=daemons.SOURCE.read_bytes())], **fields)
        name = self.sessions.CreateSession(request, timeout=60).name
        self.addCleanup(self.forget, name)
        return name

    def forget(self, name):
        """Ends a session, if it is there."""
        try:
            with self.daemon.channel() as channel:
                session_service_pb2_grpc.SessionServiceStub(channel).DeleteSession(
                    session_service_pb2.DeleteSessionRequest(name=name), timeout=10)
        except grpc.RpcError:
            pass

    def refused(self, code, call, *arguments, **options):
        """The message of a call that must fail with a code, and hurt no call that comes after it."""
        with self.assertRaises(grpc.RpcError) as caught:
            call(*arguments, **{"timeout": 60, **options})
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        self.succeeds()
        return caught.exception.details()

    def succeeds(self):
        """A good request, with pictures of its own, on the connection of the test's beginning."""
        request = synthesis_service_pb2.SynthesizeRequest(
            sources=synthesis_service_pb2.Sources(
                images=[image_pb2.Image(png=daemons.SOURCE.read_bytes())]),
            pose=pose_pb2.Pose(file=daemons.POSE.read_bytes()),
            settings=synthesis_pb2.SynthesisSettings(solver="euler", nfe=1))
        stub = synthesis_service_pb2_grpc.SynthesisServiceStub(self.channel)
        frame = stub.Synthesize(request, timeout=60).frame
        self.assertEqual(frame.image.png[:4], b"\x89PNG")

    def statistics(self):
        """What the daemon is doing."""
        stub = server_service_pb2_grpc.ServerServiceStub(self.channel)
        return stub.GetStatistics(server_service_pb2.GetStatisticsRequest(), timeout=60)

    def wait_for(self, condition, what):
        """Asks for the statistics until they are as expected."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            now = self.statistics()
            if condition(now):
                return now
            time.sleep(0.005)
        self.fail(f"expected that {what}, got {now}")

    def idle(self):
        """Waits until the daemon has nothing to do."""
        return self.wait_for(
            lambda now: not (now.frames_running or now.frames_queued or now.open_streams),
            "the daemon has nothing to do")
