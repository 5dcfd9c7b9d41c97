"""The client for asyncio. It has what the synchronous one has, with `async` and `await` where work is waited for."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, AsyncIterable, AsyncIterator, Deque, Iterable, List, Optional, Union

import grpc
import grpc.aio

from posed.v1 import (
    catalog_service_pb2 as catalog, catalog_service_pb2_grpc, server_service_pb2 as server,
    server_service_pb2_grpc, session_service_pb2 as sessions, session_service_pb2_grpc,
    synthesis_service_pb2 as synthesis, synthesis_service_pb2_grpc)
from posed_client import health, requests
from posed_client.conversation import Conversation
from posed_client.endpoint import Endpoint, PathLike
from posed_client.errors import NotFound, PosedError, Unavailable
from posed_client.frames import Answer, Frame
from posed_client.requests import Picture, PoseLike
from posed_client.retry import Retry

Poses = Union[Iterable[PoseLike], AsyncIterable[PoseLike]]


class AsyncClient:
    """A connection to a daemon, for one event loop; to be closed, or used in an `async with`."""

    def __init__(self, address: Optional[str] = None, *, token: Optional[str] = None,
                 token_file: Optional[PathLike] = None, tls: Optional[bool] = None,
                 ca: Optional[PathLike] = None, cert: Optional[PathLike] = None,
                 key: Optional[PathLike] = None, server_name: Optional[str] = None,
                 timeout: float = 60.0, reconnect: float = 30.0):
        """The arguments are those of `Client`. Must be called where the event loop runs."""
        self._endpoint = Endpoint.make(address, token=token, token_file=token_file, tls=tls, ca=ca, cert=cert,
                                       key=key, server_name=server_name)
        self.timeout = timeout
        self.reconnect = reconnect
        target, options = self._endpoint.target, self._endpoint.options
        if self._endpoint.credentials is not None:
            self._channel = grpc.aio.secure_channel(target, self._endpoint.credentials, options=options)
        else:
            self._channel = grpc.aio.insecure_channel(target, options=options)
        self._sessions = session_service_pb2_grpc.SessionServiceStub(self._channel)
        self._synthesis = synthesis_service_pb2_grpc.SynthesisServiceStub(self._channel)
        self._catalog = catalog_service_pb2_grpc.CatalogServiceStub(self._channel)
        self._server = server_service_pb2_grpc.ServerServiceStub(self._channel)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self._endpoint.target!r})"

    async def close(self) -> None:
        """Closes the connection; calls under way end."""
        await self._channel.close()

    async def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Waits for a daemon that is still starting. Raises Unavailable when time is up."""
        end = time.monotonic() + timeout
        check = health.method(self._channel)
        while True:
            try:
                if await check(b"", timeout=max(0.1, end - time.monotonic()), wait_for_ready=True):
                    return
                problem = Unavailable("UNAVAILABLE", "the daemon is ending")
            except grpc.RpcError as failure:
                problem = Unavailable("UNAVAILABLE", f"the daemon did not begin to serve: {failure.details()}")
            if time.monotonic() >= end:
                raise problem
            await asyncio.sleep(0.1)

    # Sessions

    def session(self, *pictures: Picture, name: str = "", id: str = "", model: str = "", fit: str = "",
                ttl: Optional[float] = None, **settings: Any) -> "AsyncSession":
        """A session of pictures of a person, made by `async with` or by `await …start()`; see `Client.session`."""
        request = requests.create_session(pictures, name=name, id=id, model=model, fit=fit, ttl=ttl,
                                          values=settings)
        return AsyncSession(self, request)

    async def open(self, name: str) -> "AsyncSession":
        """A session that is there already; it does not end with its `async with`. Raises NotFound."""
        name = requests.qualified("sessions", name)
        message = await self._call(self._sessions.GetSession, sessions.GetSessionRequest(name=name), session=name)
        opened = AsyncSession(self, None, keep=True)
        opened._message = message
        return opened

    async def sessions(self) -> AsyncIterator[sessions.Session]:
        """The caller's sessions, the oldest first."""
        token = ""
        while True:
            page = await self._call(self._sessions.ListSessions, sessions.ListSessionsRequest(page_token=token))
            for message in page.sessions:
                yield message
            token = page.next_page_token
            if not token:
                return

    # Pictures without a session

    async def synthesize(self, pictures: Iterable[Picture], pose: PoseLike, *, model: str = "", fit: str = "",
                         retarget_to: Optional[PoseLike] = None, **settings: Any) -> Frame:
        """One picture, of pictures sent along; `fit` as of `session`, `retarget_to` as of `Session.stream`."""
        request = requests.synthesize(pose, retarget_to=retarget_to, values=settings)
        request.sources.images.extend(requests.image(picture) for picture in pictures)
        request.sources.model = requests.qualified("models", model)
        request.sources.source_fit = requests.source_fit(fit)
        return Frame((await self._call(self._synthesis.Synthesize, request)).frame)

    # What the daemon has

    async def models(self) -> List[catalog.Model]:
        """The models that sessions can be made for."""
        return list((await self._call(self._catalog.ListModels, catalog.ListModelsRequest())).models)

    async def solvers(self) -> List[catalog.Solver]:
        """The solvers that requests can name."""
        return list((await self._call(self._catalog.ListSolvers, catalog.ListSolversRequest())).solvers)

    async def backends(self) -> List[catalog.Backend]:
        """The backends that were found."""
        return list((await self._call(self._catalog.ListBackends, catalog.ListBackendsRequest())).backends)

    async def info(self) -> server.ServerInfo:
        """The daemon's version and limits, and who it takes the caller for."""
        return await self._call(self._server.GetServerInfo, server.GetServerInfoRequest())

    async def statistics(self) -> server.Statistics:
        """What the daemon is doing."""
        return await self._call(self._server.GetStatistics, server.GetStatisticsRequest())

    async def _call(self, method: Any, request: Any, *, session: Optional[str] = None, again: bool = True) -> Any:
        """Makes a call; one that may be repeated is made again where the connection was lost."""
        retry = Retry(self.reconnect if again else 0.0)
        end = time.monotonic() + self.timeout
        while True:
            try:
                return await method(request, timeout=max(0.001, end - time.monotonic()),
                                    metadata=self._endpoint.metadata(session))
            except grpc.RpcError as failure:
                await asyncio.sleep(retry.pause(failure))


