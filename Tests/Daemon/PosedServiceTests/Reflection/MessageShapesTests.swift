import PosedProtos
import PosedRPC
import SwiftProtobuf
import Testing

import PosedService

@Suite struct MessageShapesTests {
    private let shapes: MessageShapes

    init() throws { shapes = try MessageShapes(DescriptorPool()) }

    private func weight(_ message: some Message) throws -> Int {
        shapes.decodedBytes(
            try message.serializedBytes() as MessageBytes, of: type(of: message).protoMessageName)
    }

    @Test func emptyMessagesWeighMoreThanTheirBytes() throws {
        var request = Posed_V1_SynthesizeRequest()
        request.pose.keypoints.joints = [Posed_V1_Keypoint](repeating: .init(), count: 100_000)
        let bytes: MessageBytes = try request.serializedBytes()
        let weight = try weight(request)
        // Two bytes each on the wire.
        #expect(bytes.count < 210_000)
        #expect(weight >= 100_000 * MemoryLayout<Posed_V1_Keypoint>.stride)
    }

    @Test func picturesWeighWhatTheyHave() throws {
        var request = Posed_V1_CreateSessionRequest()
        request.sources = (0..<3).map { shade in
            var image = Posed_V1_Image()
            // Bytes that would be fields of a message, if somebody read them so.
            image.raw.rgb = .init(repeating: 8, count: 300_000)
            image.raw.width = Int32(shade)
            return image
        }
        let weight = try weight(request)
        #expect((900_000..<905_000).contains(weight))
    }

    @Test(
        arguments: [[], [0x0A], [0x0A, 0xFF], [0xFF, 0xFF], [0x0B], [0x0A, 0x80, 0x80]] as [[UInt8]]
    )
    func whatIsNoMessageWeighsNothingMuch(bytes: [UInt8]) {
        let weight = shapes.decodedBytes(MessageBytes(bytes), of: "posed.v1.SynthesizeRequest")
        #expect((0..<1000).contains(weight))
        #expect(shapes.decodedBytes(MessageBytes(bytes), of: "no.such.Message") < 1000)
    }

    @Test func lengthsBeyondTheEndAreNoLengths() {
        let huge: [UInt8] = [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
        #expect(shapes.decodedBytes(MessageBytes(huge), of: "posed.v1.SynthesizeRequest") == 0)
    }
}
