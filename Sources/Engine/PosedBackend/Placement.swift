/// Where the parts of a model work: each may have a device of its own.
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

    /// What texts say for both image encoders.
    package static let encoders = "encoders"

    private var places: [Part: BackendSelection]

    /// All parts in one place.
    package init(_ selection: BackendSelection = .automatic) {
        places = Dictionary(uniqueKeysWithValues: Part.allCases.map { ($0, selection) })
    }

    /// Reads `cpu` (all parts), or `vae=cpu,transformer=cuda`; parts that are not named take a
    /// place given without a part (`cuda,vae=cpu`), or else are placed automatically.
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

    /// Where `part` works.
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
