package import PosedRPC
import SwiftProtobuf

extension MessageBytes: SwiftProtobufContiguousBytes {
    /// The elements of a sequence.
    package init<Bytes: Sequence>(_ sequence: Bytes) where Bytes.Element == UInt8 {
        self.init(Array(sequence))
    }
}
