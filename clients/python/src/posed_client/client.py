"""The synchronous client."""

from __future__ import annotations

import time
from typing import Any, Iterable, Iterator, List, Optional

import grpc

from posed.v1 import (
    catalog_service_pb2 as catalog, catalog_service_pb2_grpc, server_service_pb2 as server,
    server_service_pb2_grpc, session_service_pb2 as sessions, session_service_pb2_grpc,
    synthesis_service_pb2 as synthesis, synthesis_service_pb2_grpc)
from posed_client import health, requests
from posed_client.endpoint import Endpoint, PathLike
from posed_client.errors import NotFound, PosedError, Unavailable
from posed_client.frames import Answer, Frame
from posed_client.requests import Picture, PoseLike
from posed_client.retry import Retry
from posed_client.stream import Stream


class Client:
    """A connection to a daemon, made when first used; to be closed, or used in a `with`. Threads may share it."""

    def __init__(self, address: Optional[str] = None, *, token: Optional[str] = None,
                 token_file: Optional[PathLike] = None, tls: Optional[bool] = None,
                 ca: Optional[PathLike] = None, cert: Optional[PathLike] = None,
                 key: Optional[PathLike] = None, server_name: Optional[str] = None,
                 timeout: float = 60.0, reconnect: float = 30.0):
        """Raises ValueError for what cannot be right, OSError for files that cannot be read.

        address:     `unix:/path` or `host:port`; else POSED_ADDRESS, else unix:/run/posed/posed.sock.
        token:       a bearer token. It is sent over TLS, to a Unix socket or to a loopback address only.
        token_file:  a file with the token, read for each call; else POSED_TOKEN_FILE.
        tls:         whether to speak TLS; by default where one of the next four is given.
        ca:          a PEM file of the authorities to trust; else those of the system.
        cert, key:   PEM files that say who the client is.
        server_name: the name in the daemon's certificate, where it is not the address's.
        timeout:     seconds that a request may take.
        reconnect:   seconds for which a lost connection is made anew; 0 for not at all.
        """
        self._endpoint = Endpoint.make(address, token=token, token_file=token_file, tls=tls, ca=ca, cert=cert,
                                       key=key, server_name=server_name)
        self.timeout = timeout
        self.reconnect = reconnect
        target, options = self._endpoint.target, self._endpoint.options
        if self._endpoint.credentials is not None:
            self._channel = grpc.secure_channel(target, self._endpoint.credentials, options=options)
        else:
            self._channel = grpc.insecure_channel(target, options=options)
        self._sessions = session_service_pb2_grpc.SessionServiceStub(self._channel)
        self._synthesis = synthesis_service_pb2_grpc.SynthesisServiceStub(self._channel)
        self._catalog = catalog_service_pb2_grpc.CatalogServiceStub(self._channel)
        self._server = server_service_pb2_grpc.ServerServiceStub(self._channel)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._endpoint.target!r})"

    def close(self) -> None:
        """Closes the connection; calls under way end."""
        self._channel.close()

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Waits for a daemon that is still starting. Raises Unavailable when time is up."""
        end = time.monotonic() + timeout
        check = health.method(self._channel)
        while True:
            try:
                if check(b"", timeout=max(0.1, end - time.monotonic()), wait_for_ready=True):
                    return
                problem = Unavailable("UNAVAILABLE", "the daemon is ending")
            except grpc.RpcError as failure:
                problem = Unavailable("UNAVAILABLE", f"the daemon did not begin to serve: {failure.details()}")
            if time.monotonic() >= end:
                raise problem
            time.sleep(0.1)

    # Sessions

    def session(self, *pictures: Picture, name: str = "", id: str = "", model: str = "", fit: str = "",
                ttl: Optional[float] = None, **settings: Any) -> "Session":
        """Encodes pictures of a person: paths or bytes of picture files, arrays [H, W, 3] of uint8, or pictures
        of Pillow. The session ends with its `with`.

        name:     for people.
        id:       of the session, `sessions/{id}`; the daemon chooses one where it is empty.
        model:    the daemon's default where it is empty.
        fit:      what is done to pictures of another aspect, "stretch", "crop" or "pad"; else what the model says.
        ttl:      seconds that it lives without a request.
        settings: fields of `SynthesisSettings` that its frames are made with: nfe, seed, solver, …
        """
        request = requests.create_session(pictures, name=name, id=id, model=model, fit=fit, ttl=ttl,
                                          values=settings)
        return Session(self, self._call(self._sessions.CreateSession, request, session=requests.chosen(request)))

    def open(self, name: str) -> "Session":
        """A session that is there already; it does not end with its `with`. Raises NotFound."""
        name = requests.qualified("sessions", name)
        message = self._call(self._sessions.GetSession, sessions.GetSessionRequest(name=name), session=name)
        return Session(self, message, keep=True)

    def sessions(self) -> Iterator[sessions.Session]:
        """The caller's sessions, the oldest first."""
        token = ""
        while True:
            page = self._call(self._sessions.ListSessions, sessions.ListSessionsRequest(page_token=token))
            yield from page.sessions
            token = page.next_page_token
            if not token:
                return

    # Pictures without a session

    def synthesize(self, pictures: Iterable[Picture], pose: PoseLike, *, model: str = "", fit: str = "",
                   retarget_to: Optional[PoseLike] = None, **settings: Any) -> Frame:
        """One picture, of pictures sent along; `fit` as of `session`, `retarget_to` as of `Session.stream`."""
        request = requests.synthesize(pose, retarget_to=retarget_to, values=settings)
        request.sources.images.extend(requests.image(picture) for picture in pictures)
        request.sources.model = requests.qualified("models", model)
        request.sources.source_fit = requests.source_fit(fit)
        return Frame(self._call(self._synthesis.Synthesize, request).frame)

    # What the daemon has

    def models(self) -> List[catalog.Model]:
        """The models that sessions can be made for."""
        return list(self._call(self._catalog.ListModels, catalog.ListModelsRequest()).models)

    def solvers(self) -> List[catalog.Solver]:
        """The solvers that requests can name."""
        return list(self._call(self._catalog.ListSolvers, catalog.ListSolversRequest()).solvers)

    def backends(self) -> List[catalog.Backend]:
        """The backends that were found."""
        return list(self._call(self._catalog.ListBackends, catalog.ListBackendsRequest()).backends)

    def info(self) -> server.ServerInfo:
        """The daemon's version and limits, and who it takes the caller for."""
        return self._call(self._server.GetServerInfo, server.GetServerInfoRequest())

    def statistics(self) -> server.Statistics:
        """What the daemon is doing."""
        return self._call(self._server.GetStatistics, server.GetStatisticsRequest())

    def _call(self, method: Any, request: Any, *, session: Optional[str] = None, again: bool = True) -> Any:
        """Makes a call; one that may be repeated is made again where the connection was lost."""
        retry = Retry(self.reconnect if again else 0.0)
        end = time.monotonic() + self.timeout
        while True:
            try:
                return method(request, timeout=max(0.001, end - time.monotonic()),
                              metadata=self._endpoint.metadata(session))
            except grpc.RpcError as failure:
                time.sleep(retry.pause(failure))


