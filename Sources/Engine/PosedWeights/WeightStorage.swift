import Glibc

/// A read-only range of memory that holds tensors: a file's mapping, or pages of our own.
///
/// The bytes never change after `init`, so that any thread may read them; `@unchecked Sendable`
/// covers the one pointer that this class owns. A mapped file must not be truncated by someone else
/// while it is open: the system would answer a read beyond its new end with a signal.
package final class WeightStorage: @unchecked Sendable {
    /// The bytes; valid as long as this object lives.
    package let bytes: UnsafeRawBufferPointer
    /// Whether the pages come from a file and can be dropped and read again.
    package let isMapped: Bool
    /// The length that was mapped, which is what `munmap` wants back.
    private let mappedLength: Int

    private init(base: UnsafeMutableRawPointer?, count: Int, isMapped: Bool) {
        bytes = UnsafeRawBufferPointer(start: base, count: count)
        mappedLength = count
        self.isMapped = isMapped
    }

    deinit {
        if let base = bytes.baseAddress, mappedLength > 0 {
            munmap(UnsafeMutableRawPointer(mutating: base), mappedLength)
        }
    }

    /// No bytes at all.
    static let empty = WeightStorage(base: nil, count: 0, isMapped: false)

    /// Maps a regular file into memory, read-only.
    ///
    /// Throws `unreadable` if the file cannot be opened, is not a regular file, or cannot be
    /// mapped.
    package static func map(path: String) throws(WeightsError) -> WeightStorage {
        // O_NONBLOCK: a named pipe must be refused, not waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw refusal(path, "cannot be opened: " + reason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw refusal(path, "cannot be examined: " + reason(errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw refusal(path, "is not a regular file")
        }
        let count = Int(status.st_size)
        guard count > 0 else { return .empty }
        let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let base, base != MAP_FAILED else {
            throw refusal(path, "cannot be mapped into memory: " + reason(errno))
        }
        return WeightStorage(base: base, count: count, isMapped: true)
    }

    /// Fresh zeroed pages, filled once by `fill`; nil if the system has no such range to give.
    ///
    /// Pages that nobody writes cost no memory.
    package static func pages(
        count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void = { _ in }
    ) -> WeightStorage? {
        guard count > 0 else { return .empty }
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let base = mmap(nil, count, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let base, base != MAP_FAILED else { return nil }
        fill(UnsafeMutableRawBufferPointer(start: base, count: count))
        return WeightStorage(base: base, count: count, isMapped: false)
    }

    /// Tells the system that a range of a mapped file is not needed for now: its pages leave this
    /// process, and come back from the file if they are read again.
    package func release(_ range: Range<Int>) {
        guard isMapped, let base = bytes.baseAddress, !range.isEmpty else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        guard page > 0, range.lowerBound >= 0, range.upperBound <= bytes.count else { return }
        let start = range.lowerBound / page * page
        let address = UnsafeMutableRawPointer(mutating: base + start)
        _ = madvise(address, range.upperBound - start, MADV_DONTNEED)
    }

    private static func refusal(_ path: String, _ what: String) -> WeightsError {
        WeightsError(.unreadable, "\(path): \(what)")
    }

    private static func reason(_ number: Int32) -> String {
        strerror(number).map { String(cString: $0) } ?? "error \(number)"
    }
}
