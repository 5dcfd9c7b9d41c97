"""Traces: what a collector gets of calls over gRPC and HTTP, and a collector that is not there."""

import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from service import POSE, SOURCE, Service, form

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
STAGES = {"queue", "source", "pose", "solve", "decode", "encode"}


class Collector:
    """Takes what is exported."""

    def __init__(self):
        self.spans, self.resources, self.lock = [], [], threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                request = trace_service_pb2.ExportTraceServiceRequest()
                request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
                assert self.path == "/v1/traces"
                assert self.headers["Content-Type"] == "application/x-protobuf"
                with collector.lock:
                    for resource in request.resource_spans:
                        collector.resources.append(resource.resource)
                        for scope in resource.scope_spans:
                            collector.spans += scope.spans
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1/traces"

    def call(self, trace, seconds=30):
        """The spans of a trace, by name, once the call's own span has come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self.lock:
                found = {span.name: span for span in self.spans if span.trace_id.hex() == trace}
            if any(span.kind == 2 for span in found.values()):
                return found
            time.sleep(0.1)
        raise TimeoutError(f"no span of {trace} came")


class TraceTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.collector = Collector()
        cls.service = Service({"tracing.endpoint": cls.collector.address, "log.access": "true"})

    @classmethod
    def tearDownClass(cls):
        cls.service.stop()
        cls.collector.server.shutdown()

    def frame(self, traceparent):
        body, kind = form(source=SOURCE.read_bytes(), pose=POSE.read_bytes(),
                          settings=b'{"nfe": 2, "solver": "euler"}')
        answer = self.service.ask("POST", "/v1/frames", body,
                                  {"Content-Type": kind, "traceparent": traceparent})
        self.assertEqual(answer[0], 200, answer[2])

    def test_a_frame_has_a_span_for_each_stage(self):
        self.frame(f"00-{TRACE}-{PARENT}-01")
        spans = self.collector.call(TRACE)
        self.assertLessEqual(STAGES - {"pose", "source"}, set(spans))
        call = spans["posed.v1.SynthesisService/Synthesize"]
        self.assertEqual(call.parent_span_id.hex(), PARENT)
        frame = spans["frame"]
        self.assertEqual(frame.parent_span_id, call.span_id)
        told = {pair.key: pair.value for pair in frame.attributes}
        self.assertEqual(told["posed.evaluations"].int_value, 2)
        self.assertEqual(told["posed.solver"].string_value, "euler")
        for name in STAGES & set(spans):
            span = spans[name]
            self.assertEqual(span.parent_span_id, frame.span_id, name)
            self.assertLessEqual(span.start_time_unix_nano, span.end_time_unix_nano, name)
        for one, other in [("queue", "solve"), ("solve", "decode"), ("decode", "encode")]:
            self.assertLessEqual(spans[one].end_time_unix_nano, spans[other].start_time_unix_nano)
        self.assertLess(abs(frame.end_time_unix_nano / 1e9 - time.time()), 60)
        names = {pair.key: pair.value.string_value for pair in self.collector.resources[0].attributes}
        self.assertEqual(names["service.name"], "posed")
        self.assertIn("A call has ended", self.service.read_log())

    def test_calls_over_grpc_too(self):
        import grpc
        trace = "a" * 32
        with self.service.channel() as channel:
            call = channel.unary_unary("/posed.v1.CatalogService/ListModels")
            call(b"", timeout=30, metadata=[("traceparent", f"00-{trace}-{PARENT}-01")])
            refused = channel.unary_unary("/posed.v1.SessionService/GetSession")
            with self.assertRaises(grpc.RpcError):
                refused(b"", timeout=30, metadata=[("traceparent", f"00-{'b' * 32}-{PARENT}-01")])
        spans = self.collector.call(trace)
        self.assertEqual(spans["posed.v1.CatalogService/ListModels"].parent_span_id.hex(), PARENT)
        self.assertEqual(self.collector.call("b" * 32)["posed.v1.SessionService/GetSession"].status.code, 2)

    def test_a_caller_that_does_not_record_is_not_recorded(self):
        self.frame(f"00-{'c' * 32}-{PARENT}-00")
        self.frame(f"00-{'d' * 32}-{PARENT}-01")
        self.collector.call("d" * 32)
        self.assertFalse([span for span in self.collector.spans if span.trace_id.hex() == "c" * 32])

    def test_a_collector_that_is_not_there_holds_nobody_up(self):
        alone = Service({"tracing.endpoint": "http://127.0.0.1:9/v1/traces"})
        try:
            name = alone.session()
            for _ in range(3):
                answer = alone.ask("POST", f"/v1/{name}/frames?nfe=1&solver=euler", POSE.read_bytes(),
                                   {"Content-Type": "application/json"})
                self.assertEqual(answer[0], 200)
            end = time.monotonic() + 30
            while "spans were lost" not in alone.read_log() and time.monotonic() < end:
                time.sleep(0.1)
            self.assertIn("spans were lost", alone.read_log())
        finally:
            alone.stop()


if __name__ == "__main__":
    unittest.main()
