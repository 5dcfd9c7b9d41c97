internal import Glibc
internal import PosedServing
internal import PosedSystemd

/// The service manager's store of descriptors (`FileDescriptorStoreMax=`) as a place for encoded sources: each is a
/// sealed file in memory, which the manager holds while the daemon is away.
struct DescriptorStore: RestartStore {
    let inherited: [InheritedBytes]
    private let notifier: Notifier

    /// The store behind a notifier; nil where there is no service manager.
    ///
    /// - Parameter descriptors: what the manager passed; those that are no sockets are taken over.
    init?(_ notifier: Notifier, _ descriptors: [ListenDescriptor]) {
        guard notifier.address != nil else { return nil }
        self.notifier = notifier
        inherited = descriptors.filter { !$0.isSocket }.map { descriptor in
            do throws(SystemdError) {
                let memory = try SealedMemory(adopting: descriptor)
                return InheritedBytes(name: descriptor.name, byteCount: memory.byteCount) {
                    try memory.bytes()
                }
            } catch {
                return InheritedBytes(name: descriptor.name, byteCount: 0) { throw error }
            }
        }
    }

    func insert(_ parts: [[UInt8]], as name: String) throws {
        try notifier.store(SealedMemory(parts, name: "posed source"), name: name)
    }

    func remove(_ name: String) {
        // Where the manager does not hear of it now, it closes the file with the service.
        try? notifier.discard(name)
    }
}
