import ArgumentParser
import PosedProtos

/// How pictures travel.
enum PictureFormat: String, ExpressibleByArgument, CaseIterable, Encodable {
    case png, raw

    /// The format as it is asked for.
    var message: Posed_V1_ImageFormat { self == .png ? .png : .rawRgb8 }
}
