/// The types that the parts of a model compute in: each may have one of its own.
package struct PartTypes: Hashable, Sendable, CustomStringConvertible {
    private var types: [Placement.Part: DType] = [:]

    /// One type for all parts; nil takes each device's preference.
    package init(_ type: DType? = nil) {
        for part in Placement.Part.allCases { self[part] = type }
    }

    /// Reads `bf16` (all parts), or `transformer=i8`; parts that are not named take a type given without a part
    /// (`i8,encoders=bf16`), or else their devices' preference, `auto`.
    ///
    /// - Throws: `.invalidArgument`.
    package init(parsing text: String) throws(BackendError) {
        let (common, named) = try Placement.Part.assignments(in: text, of: "types") {
            item throws(BackendError) in try Self.type(item)
        }
        self.init(common ?? nil)
        for (part, type) in named { self[part] = type }
    }

    /// The type of `part`; nil for its device's preference.
    package subscript(part: Placement.Part) -> DType? {
        get { types[part] }
        set { types[part] = newValue }
    }

    /// The form that ``init(parsing:)`` reads.
    package var description: String { Placement.Part.text { self[$0]?.name ?? "auto" } }

    /// What a part can compute in.
    package static let choices: [DType] = [.f32, .bf16, .f16, .i8]

    private static func type(_ name: String) throws(BackendError) -> DType? {
        if name == "auto" { return nil }
        guard let type = DType(name: name), choices.contains(type) else {
            let known = choices.map(\.name).joined(separator: ", ")
            throw BackendError(
                .invalidArgument, "no type \"\(name)\", expected one of auto, \(known)")
        }
        return type
    }
}
