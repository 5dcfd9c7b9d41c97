"""The client for asyncio: what differs from the synchronous one, and that the rest is there."""

import asyncio
import inspect

import pytest

from conftest import POSE, SOURCE, poses
from posed_client import (
    AsyncClient, AsyncSession, Client, InvalidArgument, NotFound, Session, Unavailable)


def run(test):
    """A test that runs in an event loop of its own."""
    def call(**fixtures):
        asyncio.run(asyncio.wait_for(test(**fixtures), 120))
    call.__name__ = test.__name__
    call.__signature__ = inspect.signature(test)
    return call


def test_both_clients_have_the_same_methods():
    for one, other in ((Client, AsyncClient), (Session, AsyncSession)):
        for name, method in inspect.getmembers(one, inspect.isfunction):
            if not name.startswith("_"):
                twin = getattr(other, name)
                assert [*inspect.signature(method).parameters] == [*inspect.signature(twin).parameters], name
    assert [*inspect.signature(Client).parameters] == [*inspect.signature(AsyncClient).parameters]


@run
async def test_sessions_pictures_and_what_the_daemon_has(daemon):
    async with AsyncClient(daemon.address) as posed:
        await posed.wait_until_ready(10)
        async with posed.session(SOURCE, nfe=2, seed=7) as person:
            frame = await person.synthesize(POSE)
            assert frame.used.seed == 7
            assert frame.data == (await posed.synthesize([SOURCE], POSE, nfe=2, seed=7)).data
            assert person.name in [session.name async for session in posed.sessions()]
            assert (await person.update(nfe=3)).default_settings.nfe == 3
            assert (await person.refresh()).name == person.name
            async with await posed.open(person.name) as same:
                assert same.name == person.name
            with pytest.raises(InvalidArgument):
                await person.synthesize(POSE, nfe=0)
        with pytest.raises(NotFound):
            await posed.open(person.name)
        assert (await posed.info()).identity.startswith("unix:")
        assert await posed.models() and await posed.solvers() and await posed.backends()
        assert (await posed.statistics()).frames_completed > 0
        session = posed.session(SOURCE)
        with pytest.raises(ValueError, match="not made yet"):
            print(session.name)
        await (await session.start()).close()


@run
async def test_streams_of_asynchronous_and_ordinary_poses(daemon):
    async def walk():
        for pose in poses(3):
            await asyncio.sleep(0)
            yield pose

    async with AsyncClient(daemon.address) as posed, posed.session(SOURCE, nfe=2, seed=1) as person:
        one = [answer.frame.data async for answer in person.stream(walk())]
        other = [answer.frame.data async for answer in person.stream(poses(3))]
        assert one == other and len(one) == 3
        answers = [answer async for answer in person.stream([POSE, b"nothing", POSE])]
        assert [answer.error is None for answer in answers] == [True, False, True]


@run
async def test_a_stream_may_be_left_and_cancelled(daemon):
    async with AsyncClient(daemon.address) as posed, posed.session(SOURCE, nfe=2) as person:
        async with person.stream(iter(lambda: POSE, None)) as answers:
            assert (await answers.__anext__()).sequence == 1

        async def for_ever():
            async for _ in person.stream(iter(lambda: POSE, None)):
                pass

        task = asyncio.ensure_future(for_ever())
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            if (await posed.statistics()).open_streams == 0:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the streams that were left are still open")


@run
async def test_what_goes_wrong_with_the_poses_is_raised_after_the_answers(daemon):
    async def broken():
        yield POSE
        raise KeyError("camera")

    async with AsyncClient(daemon.address) as posed, posed.session(SOURCE, nfe=2) as person:
        seen = []
        with pytest.raises(KeyError):
            async for answer in person.stream(broken()):
                seen.append(answer.sequence)
        assert seen == [1]


@run
async def test_a_stream_goes_on_after_its_connection_was_cut(line):
    async with AsyncClient(line.address) as posed, posed.session(SOURCE, nfe=2) as person:
        got = []
        async for answer in person.stream(poses(30)):
            got.append(answer)
            if answer.sequence in (5, 17):
                line.cut()
        assert [answer.sequence for answer in got] == list(range(1, 31))
        assert len({answer.frame.used.seed for answer in got}) == 1
        assert line.connections >= 3


@run
async def test_no_pose_is_lost_between_two_connections(line):
    queue, given = asyncio.Queue(), poses(6)

    async def walk():
        while (pose := await queue.get()) is not None:
            yield pose

    async with AsyncClient(line.address) as posed, posed.session(SOURCE, nfe=2) as person:
        async with person.stream(walk()) as answers:
            await queue.put(given[0])
            assert (await answers.__anext__()).sequence == 1
            line.cut()
            for pose in given[1:]:
                await queue.put(pose)
            await queue.put(None)
            assert [answer.sequence async for answer in answers] == [2, 3, 4, 5, 6]


@run
async def test_a_connection_that_stays_lost_is_given_up(line):
    async with AsyncClient(line.address, reconnect=0.5) as posed:
        session = await posed.session(SOURCE, nfe=2).start()
        with pytest.raises(Unavailable):
            async for _ in session.stream(iter(lambda: POSE, None)):
                line.is_broken = True
                line.cut()
