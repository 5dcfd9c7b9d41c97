"""Lost connections: the same session, the next sequence number, nothing asked twice."""

import threading
import time

import grpc
import pytest

from conftest import POSE, SOURCE, Line, poses
from posed_client import Client, NotFound, PoseQueue, Unavailable
from posed_client.retry import is_lost


class Failure(grpc.RpcError):
    """How a call ended."""

    def __init__(self, code, details):
        self.code, self.details = lambda: code, lambda: details


@pytest.mark.parametrize("code, details, lost", [
    (grpc.StatusCode.UNAVAILABLE, "", True),
    (grpc.StatusCode.CANCELLED, "Received RST_STREAM with error code 8", True),
    # A proxy whose daemon was killed ends a stream in the middle, without a status.
    (grpc.StatusCode.UNKNOWN, "Stream removed (Data frame with END_STREAM flag received)", True),
    (grpc.StatusCode.INTERNAL, "Internal error from Core", True),
    (grpc.StatusCode.UNKNOWN, "the solver failed", False),
    (grpc.StatusCode.CANCELLED, None, False),
    (grpc.StatusCode.NOT_FOUND, "Stream removed", False),
])
def test_a_call_that_was_cut_short_is_made_again(code, details, lost):
    assert is_lost(Failure(code, details)) is lost


def test_a_stream_goes_on_after_its_connection_was_cut(daemon, line):
    given = poses(40)
    with Client(daemon.address) as direct, direct.session(SOURCE, nfe=2) as whole:
        expected = [answer.frame.data for answer in whole.stream(given, seed=11)]
    with Client(line.address) as client, client.session(SOURCE, nfe=2) as session:
        got = []
        for answer in session.stream(given, seed=11):
            got.append(answer)
            if answer.sequence in (5, 17):
                line.cut()
        assert line.connections >= 3
        assert [answer.sequence for answer in got] == list(range(1, 41))
        assert [answer.frame.data for answer in got] == expected


def test_an_answered_pose_is_not_asked_again(daemon, line):
    queue, given = PoseQueue(), poses(10)
    with Client(daemon.address) as direct, Client(line.address) as client:
        with client.session(SOURCE, nfe=2) as session, session.stream(queue) as answers:
            before = direct.statistics().frames_completed
            for number, pose in enumerate(given, 1):
                queue.put(pose)
                assert next(answers).sequence == number
                line.cut()
            queue.close()
            assert list(answers) == []
            assert direct.statistics().frames_completed - before == len(given)


def test_a_seed_drawn_at_random_outlives_the_connection(line):
    with Client(line.address) as client, client.session(SOURCE, nfe=2) as session:
        seeds = set()
        for answer in session.stream(poses(12)):
            seeds.add(answer.frame.used.seed)
            if answer.sequence == 4:
                line.cut()
    assert len(seeds) == 1


def test_no_pose_is_lost_between_two_connections(line):
    queue, given = PoseQueue(), poses(6)
    with Client(line.address) as client, client.session(SOURCE, nfe=2) as session:
        with session.stream(queue) as answers:
            queue.put(given[0])
            assert next(answers).sequence == 1
            line.cut()
            for pose in given[1:]:
                queue.put(pose)
            queue.close()
            assert [answer.sequence for answer in answers] == [2, 3, 4, 5, 6]


def test_the_latest_pose_alone_is_asked_again_where_it_wins(line):
    queue = PoseQueue()
    with Client(line.address) as client, client.session(SOURCE, nfe=64) as session:
        with session.stream(queue, max_lag=10.0) as answers:
            for pose in poses(8):
                queue.put(pose)
            first = next(answers)
            assert first.sequence == 1
            time.sleep(0.2)
            line.cut()
            queue.close()
            rest = list(answers)
    assert [answer.sequence for answer in rest] == list(range(2, 9))
    assert rest[-1].frame
    for answer in rest:
        assert answer.frame or answer.superseded_by > answer.sequence


def test_a_connection_that_stays_lost_is_given_up(line):
    with Client(line.address, reconnect=0.5) as client:
        session = client.session(SOURCE, nfe=2)
        with pytest.raises(Unavailable):
            for _ in session.stream(iter(lambda: POSE, None)):
                line.is_broken = True
                line.cut()
        line.is_broken = False
        client.reconnect = 30
        session.close()


def test_a_session_is_made_once_however_often_it_is_asked_for(daemon, line):
    with Client(daemon.address) as direct, Client(line.address) as client:
        before = len(list(direct.sessions()))
        made = []
        for _ in range(5):
            threading.Timer(0.002, line.cut).start()
            made.append(client.session(SOURCE, nfe=2))
        assert len({session.name for session in made}) == 5
        assert len(list(direct.sessions())) == before + 5
        for session in made:
            session.close()


def test_calls_that_may_be_repeated_are(line):
    with Client(line.address) as client, client.session(SOURCE, nfe=2) as session:
        for _ in range(3):
            line.cut()
            assert session.synthesize(POSE, seed=1).used.seed == 1


def test_a_daemon_that_was_killed_and_started_again(own_daemon, tmp_path):
    line = Line(tmp_path / "line.sock", lambda: own_daemon.running.socket)

    def restart():
        own_daemon.again()
        line.is_broken = False

    with Client(line.address, reconnect=120) as client:
        session = client.session(SOURCE, nfe=2)
        got = []
        for answer in session.stream(poses(20), seed=3):
            got.append(answer)
            if answer.sequence == 5:
                line.is_broken = True
                own_daemon.kill()
                restarting = threading.Thread(target=restart)
                restarting.start()
        restarting.join()
        assert [answer.sequence for answer in got] == list(range(1, 21))
        assert all(answer.frame for answer in got)
        session.close()
        with pytest.raises(NotFound):
            client.open(session.name)
    line.close()
