import Foundation
import PosedErrors
import SwiftProtobuf
import Testing

import PosedService

@Suite struct DescriptorPoolTests {
    private func pool(_ files: [Google_Protobuf_FileDescriptorProto]) throws -> DescriptorPool {
        var set = Google_Protobuf_FileDescriptorSet()
        set.file = files
        let bytes: [UInt8] = try set.serializedBytes()
        return try bytes.withUnsafeBytes { try DescriptorPool($0) }
    }

    /// A file with a message that can be extended, and extensions 100 and 150 of it.
    private func extended() -> [Google_Protobuf_FileDescriptorProto] {
        var base = Google_Protobuf_FileDescriptorProto()
        base.name = "base.proto"
        base.package = "test"
        base.syntax = "proto2"
        var message = Google_Protobuf_DescriptorProto()
        message.name = "Base"
        message.extensionRange = [
            .with {
                $0.start = 100
                $0.end = 200
            }
        ]
        base.messageType = [message]
        var more = Google_Protobuf_FileDescriptorProto()
        more.name = "more.proto"
        more.package = "test"
        more.syntax = "proto2"
        more.dependency = ["base.proto"]
        more.extension = [(Int32(150), "late"), (Int32(100), "early")].map { number, name in
            .with {
                $0.name = name
                $0.number = number
                $0.label = .optional
                $0.type = .string
                $0.extendee = ".test.Base"
            }
        }
        return [base, more]
    }

    private func names(_ files: [[UInt8]]?) throws -> [String]? {
        try files?.map { try Google_Protobuf_FileDescriptorProto(serializedBytes: $0).name }
    }

    @Test func theProjectsOwnFilesAreThere() throws {
        let pool = try DescriptorPool()
        #expect(try pool.services() == Services.names.sorted())
        let files = try names(pool.file(named: "posed/v1/synthesis_service.proto"))
        #expect(files?.first == "posed/v1/synthesis_service.proto")
        #expect(
            Set(files ?? []) == [
                "posed/v1/synthesis_service.proto", "posed/v1/synthesis.proto",
                "posed/v1/pose.proto", "posed/v1/image.proto", "google/protobuf/duration.proto",
                "google/protobuf/any.proto",
            ])
    }

    @Test(arguments: [
        "posed.v1.SynthesisService", "posed.v1.SynthesisService.StreamSynthesize",
        "posed.v1.SynthesizeRequest", "posed.v1.SynthesizeRequest.pose",
        "posed.v1.SynthesizeRequest.person",
    ])
    func symbolsOfEveryKindAreFound(symbol: String) throws {
        let files = try names(DescriptorPool().file(declaring: symbol))
        #expect(files?.first == "posed/v1/synthesis_service.proto")
    }

    @Test func enumsAndTheirValuesAreFound() throws {
        let pool = try DescriptorPool()
        for symbol in ["posed.v1.ImageFormat", "posed.v1.IMAGE_FORMAT_PNG"] {
            #expect(try names(pool.file(declaring: symbol)) == ["posed/v1/image.proto"])
        }
    }

    @Test func commentsCameAlong() throws {
        let bytes = try #require(try DescriptorPool().file(named: "posed/v1/image.proto")?.first)
        let file = try Google_Protobuf_FileDescriptorProto(serializedBytes: bytes)
        #expect(
            file.sourceCodeInfo.location.contains {
                $0.leadingComments.contains("A picture of 8 bits a channel")
            })
    }

    @Test(arguments: [
        "", " ", ".", "..", "posed", "posed.v1", "posed.v1.", ".posed.v1.Image", "a\u{0}b", "🙂",
        "posed.v1.Image\n", String(repeating: "a.", count: 50_000),
    ])
    func strangeNamesAreNotFound(name: String) throws {
        let pool = try DescriptorPool()
        #expect(try pool.file(named: name) == nil)
        #expect(try pool.extensionNumbers(of: name) == nil)
        #expect(try pool.file(declaringExtension: 1, of: name) == nil)
        // A package is declared by several files; any of them may be meant.
        if name != "posed", name != "posed.v1" { #expect(try pool.file(declaring: name) == nil) }
    }

    @Test func extensionsAreFoundByTheirNumbers() throws {
        let pool = try pool(extended())
        #expect(try pool.extensionNumbers(of: "test.Base") == [100, 150])
        #expect(
            try names(pool.file(declaringExtension: 100, of: "test.Base"))
                == ["more.proto", "base.proto"])
        for number: Int32 in [101, 0, -1, .max, .min] {
            #expect(try pool.file(declaringExtension: number, of: "test.Base") == nil)
        }
        #expect(try names(pool.file(declaring: "test.late")) == ["more.proto", "base.proto"])
    }

    @Test func aMessageMayHaveNoExtensions() throws {
        #expect(try DescriptorPool().extensionNumbers(of: "posed.v1.Image") == [])
    }

    @Test func setsThatContradictThemselvesAreRefused() throws {
        let files = extended()
        let refused = { (files: [Google_Protobuf_FileDescriptorProto], part: String) in
            let error = #expect(throws: RequestError.self) { try pool(files) }
            #expect(error?.code == .internal)
            #expect(error?.description.contains(part) == true, "\(error?.description ?? "")")
        }
        refused([files[1]], "more.proto")
        refused([files[0], files[0]], "base.proto: the file is there twice")
        refused(
            [
                .with {
                    $0.name = "bad.proto"; $0.messageType = [.init()]
                }
            ], "bad.proto")
        refused([.with { $0.messageType = [.with { $0.name = "A" }] }], "the protocol")
    }

    @Test func bytesThatAreNoSetAreRefused() throws {
        let whole: [UInt8] = try Google_Protobuf_FileDescriptorSet.with {
            $0.file = extended()
        }.serializedBytes()
        var random = SystemRandomNumberGenerator()
        for index in whole.indices {
            // Whatever a flipped byte means, it is refused or understood; it never brings us down.
            var damaged = whole
            damaged[index] ^= UInt8.random(in: 1...255, using: &random)
            _ = try? damaged.withUnsafeBytes { try DescriptorPool($0) }
            _ = try? whole[..<index].withUnsafeBytes { try DescriptorPool($0) }
        }
        #expect(throws: RequestError.self) {
            try [UInt8](repeating: 0xFF, count: 100).withUnsafeBytes { try DescriptorPool($0) }
        }
    }
}
