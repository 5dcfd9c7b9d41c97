"""Deadlines and cancellation, of single pictures and of streams, while their work is being done."""

import queue
import unittest

import grpc

from case import Case
from daemon import POSE
from posed.v1 import pose_pb2, synthesis_pb2
from posed.v1 import synthesis_service_pb2 as messages

CANCELLED = grpc.StatusCode.CANCELLED
DEADLINE_EXCEEDED = grpc.StatusCode.DEADLINE_EXCEEDED
EVALUATIONS = 200
# So large that 200 evaluations take seconds.
SIDE = 384


class Deadlines(Case):
    def request(self, **settings):
        return messages.SynthesizeRequest(
            session=self.session(), pose=pose_pb2.Pose(file=POSE.read_bytes()),
            settings=synthesis_pb2.SynthesisSettings(**settings))

    def long(self):
        """A request of many slow evaluations."""
        return self.request(nfe=EVALUATIONS, width=SIDE, height=SIDE)

    def stream(self, request, **options):
        """A stream that has begun, and the queue of what it sends: a pose, so far."""
        requests = queue.SimpleQueue()
        call = self.synthesis.StreamSynthesize(iter(requests.get, None), **options)
        self.addCleanup(requests.put, None)
        requests.put(messages.StreamSynthesizeRequest(start=messages.StreamStart(
            session=request.session, settings=request.settings)))
        requests.put(messages.StreamSynthesizeRequest(
            pose=messages.StreamPose(sequence=1, pose=request.pose)))
        self.assertEqual(next(call).WhichOneof("answer"), "started")
        return call

    def seconds(self, evaluations):
        """How long so many evaluations of the long request take here and now, once all is warm."""
        few = self.long()
        few.settings.nfe = 10
        for _ in range(2):
            solve = self.synthesis.Synthesize(few, timeout=60).frame.timings.solve
        return solve.ToMicroseconds() / 1e6 * evaluations / 10

    def under_way(self, before):
        """Waits until a frame is being computed."""
        return self.wait_for(
            lambda now: now.frames_running == 1 and now.batches >= before.batches + 3,
            "a frame is computed")

    def stopped(self, before):
        """The work that was begun since then has come to an end long before its own."""
        after = self.idle()
        self.assertEqual(after.frames_cancelled, before.frames_cancelled + 1)
        self.assertEqual(after.frames_completed, before.frames_completed)
        self.assertEqual(after.frames_failed, before.frames_failed)
        made = after.batches - before.batches
        self.assertGreaterEqual(made, 3)
        self.assertLess(made, EVALUATIONS * 3 // 4)
        self.succeeds()

    def test_a_deadline_ends_the_work(self):
        request, timeout = self.long(), self.seconds(EVALUATIONS // 4)
        before = self.idle()
        call = self.synthesis.Synthesize.future(request, timeout=timeout)
        self.under_way(before)
        self.assertEqual(call.code(), DEADLINE_EXCEEDED)
        self.stopped(before)

    def test_the_deadline_of_a_stream_ends_its_work(self):
        request, timeout = self.long(), self.seconds(EVALUATIONS // 4)
        before = self.idle()
        call = self.stream(request, timeout=timeout)
        self.under_way(before)
        with self.assertRaises(grpc.RpcError) as caught:
            next(call)
        self.assertEqual(caught.exception.code(), DEADLINE_EXCEEDED)
        self.stopped(before)

    def test_cancelling_ends_the_work(self):
        request = self.long()
        before = self.idle()
        call = self.synthesis.Synthesize.future(request)
        self.under_way(before)
        call.cancel()
        self.assertEqual(call.code(), CANCELLED)
        self.stopped(before)

    def test_cancelling_a_stream_ends_its_work(self):
        request = self.long()
        before = self.idle()
        call = self.stream(request)
        self.under_way(before)
        call.cancel()
        self.assertEqual(call.code(), CANCELLED)
        self.stopped(before)

    def test_a_deadline_that_has_passed_on_arrival_costs_nothing(self):
        request = self.long()
        before = self.idle()
        self.refused(DEADLINE_EXCEEDED, self.synthesis.Synthesize, request, timeout=0.0001)
        after = self.idle()
        self.assertLess(after.batches - before.batches, EVALUATIONS // 4)

    def test_the_next_request_is_served(self):
        request = self.request(nfe=3)
        for _ in range(10):
            self.synthesis.Synthesize.future(request).cancel()
        frame = self.synthesis.Synthesize(request, timeout=60).frame
        self.assertEqual(frame.used.nfe, 3)

    def test_a_deadline_that_is_kept_costs_nothing(self):
        frame = self.synthesis.Synthesize(self.request(nfe=2), timeout=60).frame
        self.assertTrue(frame.image.png)


if __name__ == "__main__":
    unittest.main()
