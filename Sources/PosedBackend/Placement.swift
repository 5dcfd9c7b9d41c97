/// Where the parts of a model work: each may have a device of its own.
package struct Placement: Hashable, Sendable, CustomStringConvertible {
    /// A part of a model that is placed as one.
    package enum Part: String, CaseIterable, Sendable {
        /// The autoencoder.
        case vae
        /// Both image encoders.
        case encoders
        /// The velocity transformer, with conditioning and the reference stream.
        case transformer
    }

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
        var (named, common): ([Part: BackendSelection], BackendSelection?) = ([:], nil)
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let equals = item.firstIndex(of: "=") else {
                guard common == nil else {
                    throw BackendError(
                        .invalidArgument, "\"\(text)\": two backends are named without a part")
                }
                common = try BackendSelection(parsing: String(item))
                continue
            }
            guard let part = Part(rawValue: String(item[..<equals])) else {
                let parts = Part.allCases.map(\.rawValue).joined(separator: ", ")
                throw BackendError(
                    .invalidArgument,
                    "\"\(text)\": no part \"\(item[..<equals])\", expected one of \(parts)")
            }
            let place = try BackendSelection(parsing: String(item[item.index(after: equals)...]))
            guard named.updateValue(place, forKey: part) == nil else {
                throw BackendError(
                    .invalidArgument, "\"\(text)\": \(part.rawValue) is placed twice")
            }
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
    package var description: String {
        if Set(places.values).count == 1 { return self[.vae].description }
        return Part.allCases.map { "\($0.rawValue)=\(self[$0])" }.joined(separator: ",")
    }
}
