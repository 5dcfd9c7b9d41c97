"""What all tests share: the protocol's modules, one daemon, and a session or two."""

import atexit
import shutil
import sys
import tempfile
import unittest

import daemon as daemons

sys.path.insert(0, str(daemons.ROOT / "examples/python"))
import stubs  # noqa: E402

GENERATED = tempfile.mkdtemp(prefix="posed-stubs-")
atexit.register(shutil.rmtree, GENERATED, ignore_errors=True)
stubs.generate(GENERATED)
sys.path.insert(0, GENERATED)

import grpc  # noqa: E402
from posed.v1 import catalog_service_pb2_grpc, server_service_pb2_grpc  # noqa: E402
from posed.v1 import session_service_pb2, session_service_pb2_grpc  # noqa: E402
from posed.v1 import image_pb2, synthesis_service_pb2_grpc  # noqa: E402

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
        """The message of a call that must fail with a code."""
        with self.assertRaises(grpc.RpcError) as caught:
            call(*arguments, **{"timeout": 60, **options})
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        return caught.exception.details()
