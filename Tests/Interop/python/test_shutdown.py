"""Stopping a daemon that has its hands full."""

import os
import signal
import threading
import time
import unittest

import grpc

import daemon as daemons
from daemon import POSE, SOURCE
from posed.v1 import image_pb2, pose_pb2, server_service_pb2, server_service_pb2_grpc
from posed.v1 import session_service_pb2, session_service_pb2_grpc, synthesis_pb2
from posed.v1 import synthesis_service_pb2 as messages, synthesis_service_pb2_grpc

STREAMS, POSES, SINGLES = 3, 12, 6


class Client(threading.Thread):
    """A call in flight: how many answers it got, and how it ended."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.answers, self.code, self.details = call, 0, None, ""
        self.started = threading.Event()
        self.start()


class Single(Client):
    def run(self):
        try:
            self.answers = 1 if self.call.result().frame.image.raw.rgb else 0
            self.code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            self.code, self.details = error.code(), error.details()


class Stream(Client):
    def run(self):
        try:
            for event in self.call:
                if event.WhichOneof("answer") == "frame":
                    self.answers += 1
                    assert event.sequence == self.answers, "an answer is missing"
                else:
                    assert event.WhichOneof("answer") == "started", event
                    self.started.set()
            self.code = grpc.StatusCode.OK
        except grpc.RpcError as error:
            self.code, self.details = error.code(), error.details()


class Shutdown(unittest.TestCase):
    def begin(self, nfe, **settings):
        """A daemon that works at streams and single pictures, all accepted."""
        self.daemon = daemons.Daemon(settings)
        self.addCleanup(self.daemon.discard)
        channel = self.daemon.channel()
        self.addCleanup(channel.close)
        name = session_service_pb2_grpc.SessionServiceStub(channel).CreateSession(
            session_service_pb2.CreateSessionRequest(
                sources=[image_pb2.Image(png=SOURCE.read_bytes())]), timeout=60).name
        self.server = server_service_pb2_grpc.ServerServiceStub(channel)
        self.synthesis = synthesis_service_pb2_grpc.SynthesisServiceStub(channel)
        self.request = messages.SynthesizeRequest(
            session=name, pose=pose_pb2.Pose(file=POSE.read_bytes()),
            settings=synthesis_pb2.SynthesisSettings(
                nfe=nfe, image_format=image_pb2.IMAGE_FORMAT_RAW_RGB8))
        poses = [messages.StreamSynthesizeRequest(start=messages.StreamStart(
            session=name, settings=self.request.settings))]
        poses += [messages.StreamSynthesizeRequest(pose=messages.StreamPose(
            sequence=number, pose=self.request.pose)) for number in range(1, POSES + 1)]
        self.streams = [Stream(self.synthesis.StreamSynthesize(iter(poses))) for _ in range(STREAMS)]
        self.singles = [Single(self.synthesis.Synthesize.future(self.request)) for _ in range(SINGLES)]
        end = time.monotonic() + 60
        while time.monotonic() < end:
            now = self.server.GetStatistics(server_service_pb2.GetStatisticsRequest(), timeout=60)
            accepted = now.frames_completed + now.frames_running + now.frames_queued
            if now.open_streams == STREAMS and accepted >= SINGLES + STREAMS:
                return accepted
        self.fail(f"the daemon did not take the calls: {now}")

    def answers(self):
        """What the clients got in the end."""
        for client in self.streams + self.singles:
            client.join(60)
            self.assertFalse(client.is_alive(), "a call did not end")
        return sum(client.answers for client in self.streams + self.singles)

    def test_sigterm_loses_no_accepted_frame(self):
        accepted = self.begin(nfe=64)
        self.daemon.process.send_signal(signal.SIGTERM)
        answers = self.answers()
        self.assertEqual(self.daemon.process.wait(60), 0, self.daemon.read_log())
        self.assertGreaterEqual(answers, accepted)
        for client in self.singles:
            self.assertEqual((client.code, client.answers), (grpc.StatusCode.OK, 1), client.details)
        for client in self.streams:
            # Poses that the daemon did not take are told so by the end of their stream.
            complete = client.answers == POSES and client.code == grpc.StatusCode.OK
            cut = client.code == grpc.StatusCode.UNAVAILABLE and "shutting down" in client.details
            self.assertTrue(complete or cut, f"{client.answers}: {client.code} {client.details}")
        log = self.daemon.read_log()
        self.assertIn("SIGTERM; draining", log)
        self.assertIn("Drained; every accepted frame was answered", log)
        self.assertFalse(os.path.exists(self.daemon.socket) and self.reachable())

    def test_calls_that_come_later_are_refused(self):
        self.begin(nfe=200)
        self.daemon.process.send_signal(signal.SIGTERM)
        # The connection was told to go; what is asked for on it or a new one finds nobody.
        end = time.monotonic() + 60
        code = None
        while code != grpc.StatusCode.UNAVAILABLE and time.monotonic() < end:
            try:
                self.server.GetStatistics(server_service_pb2.GetStatisticsRequest(), timeout=60)
            except grpc.RpcError as error:
                code = error.code()
        self.assertEqual(code, grpc.StatusCode.UNAVAILABLE)
        self.answers()
        self.assertEqual(self.daemon.process.wait(60), 0, self.daemon.read_log())

    def test_a_drain_time_that_is_too_short_says_what_it_cost(self):
        self.begin(nfe=200, **{"shutdown.drainTimeout": "1ms"})
        self.daemon.process.send_signal(signal.SIGTERM)
        self.answers()
        self.assertEqual(self.daemon.process.wait(60), 75, self.daemon.read_log())
        lost = [client for client in self.streams + self.singles
                if client.code == grpc.StatusCode.UNAVAILABLE]
        self.assertTrue(lost)
        self.assertRegex(
            self.daemon.read_log(),
            r"The drain time ran out; [1-9][0-9]* accepted frames and [1-9][0-9]* calls were given up")

    def reachable(self):
        """Whether anybody answers on the socket."""
        try:
            self.server.GetStatistics(server_service_pb2.GetStatisticsRequest(), timeout=5)
            return True
        except grpc.RpcError:
            return False


if __name__ == "__main__":
    unittest.main()
