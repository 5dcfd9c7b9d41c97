"""Unary calls of every service, and what they refuse."""

import struct
import time
import unittest

import grpc

from case import UNKNOWN_SESSION, Case
from daemon import POSE, SOURCE
from google.protobuf import duration_pb2, field_mask_pb2
from posed.v1 import catalog_service_pb2, image_pb2, pose_pb2, server_service_pb2
from posed.v1 import session_service_pb2, synthesis_pb2, synthesis_service_pb2

INVALID, MISSING = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
RAW = image_pb2.IMAGE_FORMAT_RAW_RGB8


class Sessions(Case):
    def test_a_session_lives_and_dies(self):
        name = self.session(display_name="Ada", ttl=duration_pb2.Duration(seconds=90))
        got = self.sessions.GetSession(session_service_pb2.GetSessionRequest(name=name))
        self.assertEqual((got.display_name, got.ttl.seconds, got.source_count), ("Ada", 90, 1))
        self.assertTrue(got.HasField("create_time"))

        request = session_service_pb2.UpdateSessionRequest(
            session=session_service_pb2.Session(name=name, display_name="Grace"),
            update_mask=field_mask_pb2.FieldMask(paths=["display_name"]))
        self.assertEqual(self.sessions.UpdateSession(request).display_name, "Grace")

        self.sessions.DeleteSession(session_service_pb2.DeleteSessionRequest(name=name))
        self.refused(grpc.StatusCode.NOT_FOUND, self.sessions.GetSession,
                     session_service_pb2.GetSessionRequest(name=name))

    def test_a_client_may_choose_the_id(self):
        """With the name known beforehand, the request that makes the session is routed as all later ones."""
        chosen = "chosen-7"
        routed = {"metadata": [("x-posed-session", f"sessions/{chosen}")], "timeout": 60}
        request = session_service_pb2.CreateSessionRequest(
            session_id=chosen, sources=[image_pb2.Image(png=SOURCE.read_bytes())])
        self.addCleanup(self.forget, f"sessions/{chosen}")
        self.assertEqual(self.sessions.CreateSession(request, **routed).name, f"sessions/{chosen}")
        got = self.sessions.GetSession(
            session_service_pb2.GetSessionRequest(name=f"sessions/{chosen}"), **routed)
        self.assertEqual(got.source_count, 1)
        self.refused(grpc.StatusCode.ALREADY_EXISTS, self.sessions.CreateSession, request, **routed)
        # The metadata is for proxies: a daemon goes by the request alone.
        other = {"metadata": [("x-posed-session", UNKNOWN_SESSION)], "timeout": 60}
        self.assertEqual(
            self.sessions.GetSession(
                session_service_pb2.GetSessionRequest(name=f"sessions/{chosen}"), **other).name,
            f"sessions/{chosen}")

    def test_lists_have_pages(self):
        names = [self.session() for _ in range(3)]
        found, token = [], ""
        while True:
            page = self.sessions.ListSessions(
                session_service_pb2.ListSessionsRequest(page_size=2, page_token=token))
            self.assertLessEqual(len(page.sessions), 2)
            found += page.sessions
            token = page.next_page_token
            if not token:
                break
        # The oldest first; which of two comes first that were made in one millisecond is not said.
        times = [session.create_time.ToNanoseconds() for session in found]
        self.assertEqual(times, sorted(times))
        self.assertEqual(
            sorted(session.name for session in found if session.name in names), sorted(names))
        self.refused(INVALID, self.sessions.ListSessions,
                     session_service_pb2.ListSessionsRequest(page_token="nonsense"))

    def test_defaults_of_a_session_hold(self):
        name = self.session(default_settings=synthesis_pb2.SynthesisSettings(
            nfe=3, seed=5, image_format=RAW))
        frame = self.synthesize(name)
        self.assertEqual((frame.used.seed, frame.used.nfe), (5, 3))
        self.assertEqual(frame.image.WhichOneof("encoding"), "raw")

    def synthesize(self, name, **settings):
        request = synthesis_service_pb2.SynthesizeRequest(
            session=name, pose=pose_pb2.Pose(file=POSE.read_bytes()),
            settings=synthesis_pb2.SynthesisSettings(**settings))
        return self.synthesis.Synthesize(request, timeout=60).frame

    def test_a_repeated_pose_is_found_ready_and_equal_seeds_make_equal_pictures(self):
        name = self.session()
        first = self.synthesize(name, seed=3, nfe=2, image_format=RAW)
        again = self.synthesize(name, seed=3, nfe=2, image_format=RAW)
        other = self.synthesize(name, seed=4, nfe=2, image_format=RAW)
        self.assertTrue(first.cache.source and again.cache.source)
        self.assertTrue(again.cache.pose)
        self.assertEqual(first.image.raw.rgb, again.image.raw.rgb)
        self.assertNotEqual(first.image.raw.rgb, other.image.raw.rgb)
        self.assertGreater(again.timings.solve.nanos, 0)
        self.assertFalse(again.timings.HasField("source"))

    def test_pictures_may_come_along(self):
        request = synthesis_service_pb2.SynthesizeRequest(
            sources=synthesis_service_pb2.Sources(
                images=[image_pb2.Image(png=SOURCE.read_bytes())]),
            pose=pose_pb2.Pose(file=POSE.read_bytes()),
            settings=synthesis_pb2.SynthesisSettings(nfe=2))
        frame = self.synthesis.Synthesize(request, timeout=60).frame
        self.assertEqual(frame.image.png[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", frame.image.png[16:24])
        self.assertEqual((width, height), (frame.used.width, frame.used.height))


class Refusals(Case):
    def create(self, **fields):
        return session_service_pb2.CreateSessionRequest(**fields)

    def test_pictures_that_are_none(self):
        refuse = lambda *images: self.refused(
            INVALID, self.sessions.CreateSession, self.create(sources=images))
        self.assertIn("sources: expected 1 to", refuse())
        self.assertIn("sources[0]: expected `png`, `jpeg`, `webp` or `raw`", refuse(image_pb2.Image()))
        self.assertIn("sources[0].png", refuse(image_pb2.Image(png=b"GIF89a")))
        self.assertIn("sources[0].png", refuse(image_pb2.Image(png=SOURCE.read_bytes()[:-20])))
        bomb = bytearray(SOURCE.read_bytes())
        bomb[16:24] = struct.pack(">II", 60000, 60000)
        self.assertIn("60000 × 60000", refuse(image_pb2.Image(png=bytes(bomb))))
        raw = image_pb2.RawImage(width=4, height=4, rgb=b"123")
        self.assertIn("raw.rgb", refuse(image_pb2.Image(raw=raw)))

    def test_settings_that_cannot_be(self):
        name = self.session()
        for field, value, words in [
                ("nfe", 0, "nfe: expected a number from 1 to 200, got 0"),
                ("nfe", 10**6, "nfe: expected a number from 1 to 200, got 1000000"),
                ("steps", -1, "steps: expected a number from 1 to 200, got -1"),
                ("guidance_scale", -1, "guidance_scale: expected a number from 0 to 100, got -1.0"),
                ("guidance_scale", float("nan"),
                 "guidance_scale: expected a number from 0 to 100, got nan"),
                ("time_shift", 0, "time_shift: expected a number from 0.01 to 100, got 0.0"),
                ("width", 64, "height: expected a number from 1 to 2048, got 0"),
                ("image_format", 9, "image_format: expected a known format, got 9"),
                ("min_nfe", -1, "min_nfe: expected a number from 0 to 200, got -1"),
                ("solver", "", "solver: expected a name of 1 to 64 characters, got 0")]:
            with self.subTest(field=field, value=value):
                request = self.request(name, **{field: value})
                self.assertEqual(self.refused(INVALID, self.synthesis.Synthesize, request),
                                 f"settings.{words}")
        self.assertIn("unknown solver", self.refused(
            INVALID, self.synthesis.Synthesize, self.request(name, solver="nobody's")))

    def request(self, session, **settings):
        return synthesis_service_pb2.SynthesizeRequest(
            session=session, pose=pose_pb2.Pose(file=POSE.read_bytes()),
            settings=synthesis_pb2.SynthesisSettings(**settings))

    def test_poses_that_are_none(self):
        name = self.session()
        for pose in [pose_pb2.Pose(), pose_pb2.Pose(file=b""), pose_pb2.Pose(file=b"{}"),
                     pose_pb2.Pose(keypoints=pose_pb2.Keypoints()),
                     pose_pb2.Pose(keypoints=pose_pb2.Keypoints(
                         joints=[pose_pb2.Keypoint(x=float("nan"), y=1)] * 18))]:
            request = synthesis_service_pb2.SynthesizeRequest(session=name, pose=pose)
            self.assertIn("pose", self.refused(INVALID, self.synthesis.Synthesize, request))

    def test_things_that_are_not_there(self):
        self.nobody_has(UNKNOWN_SESSION)
        self.refused(MISSING, self.catalog.GetModel,
                     catalog_service_pb2.GetModelRequest(name="models/unknown"))
        self.refused(MISSING, self.sessions.CreateSession, self.create(
            model="models/unknown", sources=[image_pb2.Image(png=SOURCE.read_bytes())]))

    def nobody_has(self, name):
        """Every call that names a session says that there is none of that name."""
        self.refused(MISSING, self.synthesis.Synthesize, self.request(name))
        for call, request in [
                (self.sessions.GetSession, session_service_pb2.GetSessionRequest(name=name)),
                (self.sessions.DeleteSession, session_service_pb2.DeleteSessionRequest(name=name)),
                (self.sessions.UpdateSession, session_service_pb2.UpdateSessionRequest(
                    session=session_service_pb2.Session(name=name, display_name="Nobody")))]:
            self.refused(MISSING, call, request)

    def test_names_that_are_none(self):
        for name in ("", "unknown", "sessions/", "sessions/?", UNKNOWN_SESSION.upper()):
            with self.subTest(name=name):
                self.refused(INVALID, self.sessions.GetSession,
                             session_service_pb2.GetSessionRequest(name=name))
        self.refused(INVALID, self.catalog.GetModel,
                     catalog_service_pb2.GetModelRequest(name="unknown"))

    def test_sessions_that_have_expired(self):
        name = self.session(ttl=duration_pb2.Duration(seconds=1))
        time.sleep(1.2)
        self.nobody_has(name)

    def test_messages_over_the_limit(self):
        limit = self.server.GetServerInfo(
            server_service_pb2.GetServerInfoRequest()).limits.max_message_bytes
        request = self.create(sources=[image_pb2.Image(png=bytes(limit))])
        self.assertIn("larger than max", self.refused(
            grpc.StatusCode.RESOURCE_EXHAUSTED, self.sessions.CreateSession, request))

    def test_a_bad_request_hurts_nobody_else(self):
        garbage = self.channel.unary_unary("/posed.v1.SessionService/GetSession")
        self.refused(INVALID, garbage, b"\xff\xff\xff\xff")
        unknown = self.channel.unary_unary("/posed.v1.SessionService/Explode")
        self.refused(grpc.StatusCode.UNIMPLEMENTED, unknown, b"")
        self.assertTrue(self.session())


class Catalog(Case):
    def test_what_there_is(self):
        models = self.catalog.ListModels(catalog_service_pb2.ListModelsRequest()).models
        self.assertTrue(any(model.default_model for model in models))
        model = self.catalog.GetModel(catalog_service_pb2.GetModelRequest(name=models[0].name))
        self.assertEqual(model, models[0])
        backends = self.catalog.ListBackends(catalog_service_pb2.ListBackendsRequest()).backends
        self.assertTrue(any(backend.name == "cpu" and backend.in_use for backend in backends))
        solvers = self.catalog.ListSolvers(catalog_service_pb2.ListSolversRequest()).solvers
        self.assertIn("heun", [solver.name for solver in solvers])

    def test_who_is_asked_and_who_asks(self):
        info = self.server.GetServerInfo(server_service_pb2.GetServerInfoRequest())
        self.assertTrue(info.version)
        self.assertTrue(info.identity.startswith("unix:"))
        self.assertGreater(info.limits.max_nfe, 0)
        now = self.server.GetStatistics(server_service_pb2.GetStatisticsRequest())
        self.assertGreaterEqual(now.uptime.seconds, 0)

    def test_requests_have_numbers(self):
        call = self.server.GetServerInfo.with_call(
            server_service_pb2.GetServerInfoRequest(), metadata=[("x-request-id", "mine-7")])[1]
        self.assertIn(("x-request-id", "mine-7"), call.trailing_metadata())


if __name__ == "__main__":
    unittest.main()
