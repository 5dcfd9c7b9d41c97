package import PosedRPC

/// The methods of `posed.v1.SynthesisService`.
package enum SynthesisMethods {
    /// The service's full name.
    package static let service = "posed.v1.SynthesisService"

    /// Makes one picture.
    package static let synthesize =
        MethodDescriptor<Posed_V1_SynthesizeRequest, Posed_V1_SynthesizeResponse>(
            service, "Synthesize")
    /// Makes pictures, pose after pose.
    package static let stream =
        MethodDescriptor<Posed_V1_StreamSynthesizeRequest, Posed_V1_StreamSynthesizeResponse>(
            service, "StreamSynthesize", .bidirectional)
}