class Session:
    """A person, encoded. Used in a `with` it ends at its end, unless it was opened by name."""

    def __init__(self, client: Client, message: sessions.Session, keep: bool = False):
        self._client = client
        self.message = message
        self.keep = keep

    @property
    def name(self) -> str:
        """`sessions/…`"""
        return self.message.name

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self.keep:
            return
        try:
            self._end(again=kind is None)
        except PosedError:
            # What went wrong before says more.
            if kind is None:
                raise

    def __repr__(self) -> str:
        return f"Session({self.name!r})"

    def close(self) -> None:
        """Ends the session at the daemon. One that is gone already is gone."""
        self._end(again=True)

    def _end(self, again: bool) -> None:
        try:
            self._client._call(self._client._sessions.DeleteSession,
                               sessions.DeleteSessionRequest(name=self.name), session=self.name, again=again)
        except NotFound:
            pass

    def refresh(self) -> sessions.Session:
        """Asks for the session's state anew."""
        self.message = self._client._call(
            self._client._sessions.GetSession, sessions.GetSessionRequest(name=self.name), session=self.name)
        return self.message

    def update(self, *, display_name: Optional[str] = None, ttl: Optional[float] = None,
               **settings: Any) -> sessions.Session:
        """Changes what is given; `settings` take the place of the session's default settings as a whole. Raises
        Aborted where the session was changed by somebody else since it was last told (`refresh`)."""
        request = requests.update_session(self.name, etag=self.message.etag, display_name=display_name, ttl=ttl,
                                          values=settings)
        self.message = self._client._call(
            self._client._sessions.UpdateSession, request, session=self.name, again=False)
        return self.message

    def synthesize(self, pose: PoseLike, *, retarget_to: Optional[PoseLike] = None, **settings: Any) -> Frame:
        """One picture; `retarget_to` as of `stream`. `settings` are fields of `SynthesisSettings`: nfe, seed, solver,
        image_format, …"""
        request = requests.synthesize(pose, retarget_to=retarget_to, values=settings)
        request.session = self.name
        return Frame(self._client._call(self._client._synthesis.Synthesize, request, session=self.name).frame)

    def stream(self, poses: Iterable[PoseLike], *, max_lag: Optional[float] = None,
               frame_deadline: Optional[float] = None, warm_start: float = 0.0,
               retarget_to: Optional[PoseLike] = None, smooth: Optional[float] = None,
               **settings: Any) -> "Stream":
        """An iterator of an `Answer` for each of `poses`, in their order; both flow at the same time.

        With `max_lag` (seconds) the latest pose wins: answers to poses that were passed over have
        `superseded_by` instead of a frame. Leaving the stream's `with`, or closing it, stops the work.
        `retarget_to` is the pose of the person in the source picture, which the poses are fitted to; `smooth` calms
        joints that tremble: a cutoff in hertz, such as 1.
        """
        start = requests.stream_start(self.name, max_lag=max_lag, frame_deadline=frame_deadline,
                                      warm_start=warm_start, retarget_to=retarget_to, smooth=smooth,
                                      values=settings)
        client = self._client
        return Stream(client._synthesis.StreamSynthesize, lambda: client._endpoint.metadata(self.name), start, poses,
                      client.reconnect)