class AsyncSession:
    """A person, encoded. It begins with its `async with` and ends with it, unless it was opened by name."""

    def __init__(self, client: AsyncClient, request: Optional[sessions.CreateSessionRequest], keep: bool = False):
        self._client = client
        self._request = request
        self._message: Optional[sessions.Session] = None
        self.keep = keep

    @property
    def message(self) -> sessions.Session:
        """The session as the daemon last told it. Raises ValueError before it is made."""
        if self._message is None:
            raise ValueError("the session is not made yet; use `async with` or `await session.start()`")
        return self._message

    @property
    def name(self) -> str:
        """`sessions/…`"""
        return self.message.name

    async def start(self) -> "AsyncSession":
        """Makes the session, where it is not there yet."""
        if self._request is not None:
            self._message = await self._client._call(
                self._client._sessions.CreateSession, self._request, session=requests.chosen(self._request))
            self._request = None
        return self

    async def __aenter__(self) -> "AsyncSession":
        return await self.start()

    async def __aexit__(self, kind: object, *_: object) -> None:
        if self.keep:
            return
        try:
            await self._end(again=kind is None)
        except PosedError:
            # What went wrong before says more.
            if kind is None:
                raise

    def __repr__(self) -> str:
        return f"AsyncSession({self._message.name if self._message else None!r})"

    async def close(self) -> None:
        """Ends the session at the daemon. One that is gone already is gone."""
        await self._end(again=True)

    async def _end(self, again: bool) -> None:
        try:
            await self._client._call(self._client._sessions.DeleteSession,
                                     sessions.DeleteSessionRequest(name=self.name), session=self.name, again=again)
        except NotFound:
            pass

    async def refresh(self) -> sessions.Session:
        """Asks for the session's state anew."""
        self._message = await self._client._call(
            self._client._sessions.GetSession, sessions.GetSessionRequest(name=self.name), session=self.name)
        return self.message

    async def update(self, *, display_name: Optional[str] = None, ttl: Optional[float] = None,
                     **settings: Any) -> sessions.Session:
        """Changes what is given; `settings` take the place of the session's default settings as a whole. Raises
        Aborted where the session was changed by somebody else since it was last told (`refresh`)."""
        request = requests.update_session(self.name, etag=self.message.etag, display_name=display_name, ttl=ttl,
                                          values=settings)
        self._message = await self._client._call(
            self._client._sessions.UpdateSession, request, session=self.name, again=False)
        return self.message

    async def synthesize(self, pose: PoseLike, *, retarget_to: Optional[PoseLike] = None, **settings: Any) -> Frame:
        """One picture; `retarget_to` as of `stream`. `settings` are fields of `SynthesisSettings`: nfe, seed, solver,
        image_format, …"""
        request = requests.synthesize(pose, retarget_to=retarget_to, values=settings)
        request.session = self.name
        reply = await self._client._call(self._client._synthesis.Synthesize, request, session=self.name)
        return Frame(reply.frame)

    def stream(self, poses: Poses, *, max_lag: Optional[float] = None, frame_deadline: Optional[float] = None,
               warm_start: float = 0.0, retarget_to: Optional[PoseLike] = None, smooth: Optional[float] = None,
               **settings: Any) -> "AsyncStream":
        """An asynchronous iterator of an `Answer` for each of `poses`; see `Session.stream`. Poses of an ordinary
        iterable are taken in a thread, so that it may wait for them."""
        start = requests.stream_start(self.name, max_lag=max_lag, frame_deadline=frame_deadline,
                                      warm_start=warm_start, retarget_to=retarget_to, smooth=smooth,
                                      values=settings)
        return AsyncStream(self._client, start, poses)


