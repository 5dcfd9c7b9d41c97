"""The bidirectional stream."""

import queue
import threading
import time
import unittest

import grpc

from case import UNKNOWN_SESSION, Case
from daemon import POSE
from google.protobuf import duration_pb2
from posed.v1 import image_pb2, pose_pb2, server_service_pb2, synthesis_pb2
from posed.v1 import synthesis_service_pb2 as messages

SETTINGS = synthesis_pb2.SynthesisSettings(
    nfe=2, seed=1, image_format=image_pb2.IMAGE_FORMAT_RAW_RGB8)


def start(session, **fields):
    return messages.StreamSynthesizeRequest(
        start=messages.StreamStart(session=session, **{"settings": SETTINGS, **fields}))


def pose(sequence, **fields):
    content = {"pose": pose_pb2.Pose(file=POSE.read_bytes()), **fields}
    return messages.StreamSynthesizeRequest(
        pose=messages.StreamPose(sequence=sequence, **content))


class Streams(Case):
    def answers(self, *requests, timeout=60):
        return list(self.synthesis.StreamSynthesize(iter(requests), timeout=timeout))

    def test_every_pose_has_its_answer_in_order(self):
        answers = self.answers(start(self.session()), *(pose(number) for number in range(1, 21)))
        self.assertEqual([answer.sequence for answer in answers], list(range(21)))
        self.assertEqual(answers[0].WhichOneof("answer"), "started")
        self.assertEqual(answers[0].started.settings.seed, 1)
        pictures = {answer.frame.image.raw.rgb for answer in answers[1:]}
        self.assertEqual(len(pictures), 1)

    def test_a_conversation_goes_back_and_forth(self):
        requests = queue.SimpleQueue()
        call = self.synthesis.StreamSynthesize(iter(requests.get, None), timeout=60)
        requests.put(start(self.session()))
        self.assertEqual(next(call).WhichOneof("answer"), "started")
        for number in range(1, 6):
            requests.put(pose(number))
            self.assertEqual(next(call).sequence, number)
        requests.put(None)
        self.assertEqual(list(call), [])
        self.assertEqual(call.code(), grpc.StatusCode.OK)

    def test_a_bad_pose_is_its_own_error(self):
        answers = self.answers(
            start(self.session()), pose(1), pose(1), pose(3, pose=pose_pb2.Pose(file=b"{")),
            messages.StreamSynthesizeRequest(), pose(4, settings=synthesis_pb2.SynthesisSettings(nfe=0)),
            pose(5))
        events = [(answer.sequence, answer.WhichOneof("answer")) for answer in answers]
        self.assertEqual(events, [(0, "started"), (1, "frame"), (1, "error"), (3, "error"),
                                  (0, "error"), (4, "error"), (5, "frame")])
        for answer in answers:
            if answer.WhichOneof("answer") == "error":
                self.assertEqual(answer.error.code, 3, answer.error.message)

    def test_the_latest_pose_wins(self):
        slow = synthesis_pb2.SynthesisSettings(nfe=64, image_format=image_pb2.IMAGE_FORMAT_RAW_RGB8)
        answers = self.answers(
            start(self.session(), settings=slow, max_lag=duration_pb2.Duration()),
            *(pose(number) for number in range(1, 31)))
        self.assertEqual([answer.sequence for answer in answers], list(range(31)))
        superseded = [answer for answer in answers if answer.WhichOneof("answer") == "superseded"]
        self.assertTrue(superseded)
        for answer in superseded:
            self.assertGreater(answer.superseded.superseded_by, answer.sequence)
        self.assertEqual(answers[-1].WhichOneof("answer"), "frame")

    def test_streams_begin_with_their_start(self):
        for requests in ([], [pose(1)], [messages.StreamSynthesizeRequest()]):
            self.assertIn("start: expected as the first message of a stream", self.refused(
                grpc.StatusCode.INVALID_ARGUMENT, self.answers, *requests))
        name = self.session()
        self.assertIn("start: expected once, at the beginning of a stream, got another", self.refused(
            grpc.StatusCode.INVALID_ARGUMENT, self.answers, start(name), pose(1), start(name)))

    def test_streams_have_a_session(self):
        self.assertIn("start.session: expected a name `sessions/…`, got nothing", self.refused(
            grpc.StatusCode.INVALID_ARGUMENT, self.answers, start(""), pose(1)))
        self.refused(grpc.StatusCode.NOT_FOUND, self.answers, start(UNKNOWN_SESSION), pose(1))

    def test_many_streams_at_a_time(self):
        name = self.session()
        results = {}

        def stream(index):
            requests = [start(name)] + [pose(number) for number in range(1, 11)]
            with self.daemon.channel() as channel:
                stub = type(self.synthesis)(channel)
                results[index] = list(stub.StreamSynthesize(iter(requests), timeout=120))

        threads = [threading.Thread(target=stream, args=(index,)) for index in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(results), list(range(6)))
        pictures = {answer.frame.image.raw.rgb for answers in results.values()
                    for answer in answers[1:]}
        self.assertEqual(len(pictures), 1)

    def test_a_client_that_does_not_read_is_not_worked_for(self):
        large = synthesis_pb2.SynthesisSettings(
            solver="euler", nfe=1, width=256, height=256,
            image_format=image_pb2.IMAGE_FORMAT_RAW_RGB8)
        count = 120
        before = self.server.GetStatistics(server_service_pb2.GetStatisticsRequest())
        call = self.synthesis.StreamSynthesize(
            iter([start(self.session(), settings=large), *map(pose, range(1, count + 1))]))
        self.assertEqual(next(call).WhichOneof("answer"), "started")
        # However long nobody reads, only so many frames are made ahead.
        made, same = 0, 0
        while same < 20:
            now = self.server.GetStatistics(server_service_pb2.GetStatisticsRequest())
            done = now.frames_completed - before.frames_completed
            self.assertLess(done, count)
            made, same = done, same + 1 if done == made and done > 0 else 0
            time.sleep(0.05)
        answers = [answer.sequence for answer in call]
        self.assertEqual(answers, list(range(1, count + 1)))

    def test_a_client_that_hangs_up_stops_its_work(self):
        # Each of its evaluations is slow; all of them would take minutes.
        busy = synthesis_pb2.SynthesisSettings(nfe=200, width=384, height=384)
        poses = 59
        requests = [start(self.session(), settings=busy), *map(pose, range(1, poses + 1))]
        before = self.idle()
        call = self.synthesis.StreamSynthesize(iter(requests))
        next(call)
        busy_now = self.wait_for(
            lambda now: now.frames_running >= 1 and now.batches >= before.batches + 3
            and now.frames_running + now.frames_queued > 1, "frames are computed and wait")
        self.assertEqual(busy_now.open_streams, 1)
        call.cancel()
        after = self.idle()
        self.assertGreaterEqual(after.frames_cancelled - before.frames_cancelled, 2)
        self.assertLessEqual(after.frames_cancelled - before.frames_cancelled, poses)
        self.assertEqual(after.frames_completed, before.frames_completed)
        self.assertLess(after.batch_rows - before.batch_rows, poses * 200 // 10)
        self.succeeds()


if __name__ == "__main__":
    unittest.main()
