"""How much longer a frame takes over HTTP than over gRPC, on loopback: the same session, pose and settings in turns.

    POSED_BIN=.build/release .venv-http/bin/python Tests/HTTP/measure.py [FRAMES]
"""

import http.client
import statistics
import sys
import time

import grpc
from posed.v1 import synthesis_service_pb2
from service import POSE, TOKEN, Service, free_port


def main(frames):
    port = free_port()
    service = Service({"listen.tcp.addresses": f"127.0.0.1:{port}"})
    try:
        name = service.session()
        pose = POSE.read_bytes()
        request = synthesis_service_pb2.SynthesizeRequest()
        request.session = name
        request.pose.file = pose
        request.settings.solver, request.settings.nfe, request.settings.seed = "euler", 1, 7
        connection = http.client.HTTPConnection("127.0.0.1", service.api, timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
        path = f"/v1/{name}/frames?solver=euler&nfe=1&seed=7"
        token = [("authorization", f"Bearer {TOKEN}")]

        def over_http():
            connection.request("POST", path, body=pose, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            return body

        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = channel.unary_unary(
                "/posed.v1.SynthesisService/Synthesize",
                request_serializer=synthesis_service_pb2.SynthesizeRequest.SerializeToString,
                response_deserializer=synthesis_service_pb2.SynthesizeResponse.FromString)

            def over_grpc():
                return call(request, metadata=token, timeout=60).frame.image.png

            assert over_http() == over_grpc()
            times = {over_grpc: [], over_http: []}
            for _ in range(frames):
                for way, measured in times.items():
                    start = time.perf_counter()
                    way()
                    measured.append(1000 * (time.perf_counter() - start))
        one, other = (statistics.median(measured) for measured in times.values())
        print(f"gRPC {one:.2f} ms, HTTP {other:.2f} ms a frame (medians of {frames}): {other - one:+.2f} ms")
    finally:
        service.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
