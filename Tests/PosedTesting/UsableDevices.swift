import Foundation
package import PosedBackend
package import PosedTensor

/// The backends of this build that run on this machine; tests of models run on each of them.
package enum UsableDevices {
    /// The plugins beside the test bundle which can be used, found and probed once.
    package static let names: [String] = {
        guard let registry else { return [] }
        return registry.entries.filter { $0.report.status == .usable }.map(\.name)
    }()

    /// A stream of the device of that name.
    ///
    /// - Parameter precision: The type to compute in; nil takes the device's preference.
    /// - Throws: `BackendError` when it cannot be opened.
    package static func compute(_ name: String, precision: DType? = nil) throws -> Compute {
        guard let registry else {
            throw BackendError(.notFound, "no registry of backends beside the tests")
        }
        let selection = try BackendSelection(parsing: name)
        return try Compute(device: registry.open(selection), precision: precision)
    }

    private static let registry = try? BackendRegistry.discover()
}
