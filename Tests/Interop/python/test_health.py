"""grpc.health.v1, as grpcio-health-checking asks for it."""

import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from case import Case

SERVING = health_pb2.HealthCheckResponse.SERVING


class Health(Case):
    def setUp(self):
        super().setUp()
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def test_services_serve(self):
        for service in ("", "posed.v1.SessionService", "posed.v1.SynthesisService",
                        "posed.v1.CatalogService", "posed.v1.ServerService",
                        "grpc.health.v1.Health"):
            request = health_pb2.HealthCheckRequest(service=service)
            self.assertEqual(self.health.Check(request, timeout=60).status, SERVING, service)

    def test_unknown_services_are_not_found(self):
        self.refused(grpc.StatusCode.NOT_FOUND, self.health.Check,
                     health_pb2.HealthCheckRequest(service="unknown"))

    def test_watching(self):
        watch = self.health.Watch(health_pb2.HealthCheckRequest())
        self.assertEqual(next(watch).status, SERVING)
        watch.cancel()
        unknown = self.health.Watch(health_pb2.HealthCheckRequest(service="unknown"))
        self.assertEqual(next(unknown).status, health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)
        unknown.cancel()


if __name__ == "__main__":
    unittest.main()
