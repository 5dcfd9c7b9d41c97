"""Server reflection, as grpcio-reflection asks for it: a client without any stubs."""

import unittest

from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

from case import Case

SERVICES = {
    "posed.v1.SessionService", "posed.v1.SynthesisService", "posed.v1.CatalogService",
    "posed.v1.ServerService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
}


class Reflection(Case):
    def setUp(self):
        super().setUp()
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def test_services_are_listed(self):
        self.assertEqual(set(self.database.get_services()), SERVICES)

    def test_every_method_can_be_called_without_stubs(self):
        for name in SERVICES:
            service = self.pool.FindServiceByName(name)
            self.assertTrue(service.methods)
        service = self.pool.FindServiceByName("posed.v1.ServerService")
        method = service.FindMethodByName("GetServerInfo")
        request = message_factory.GetMessageClass(method.input_type)()
        response = message_factory.GetMessageClass(method.output_type)
        call = self.channel.unary_unary(
            f"/{service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString)
        self.assertTrue(call(request, timeout=60).version)

    def test_names_that_nobody_has(self):
        with self.assertRaises(KeyError):
            self.pool.FindMessageTypeByName("posed.v1.Nobody")
        with self.assertRaises(KeyError):
            self.pool.FindFileByName("nobody.proto")

    def test_a_message_has_no_extensions(self):
        self.assertEqual(
            list(self.database.FindAllExtensionNumbers("posed.v1.Image")), [])


if __name__ == "__main__":
    unittest.main()
