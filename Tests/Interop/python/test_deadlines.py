"""Deadlines and cancellation of single pictures."""

import time
import unittest

import grpc

from case import Case
from daemon import POSE
from posed.v1 import pose_pb2, server_service_pb2, synthesis_pb2
from posed.v1 import synthesis_service_pb2 as messages


class Deadlines(Case):
    def request(self, **settings):
        return messages.SynthesizeRequest(
            session=self.session(), pose=pose_pb2.Pose(file=POSE.read_bytes()),
            settings=synthesis_pb2.SynthesisSettings(**settings))

    def idle(self):
        """Waits until the daemon has nothing to do."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            now = self.server.GetStatistics(server_service_pb2.GetStatisticsRequest(), timeout=60)
            if now.frames_running == 0 and now.frames_queued == 0:
                return now
        self.fail("the daemon still works")

    def test_a_deadline_ends_the_work(self):
        request = self.request(nfe=200)
        self.refused(grpc.StatusCode.DEADLINE_EXCEEDED, self.synthesis.Synthesize, request,
                     timeout=0.002)
        self.idle()

    def test_cancelling_ends_the_work(self):
        request = self.request(nfe=200)
        call = self.synthesis.Synthesize.future(request)
        call.cancel()
        self.assertEqual(call.code(), grpc.StatusCode.CANCELLED)
        self.idle()

    def test_the_next_request_is_served(self):
        request = self.request(nfe=2)
        for _ in range(10):
            self.synthesis.Synthesize.future(request).cancel()
        frame = self.synthesis.Synthesize(request, timeout=60).frame
        self.assertEqual(frame.used.nfe, 2)

    def test_a_deadline_that_is_kept_costs_nothing(self):
        frame = self.synthesis.Synthesize(self.request(nfe=2), timeout=60).frame
        self.assertTrue(frame.image.png)


if __name__ == "__main__":
    unittest.main()
