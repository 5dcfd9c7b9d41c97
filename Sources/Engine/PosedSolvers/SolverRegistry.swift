package import CPosedBackend
import Foundation
import Glibc

/// The solvers that a request may name.
package struct SolverRegistry: Sendable {
    private var tableaus: [String: ButcherTableau] = [:]

    /// A registry of the built-in methods.
    package init() {
        for tableau in ButcherTableau.builtIn { tableaus[tableau.name] = tableau }
    }

    /// All names, sorted.
    package var names: [String] { tableaus.keys.sorted() }

    /// The method of that name. Throws `unknownSolver`, with the names there are.
    package func tableau(_ name: String) throws(SolverError) -> ButcherTableau {
        if let tableau = tableaus[name] { return tableau }
        throw SolverError(
            .unknownSolver,
            "unknown solver \(name.prefix(80).debugDescription); there are "
                + names.joined(separator: ", "))
    }

    /// Adds a method. Throws `invalidTableau` if its name is taken by a different one.
    package mutating func add(_ tableau: ButcherTableau) throws(SolverError) {
        if let present = tableaus[tableau.name], present != tableau {
            throw SolverError(
                .invalidTableau, "solver \(tableau.name): the name is taken by another method")
        }
        tableaus[tableau.name] = tableau
    }

    /// Adds the method that a tableau file describes; see `TableauFile`.
    package mutating func add(file path: String) throws(SolverError) {
        try add(all: [TableauFile.read(path)], from: path)
    }

    /// Adds the methods of a solver library; see `posed_solver.h`. All of them, or none.
    package mutating func add(library path: String) throws(SolverError) {
        try add(all: SolverLibrary.read(path), from: path)
    }

    private mutating func add(
        all tableaus: [ButcherTableau], from path: String
    ) throws(SolverError) {
        var registry = self
        for tableau in tableaus {
            do {
                try registry.add(tableau)
            } catch {
                throw SolverError(error.code, "\(path): \(error.message)", cause: error)
            }
        }
        self = registry
    }
}

/// Reads a method from a JSON file:
///
///     {"name": "heun", "order": 2, "c": [0, 1], "a": [[], [1]], "b": [0.5, 0.5]}
///
/// `a` has a row a stage: its coefficients below the diagonal, or all of them with zeros from the
/// diagonal on. `b_error` (b minus the embedded method's b) makes the method adaptive.
enum TableauFile {
    private struct Content: Decodable {
        let name: String
        let order: Int
        let c: [Double]
        let a: [[Double]]
        let b: [Double]
        let bError: [Double]?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case name, order, c, a, b
            case bError = "b_error"
        }
    }

    /// The longest file that is read, in bytes.
    private static let maxLength = 1_000_000

    /// Throws `unreadable` if the file cannot be read or is not such an object, `invalidTableau` if
    /// its numbers are no method; the message names the file.
    static func read(_ path: String) throws(SolverError) -> ButcherTableau {
        let content = try content(of: path)
        let a = content.a.enumerated().map { index, row in
            // A full row with zeros from the diagonal on is cut to what is below it.
            row.count == content.b.count && row.dropFirst(index).allSatisfy { $0 == 0 }
                ? Array(row.prefix(index)) : row
        }
        do {
            return try ButcherTableau(
                name: content.name, order: content.order, c: content.c, a: a, b: content.b,
                bError: content.bError)
        } catch {
            throw SolverError(error.code, "\(path): \(error.message)", cause: error)
        }
    }

    private static func content(of path: String) throws(SolverError) -> Content {
        let data: Data
        do {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
            guard attributes[.type] as? FileAttributeType == .typeRegular,
                let size = attributes[.size] as? NSNumber, size.intValue <= maxLength
            else {
                throw SolverError(
                    .unreadable, "\(path): a regular file of at most \(maxLength) bytes expected")
            }
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch let error as SolverError {
            throw error
        } catch {
            throw SolverError(.unreadable, "\(path): cannot be read", cause: error)
        }
        do {
            try checkKeys(JSONSerialization.jsonObject(with: data), path)
            return try JSONDecoder().decode(Content.self, from: data)
        } catch let error as SolverError {
            throw error
        } catch {
            throw SolverError(.unreadable, "\(path): \(text(error))", cause: error)
        }
    }

    /// A misspelt key must not pass for one left out.
    private static func checkKeys(_ json: Any, _ path: String) throws(SolverError) {
        guard let object = json as? [String: Any] else {
            throw SolverError(.unreadable, "\(path): a JSON object expected")
        }
        let known = Content.CodingKeys.allCases.map(\.rawValue)
        if let key = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw SolverError(
                .unreadable,
                "\(path): unknown key \(key.prefix(80).debugDescription); there are "
                    + known.joined(separator: ", "))
        }
    }

    private static func text(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { key in key.intValue.map { "[\($0)]" } ?? key.stringValue }.joined()
        }
        switch error {
        case DecodingError.keyNotFound(let key, _): return "the key \(key.stringValue) is missing"
        case DecodingError.typeMismatch(let type, let context),
            DecodingError.valueNotFound(let type, let context):
            return "\(place(context.codingPath)): \(name(type)) expected"
        case DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty:
            return "\(place(context.codingPath)): \(context.debugDescription)"
        default: return "no valid JSON"
        }
    }

    private static func name(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Int.Type: "an integer"
        case is Double.Type: "a number"
        default: "an array"
        }
    }
}

