import Foundation
package import PosedBackend
package import PosedTensor

/// The backends of this build that run on this machine; tests of models run on each of them, and in each way.
package enum UsableDevices {
    /// The plugins beside the test bundle which can be used, found and probed once.
    package static let names: [String] = {
        guard let registry else { return [] }
        return registry.entries.filter { $0.report.status == .usable }.map(\.name)
    }()

    /// Those names, and once more with `/i8` those that multiply in 8 bits.
    package static let ways: [String] =
        names
        + names.filter { name in
            (try? compute(name).device.info())?.dtypes.contains(.i8) == true
        }.map { $0 + "/i8" }

    /// A stream of the device of that name, or of one of `ways`.
    ///
    /// - Parameter precision: The type to compute in; nil takes the device's preference, or what the way says.
    /// - Throws: `BackendError` when it cannot be opened.
    package static func compute(_ name: String, precision: DType? = nil) throws -> Compute {
        if precision == nil, name.hasSuffix("/i8") {
            return try compute(String(name.dropLast(3)), precision: .i8)
        }
        guard let registry else {
            throw BackendError(.notFound, "no registry of backends beside the tests")
        }
        let selection = try BackendSelection(parsing: name)
        return try Compute(device: registry.open(selection), precision: precision)
    }

    private static let registry = try? BackendRegistry.discover()
}
