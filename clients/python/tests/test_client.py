"""Sessions, pictures and streams of the synchronous client."""

import gc
import io
import time

import numpy
import pytest
from PIL import Image

from conftest import POSE, SOURCE, poses
from posed_client import (
    Aborted, AlreadyExists, Client, InvalidArgument, NotFound, PoseQueue, Unavailable, keypoints, requests)
from posed.v1 import pose_pb2


@pytest.fixture
def posed(daemon):
    with Client(daemon.address) as client:
        yield client


@pytest.fixture
def person(posed):
    with posed.session(SOURCE, nfe=2, seed=7, name="test") as session:
        yield session


def test_a_session_lives_as_long_as_its_with(posed):
    with posed.session(SOURCE, nfe=2, ttl=60) as session:
        assert session.name.startswith("sessions/")
        assert session.message.ttl.seconds == 60
        assert session.name in [other.name for other in posed.sessions()]
        with posed.open(session.name.split("/")[1]) as same:
            assert same.name == session.name
        # What was opened by name is not ended.
        assert session.refresh().name == session.name
    with pytest.raises(NotFound) as caught:
        posed.open(session.name)
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.request_id
    session.close()


def test_an_error_in_a_with_is_not_hidden_by_a_lost_daemon(line):
    with Client(line.address, reconnect=20) as client:
        with pytest.raises(KeyError):
            with client.session(SOURCE):
                line.close()
                raise KeyError("mine")


def test_a_session_may_have_an_id_of_the_callers(posed):
    with posed.session(SOURCE, id="studio-1") as session:
        assert session.name == "sessions/studio-1"
        with pytest.raises(AlreadyExists):
            posed.session(SOURCE, id="studio-1")
    with pytest.raises(InvalidArgument) as caught:
        posed.session(SOURCE, id="Studio 1")
    assert caught.value.field == "session_id"


def test_an_update_does_not_undo_anothers(posed, person):
    with posed.open(person.name) as same:
        person.update(display_name="mine")
        with pytest.raises(Aborted):
            same.update(display_name="theirs")
        same.refresh()
        assert same.update(display_name="theirs").display_name == "theirs"


def test_updates_change_what_is_given(person):
    assert person.update(display_name="other", ttl=90).display_name == "other"
    assert person.message.ttl.seconds == 90
    assert person.message.default_settings.nfe == 2
    assert person.update(nfe=5).default_settings.nfe == 5
    assert person.synthesize(POSE).used.nfe == 5


def test_pictures_of_every_kind_are_the_same_person(posed):
    pixels = numpy.asarray(Image.open(SOURCE).convert("RGB"))
    frames = []
    for picture in (SOURCE, str(SOURCE), SOURCE.read_bytes(), pixels, Image.open(SOURCE)):
        frames.append(posed.synthesize([picture], POSE, nfe=2, seed=7).data)
    assert len(set(frames)) == 1


@pytest.mark.parametrize("picture, words", [
    (numpy.zeros((8, 8)), "expected an array [H, W, 3] of uint8, got [8, 8] of float64"),
    (numpy.zeros((8, 8, 4), "uint8"), "got [8, 8, 4] of uint8"), (7, "got int")])
def test_what_is_no_picture_is_refused_at_once(posed, picture, words):
    with pytest.raises(ValueError, match="picture: ") as caught:
        posed.session(picture)
    assert words in str(caught.value)


def test_a_session_needs_a_picture(posed):
    with pytest.raises(ValueError, match="at least one picture"):
        posed.session()


def test_frames_are_files_arrays_and_pictures(person, tmp_path):
    png = person.synthesize(POSE)
    raw = person.synthesize(POSE, image_format="raw")
    assert raw.is_raw and not png.is_raw
    assert numpy.array_equal(png.array(), raw.array())
    assert png.array().shape == (png.used.height, png.used.width, 3)
    assert numpy.array_equal(numpy.asarray(raw.image()), raw.array())
    assert png.cache.source and png.timings.total.ToNanoseconds() > 0
    assert "seed=7" in repr(png)
    for name, frame in (("a.png", png), ("b.png", raw)):
        frame.save(tmp_path / name)
        assert numpy.array_equal(numpy.asarray(Image.open(tmp_path / name)), raw.array())
    png.save(tmp_path / "c.jpg")
    assert Image.open(tmp_path / "c.jpg").format == "JPEG"


def test_transparent_and_turned_pictures_are_flattened():
    clear = Image.new("RGBA", (4, 2), (0, 0, 0, 0))
    assert set(requests.image(clear).raw.rgb) == {255}
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (4, 2)).save(file, "JPEG", exif=exif)
    message = requests.image(Image.open(file)).raw
    assert (message.width, message.height) == (2, 4)


def test_poses_of_every_kind(person):
    joints = poses(1)[0]
    message = pose_pb2.Pose(keypoints=pose_pb2.Keypoints(
        joints=[pose_pb2.Keypoint(x=x, y=y) for x, y in joints], space=pose_pb2.COORDINATE_SPACE_PIXELS))
    expected = person.synthesize(joints).data
    shares = keypoints([(x / 64, y / 64) for x, y in joints], normalized=True)
    larger = keypoints([(2 * x, 2 * y) for x, y in joints], canvas=(128, 128))
    for pose in (numpy.array(joints), [(x, y, 1.0) for x, y in joints], message, shares, larger):
        assert person.synthesize(pose).data == expected
    assert person.synthesize(poses(2)[1]).data != expected
    hand = [(20 + index, 30) for index in range(21)]
    assert person.synthesize(keypoints(joints, left_hand=hand, right_hand=hand)).data
    with pytest.raises(ValueError, match="left_hand: expected 21 points, got 20"):
        keypoints(joints, left_hand=hand[1:])
    with pytest.raises(ValueError, match="got both"):
        keypoints(joints, canvas=(128, 128), normalized=True)
    assert person.synthesize(POSE).data == person.synthesize(POSE.read_bytes()).data