/// Reads the methods of a shared library that speaks `posed_solver.h`, and closes it again.
package enum SolverLibrary {
    /// The most methods that are read from one library.
    private static let maxMethods = 64

    /// Throws `unreadable` if the library cannot be opened, lacks the entry function or speaks
    /// another version, `invalidTableau` if one of its methods is none; the message names the file.
    static func read(_ path: String) throws(SolverError) -> [ButcherTableau] {
        // A name without a slash would make the loader search its own folders.
        let file = path.contains("/") ? path : "./" + path
        guard let library = dlopen(file, RTLD_NOW | RTLD_LOCAL) else {
            throw unreadable(path, "cannot be loaded: \(reason())")
        }
        defer { dlclose(library) }
        guard let symbol = dlsym(library, POSED_SOLVER_ENTRY) else {
            throw unreadable(path, "is no solver library; it does not export \(POSED_SOLVER_ENTRY)")
        }
        let entry = unsafeBitCast(symbol, to: posed_solver_entry_fn.self)
        return try tableaus(entry(POSED_SOLVER_ABI), path)
    }

    /// Copies and checks the methods that an entry function returned.
    ///
    /// - Parameters:
    ///   - first: What the function returned; every pointer that is not NULL is believed.
    ///   - path: The library, for messages.
    package static func tableaus(
        _ first: UnsafePointer<posed_solver_tableau>?, _ path: String
    ) throws(SolverError) -> [ButcherTableau] {
        guard var next = first else {
            throw unreadable(path, "has no solver for version \(POSED_SOLVER_ABI) of the interface")
        }
        var tableaus: [ButcherTableau] = []
        while tableaus.count < maxMethods {
            tableaus.append(try tableau(next, path))
            guard let following = next.pointee.next else { return tableaus }
            next = following
        }
        throw unreadable(path, "has more than \(maxMethods) solvers")
    }

    private static func tableau(
        _ pointer: UnsafePointer<posed_solver_tableau>, _ path: String
    ) throws(SolverError) -> ButcherTableau {
        // Size and version come first in every version; nothing else is read before they fit.
        let head = UnsafeRawPointer(pointer)
        let size = head.load(as: UInt32.self)
        let abi = head.load(fromByteOffset: 4, as: UInt32.self)
        guard abi == POSED_SOLVER_ABI else {
            throw unreadable(
                path,
                "speaks version \(abi) of the solver interface, but \(POSED_SOLVER_ABI) is "
                    + "expected")
        }
        guard Int(size) == MemoryLayout<posed_solver_tableau>.size else {
            throw unreadable(
                path,
                "describes a solver in \(size) bytes, but "
                    + "\(MemoryLayout<posed_solver_tableau>.size) are expected")
        }
        let table = pointer.pointee
        let stages = Int(table.stages)
        guard let name = table.name, let a = table.a, let b = table.b, let c = table.c else {
            throw unreadable(path, "describes a solver without a name, a, b or c")
        }
        let title = String(
            decoding: UnsafeRawBufferPointer(start: name, count: strnlen(name, 65)), as: UTF8.self)
        guard (1...ButcherTableau.maxStages).contains(stages) else {
            throw SolverError(
                .invalidTableau,
                "\(path): solver \(title): 1 to \(ButcherTableau.maxStages) stages "
                    + "expected, but \(stages) came")
        }
        let rows = try (0..<stages).map { row throws(SolverError) in
            let values = UnsafeBufferPointer(start: a + row * stages, count: stages)
            guard values.dropFirst(row).allSatisfy({ $0 == 0 }) else {
                throw SolverError(
                    .invalidTableau,
                    "\(path): solver \(title): row \(row) of a is not zero from "
                        + "the diagonal on, so the method is not explicit")
            }
            return Array(values.prefix(row))
        }
        let values = { (start: UnsafePointer<Double>) in
            Array(UnsafeBufferPointer(start: start, count: stages))
        }
        do {
            return try ButcherTableau(
                name: title, order: Int(table.order), c: values(c), a: rows, b: values(b),
                bError: table.b_error.map(values))
        } catch {
            throw SolverError(error.code, "\(path): \(error.message)", cause: error)
        }
    }

    private static func unreadable(_ path: String, _ what: String) -> SolverError {
        SolverError(.unreadable, "\(path): \(what)")
    }

    private static func reason() -> String {
        dlerror().map { String(cString: $0) } ?? "unknown reason"
    }
}
