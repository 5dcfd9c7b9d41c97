internal import CPosedGlibc
internal import Glibc
internal import PosedBase

/// A file in memory that nobody can change any more, for the service manager to keep while the process is away.
///
/// Seals hold for every process that has the file, so what was checked once stays as it was.
package final class SealedMemory: Sendable {
    private let descriptor: Int32
    /// Its length in bytes.
    package let byteCount: Int

    /// A new file of these bytes.
    ///
    /// - Parameter name: what `/proc` shows.
    /// - Throws: ``SystemdError`` where there is no memory or no descriptor for it.
    package init(_ parts: [[UInt8]], name: String) throws(SystemdError) {
        let descriptor = posed_memory_file(name)
        guard descriptor >= 0 else { throw Self.failure("be made", errno) }
        do throws(SystemdError) {
            for part in parts { try Self.write(part, to: descriptor) }
            guard posed_memory_file_seal(descriptor) == 0 else {
                throw Self.failure("be sealed", errno)
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        byteCount = parts.reduce(0) { $0 + $1.count }
    }

    /// Takes over a descriptor that the service manager kept. It is closed where it is none of a sealed file.
    ///
    /// - Throws: ``SystemdError`` for anything but a sealed file in memory.
    package init(adopting descriptor: ListenDescriptor) throws(SystemdError) {
        var status = stat()
        guard posed_memory_file_is_sealed(descriptor.number), fstat(descriptor.number, &status) == 0
        else {
            close(descriptor.number)
            throw SystemdError(
                .badDescriptor,
                "'\(descriptor.name)' from the service manager should be a sealed file in memory")
        }
        self.descriptor = descriptor.number
        byteCount = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Calls `body` with the descriptor, which is closed with this object.
    package func withDescriptor<Result, Failure: Error>(
        _ body: (Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withExtendedLifetime(self) { () throws(Failure) in try body(descriptor) }
    }

    /// All of it.
    ///
    /// - Throws: ``SystemdError`` where it cannot be read.
    package func bytes() throws(SystemdError) -> [UInt8] {
        var number: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            while count < byteCount {
                let read = pread(
                    descriptor, buffer.baseAddress.map { $0 + count }, byteCount - count, count)
                if read < 0, errno == EINTR { continue }
                guard read > 0 else {
                    number = read < 0 ? errno : EIO
                    return
                }
                count += read
            }
        }
        guard number == 0 else { throw Self.failure("be read", number) }
        return bytes
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemdError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(
                    descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("be written", errno) }
            written += count
        }
    }

    private static func failure(_ verb: String, _ number: Int32) -> SystemdError {
        SystemdError(
            .badDescriptor,
            "a file in memory could not \(verb): \(SystemError.text(number))",
            errno: number)
    }
}