@pytest.mark.parametrize("pose", [[(0.1, 0.2)] * 19, [(0.1,)] * 18, [("a", "b")] * 18])
def test_what_is_no_pose_is_refused_at_once(person, pose):
    with pytest.raises(ValueError):
        person.synthesize(pose)


def test_a_picture_of_another_aspect_is_cropped(posed):
    square = numpy.asarray(Image.open(SOURCE).convert("RGB").crop((0, 7, 75, 82)))
    wide = numpy.hstack([square[:, ::-1], square, square[:, ::-1]])
    plain, cropped = (posed.synthesize([picture], POSE, fit=fit, seed=1, nfe=1).array()
                      for picture, fit in ((square, ""), (wide, "crop")))
    assert (plain == cropped).all()
    with posed.session(wide, fit="crop") as person:
        assert (person.synthesize(POSE, seed=1, nfe=1).array() == plain).all()
    with pytest.raises(ValueError, match="stretch, crop or pad"):
        posed.session(square, fit="fill")


def test_poses_are_fitted_to_the_person(posed, person):
    fitted = person.synthesize(POSE, retarget_to=POSE, seed=1, nfe=1)
    alone = posed.synthesize([SOURCE], POSE, retarget_to=POSE, seed=1, nfe=1)
    assert (fitted.array() == alone.array()).all()
    assert all(answer.frame for answer in person.stream(poses(3), retarget_to=POSE, smooth=1.0, nfe=1))
    with pytest.raises(InvalidArgument, match="retarget_to"):
        person.synthesize(POSE, retarget_to=Image.new("RGB", (8, 8)))


def test_refusals_say_the_field(person):
    with pytest.raises(InvalidArgument) as caught:
        person.synthesize(POSE, nfe=0)
    assert caught.value.message.startswith("settings.nfe: ")
    assert caught.value.field == "settings.nfe" and caught.value.retry_after is None
    error = list(person.stream([b"nothing"]))[0].error
    assert error.field.startswith("pose") and error.message.startswith(error.field)
    with pytest.raises(ValueError, match="guidance: there is no such setting; there are "):
        person.synthesize(POSE, guidance=1)
    with pytest.raises(ValueError, match="settings: "):
        person.synthesize(POSE, nfe="many")


def test_the_catalog_and_the_server(posed):
    assert [model.default_model for model in posed.models()] == [True]
    assert "euler" in [solver.name for solver in posed.solvers()]
    assert "blas" in [backend.name for backend in posed.backends()]
    assert posed.info().identity.startswith("unix:")
    before = posed.statistics().frames_completed
    posed.synthesize([SOURCE], POSE, nfe=1)
    assert posed.statistics().frames_completed > before


def test_every_pose_of_a_stream_has_its_answer(person):
    good = poses(3)
    answers = list(person.stream([good[0], b"nothing", good[1], POSE]))
    assert [answer.sequence for answer in answers] == [1, 2, 3, 4]
    assert isinstance(answers[1].error, InvalidArgument) and answers[1].frame is None
    assert answers[0].frame.data == person.synthesize(good[0]).data
    assert list(person.stream([])) == []


def test_the_latest_pose_wins(person):
    answers = list(person.stream(poses(30), max_lag=0.0, nfe=64))
    assert [answer.sequence for answer in answers] == list(range(1, 31))
    passed = [answer for answer in answers if answer.superseded_by]
    assert passed and all(answer.superseded_by > answer.sequence for answer in passed)
    assert answers[-1].frame


def test_a_stream_may_be_left(posed, person):
    endless = iter(lambda: POSE, None)
    for answer in person.stream(endless):
        if answer.sequence == 3:
            break
    with person.stream(endless) as answers:
        assert next(answers).sequence == 1
    assert list(answers) == []
    gc.collect()
    for _ in range(100):
        if posed.statistics().open_streams == 0:
            return
        time.sleep(0.1)
    raise AssertionError("the streams that were left are still open")


def test_poses_of_another_thread(person):
    queue = PoseQueue()
    with person.stream(queue) as answers:
        for number, pose in enumerate(poses(4), 1):
            queue.put(pose)
            assert next(answers).sequence == number
        queue.close()
        assert list(answers) == []


def test_what_goes_wrong_with_the_poses_is_raised_after_the_answers(person):
    def broken():
        yield POSE
        yield POSE
        raise KeyError("camera")

    seen = []
    with pytest.raises(KeyError, match="camera"):
        for answer in person.stream(broken()):
            seen.append(answer.sequence)
    assert seen == [1, 2]
    seen.clear()
    with pytest.raises(ValueError, match="pose: expected "):
        for answer in person.stream([POSE, [(1, 2)], POSE]):
            seen.append(answer.sequence)
    assert seen == [1]


def test_a_stream_of_nobody(posed):
    with posed.session(SOURCE) as session:
        pass
    with pytest.raises(NotFound):
        list(session.stream([POSE]))


def test_nobody_answers(tmp_path):
    with Client(f"unix:{tmp_path}/nowhere.sock", reconnect=0.2) as client:
        with pytest.raises(Unavailable):
            client.info()
        with pytest.raises(Unavailable):
            client.wait_until_ready(0.3)


def test_waiting_for_a_daemon(posed):
    posed.wait_until_ready(5)
