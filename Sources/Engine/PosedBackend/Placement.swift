/// The devices of a model's parts: each may have one of its own.
package struct Placement: Hashable, Sendable, CustomStringConvertible {
    /// A part of a model that is placed as one.
    package enum Part: String, CaseIterable, Sendable {
        /// The autoencoder.
        case vae
        /// The source's image encoder.
        case sourceEncoder = "source_encoder"
        /// The pose's image encoder.
        case poseEncoder = "pose_encoder"
        /// The velocity transformer, with conditioning and the reference stream.
        case transformer
    }

    /// The name of both image encoders in texts.
    package static let encoders = "encoders"

    private var places: [Part: BackendSelection]

    /// All parts in one place.
    package init(_ selection: BackendSelection = .automatic) {
        places = Dictionary(uniqueKeysWithValues: Part.allCases.map { ($0, selection) })
    }

    /// Reads `onednn` (all parts), or `vae=blas,transformer=onednn`; parts that are not named take a
    /// place given without a part (`onednn,vae=blas`), or else are placed automatically.
    ///
    /// - Throws: `.invalidArgument`.
    package init(parsing text: String) throws(BackendError) {
        let (common, named) = try Part.assignments(in: text, of: "backends") {
            item throws(BackendError) in try BackendSelection(parsing: item)
        }
        self.init(common ?? .automatic)
        places.merge(named) { $1 }
    }

    /// Reads the placements of copies of a model, with `+` between them: `cuda:0+cuda:1`.
    ///
    /// - Throws: `.invalidArgument`.
    package static func copies(parsing text: String) throws(BackendError) -> [Placement] {
        try text.split(separator: "+", omittingEmptySubsequences: false).map {
            copy throws(BackendError) in try Placement(parsing: String(copy))
        }
    }

    /// The device of `part`.
    package subscript(part: Part) -> BackendSelection {
        get { places[part] ?? .automatic }
        set { places[part] = newValue }
    }

    /// The form that ``init(parsing:)`` reads.
    package var description: String { Part.text { self[$0].description } }
}

extension Placement.Part {
    /// Reads `value` (all parts), `part=value,…`, or both, the first then being for the other parts.
    ///
    /// - Parameter what: what the values are, in the plural, for errors.
    /// - Throws: `.invalidArgument`, and what `value` throws.
    static func assignments<Value>(
        in text: String, of what: String, value: (String) throws(BackendError) -> Value
    ) throws(BackendError) -> (common: Value?, named: [Self: Value]) {
        var (named, common): ([Self: Value], Value?) = ([:], nil)
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = item.firstIndex(of: "=") else {
                guard common == nil else {
                    throw BackendError(
                        .invalidArgument, "\"\(text)\": two \(what) are named without a part")
                }
                common = try value(String(item))
                continue
            }
            let name = String(item[..<equals])
            let parts =
                name == Placement.encoders
                ? [sourceEncoder, poseEncoder] : Self(rawValue: name).map { [$0] } ?? []
            guard !parts.isEmpty else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw BackendError(
                    .invalidArgument,
                    "\"\(text)\": no part \"\(name)\", expected one of \(known), or "
                        + "\(Placement.encoders) for both encoders")
            }
            let own = try value(String(item[item.index(after: equals)...]))
            for part in parts where named.updateValue(own, forKey: part) != nil {
                throw BackendError(
                    .invalidArgument, "\"\(text)\": \(part.rawValue) is named twice")
            }
        }
        return (common, named)
    }

    /// The form that ``assignments(in:of:value:)`` reads: one value, where all have the same.
    static func text(of value: (Self) -> String) -> String {
        let values = allCases.map(value)
        if Set(values).count == 1 { return values[0] }
        var names = zip(allCases, values).map { ($0.rawValue, $1) }
        if value(sourceEncoder) == value(poseEncoder) {
            names.removeAll { $0.0 == poseEncoder.rawValue }
            names = names.map { ($0.0 == sourceEncoder.rawValue ? Placement.encoders : $0.0, $0.1) }
        }
        return names.map { "\($0.0)=\($0.1)" }.joined(separator: ",")
    }
}

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

    /// The types that a part can compute in.
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

/// Which device of which plugin is wanted: `auto`, `blas`, `cuda:1`.
package struct BackendSelection: Hashable, Sendable, CustomStringConvertible {
    /// The plugin's name, or nil for the best that this machine can use.
    package let plugin: String?
    /// Which of the plugin's devices, from 0.
    package let index: Int

    /// The first device of the plugin that scores highest.
    package static let automatic = BackendSelection(plugin: nil, index: 0)

    /// Device `index` of `plugin`.
    package init(plugin: String?, index: Int = 0) {
        self.plugin = plugin
        self.index = index
    }

    /// Reads `auto`, `NAME` or `NAME:INDEX`.
    ///
    /// - Throws: `.invalidArgument`.
    package init(parsing text: String) throws(BackendError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let name = parts.first.map(String.init) ?? ""
        let index = parts.count == 2 ? Int(parts[1]) : 0
        let plain = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        guard parts.count <= 2, !name.isEmpty, plain, let index, index >= 0,
            index <= Int(Int32.max), name != "auto" || parts.count == 1
        else {
            throw BackendError(
                .invalidArgument,
                "backend \"\(text)\": expected auto, a name such as blas, or a name and the number"
                    + " of a device such as cuda:1")
        }
        self.plugin = name == "auto" ? nil : name
        self.index = index
    }

    /// The form that ``init(parsing:)`` reads.
    package var description: String {
        guard let plugin else { return "auto" }
        return index == 0 ? plugin : "\(plugin):\(index)"
    }
}
