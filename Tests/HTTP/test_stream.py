"""Live streams over a WebSocket."""

import json
import unittest

from service import POSE, TOKEN, Service
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


class StreamTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.session = cls.service.session()

    @classmethod
    def tearDownClass(cls):
        cls.service.stop()

    def open(self, query="nfe=1&solver=euler", session=None, token=TOKEN, **more):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return connect(
            f"ws://127.0.0.1:{self.service.api}/v1/{session or self.session}/stream?{query}",
            additional_headers=headers, max_size=1 << 24, **more)

    def pose(self, sequence, **more):
        return json.dumps({"sequence": sequence, "pose": json.loads(POSE.read_text()), **more})

    def test_each_pose_has_one_answer_in_its_turn(self):
        with self.open("nfe=1&solver=euler&format=png&max_lag_ms=60000") as stream:
            for number in range(1, 6):
                stream.send(self.pose(number, settings={"seed": "7"}))
            for number in range(1, 6):
                told = json.loads(stream.recv(60))
                self.assertEqual(told["sequence"], number)
                self.assertEqual(told["frame"]["used"]["nfe"], 1)
                self.assertTrue(stream.recv(60).startswith(b"\x89PNG"))

    def test_the_latest_pose_wins(self):
        with self.open("nfe=8") as stream:
            for number in range(1, 41):
                stream.send(self.pose(number))
            answers = []
            while len(answers) < 40:
                message = stream.recv(60)
                if isinstance(message, str):
                    answers.append(json.loads(message))
            self.assertEqual([answer["sequence"] for answer in answers], list(range(1, 41)))
            self.assertIn("frame", answers[-1])
            self.assertTrue(any("superseded" in answer for answer in answers))

    def test_a_bad_pose_leaves_the_stream_alive(self):
        with self.open() as stream:
            stream.send(json.dumps({"sequence": 1, "pose": [[1, 2]]}))
            told = json.loads(stream.recv(60))
            self.assertEqual(told["sequence"], 1)
            self.assertIn("joint", told["error"]["message"])
            stream.send(self.pose(2))
            self.assertEqual(json.loads(stream.recv(60))["sequence"], 2)

    def test_messages_that_are_no_poses(self):
        for text in ["{", "[]", "{}", json.dumps({"sequence": "x", "pose": []})]:
            with self.open() as stream:
                stream.send(text)
                try:
                    told = json.loads(stream.recv(60))
                    self.assertIn("error", told)
                except ConnectionClosed as closed:
                    self.assertIn(closed.rcvd.code, (4400,))

    def test_bytes_in_place_of_a_text(self):
        with self.open() as stream, self.assertRaises(ConnectionClosed) as closed:
            stream.send(b"bytes")
            stream.recv(60)
        self.assertEqual(closed.exception.rcvd.code, 4415)
        self.assertIn("text", closed.exception.rcvd.reason)

    def test_a_message_in_fragments(self):
        text = self.pose(1)
        with self.open() as stream:
            stream.send(text[place:place + 7] for place in range(0, len(text), 7))
            self.assertIn("frame", json.loads(stream.recv(60)))
        with self.open() as stream, self.assertRaises(ConnectionClosed) as closed:
            stream.send("x" * (1 << 16) for _ in range(100))
            stream.recv(60)
        self.assertEqual(closed.exception.rcvd.code, 4413)

    def test_who_may_open_one(self):
        for more in [{"token": None}, {"token": "wrong"}]:
            with self.open(**more) as stream, self.assertRaises(ConnectionClosed) as closed:
                stream.recv(60)
            self.assertEqual(closed.exception.rcvd.code, 4401)
        with self.open(token=None, origin="http://evil.example") as stream, \
                self.assertRaises(ConnectionClosed) as closed:
            stream.recv(60)
        self.assertEqual(closed.exception.rcvd.code, 4403)

    def test_a_session_that_is_not_there(self):
        with self.open(session="sessions/nobody") as stream:
            with self.assertRaises(ConnectionClosed) as closed:
                stream.recv(60)
            self.assertEqual(closed.exception.rcvd.code, 4404)

    def test_a_message_that_is_too_long(self):
        with self.open() as stream:
            with self.assertRaises(ConnectionClosed):
                stream.send("x" * (2 << 20))
                stream.recv(60)


if __name__ == "__main__":
    unittest.main()