class AsyncStream:
    """Answers to poses that flow at the same time; to be used up, closed, or used in an `async with`.

    A lost connection is made anew: the poses without an answer are sent once more, under their numbers.
    What goes wrong with the iterable of poses is raised once the poses before it have their answers.
    """

    def __init__(self, client: AsyncClient, start: synthesis.StreamStart, poses: Poses):
        self._client = client
        self._talk = Conversation(start)
        self._retry = Retry(client.reconnect)
        self._poses = poses.__aiter__() if hasattr(poses, "__aiter__") else _in_thread(iter(poses))
        # The pose that comes next. It belongs to the stream: a connection that is lost does not take it along.
        self._next: Optional["asyncio.Future[PoseLike]"] = None
        self._room = asyncio.Event()
        self._ready: Deque[Answer] = deque()
        self._failure: Optional[Exception] = None
        self._is_closed = self._is_over = False
        self._call: Any = None
        self._connection = 0

    async def __aenter__(self) -> "AsyncStream":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> "AsyncStream":
        return self

    def __del__(self) -> None:
        if hasattr(self, "_call") and not self._is_closed:
            try:
                self.close()
            except RuntimeError:  # The event loop has ended, and its calls with it.
                pass

    def close(self) -> None:
        """Stops the work. Answers that did not come yet do not come."""
        self._is_closed = True
        if self._next is not None:
            self._next.cancel()
        if self._call is not None:
            self._call.cancel()

    async def __anext__(self) -> Answer:
        while not self._is_closed:
            if self._ready:
                return self._ready.popleft()
            if self._call is None:
                passed, opening = self._talk.opening()
                self._ready.extend(passed)
                self._connection += 1
                self._call = self._client._synthesis.StreamSynthesize(
                    self._say(opening, self._connection),
                    metadata=self._client._endpoint.metadata(self._talk.start.session))
                continue
            try:
                response = await self._call.read()
            except grpc.RpcError as failure:
                await self._lost(failure)
                continue
            except asyncio.CancelledError:
                self.close()
                raise
            if response is grpc.aio.EOF:
                break
            answer = self._talk.hear(response)
            if answer is not None:
                self._retry.succeeded()
                self._room.set()
                return answer
        self.close()
        wrong, self._failure = self._failure, None
        if wrong is not None:
            raise wrong
        raise StopAsyncIteration

    async def _lost(self, failure: grpc.RpcError) -> None:
        """Waits until it is time for another connection. Raises where there is to be none."""
        self._call = None
        self._connection += 1
        if self._is_closed or self._is_over and not self._talk.has_open:
            self.close()
            return
        try:
            await asyncio.sleep(self._retry.pause(failure))
        except BaseException:
            self.close()
            raise

    async def _say(self, opening: List[synthesis.StreamSynthesizeRequest], number: int) -> AsyncIterator[Any]:
        """What one connection says. One that is lost takes no more poses."""
        for message in opening:
            yield message
        while not self._is_over and self._failure is None:
            while self._talk.is_full:
                self._room.clear()
                await self._room.wait()
            if self._next is None:
                self._next = asyncio.ensure_future(_pull(self._poses))
            await asyncio.wait([self._next])
            if self._is_closed or number != self._connection:
                return
            pulled, self._next = self._next, None
            try:
                if pulled.result() is _END:
                    self._is_over = True
                    return
                said = self._talk.say(pulled.result())
            except Exception as problem:  # It belongs to whoever reads the answers.
                self._failure = problem
                return
            yield said


_END: Any = object()


async def _pull(poses: AsyncIterator[PoseLike]) -> Any:
    async for item in poses:
        return item
    return _END


async def _in_thread(poses: Any) -> AsyncIterator[PoseLike]:
    """An ordinary iterator, taken in a thread."""
    loop = asyncio.get_running_loop()
    while True:
        item = await loop.run_in_executor(None, next, poses, _END)
        if item is _END:
            return
        yield item
