package import CPosedBackend
import Glibc

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
