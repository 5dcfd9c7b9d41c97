internal import Glibc
internal import PosedSystemd
internal import PosedTesting
internal import Testing

@Suite("Sealed files in memory")
struct SealedMemoryTests {
    @Test("hold what was written, and nobody can change it")
    func sealed() throws {
        let parts: [[UInt8]] = [
            [1, 2, 3], [], (0..<200_000).map { UInt8(truncatingIfNeeded: $0) },
        ]
        let memory = try SealedMemory(parts, name: "test")
        #expect(memory.byteCount == 200_003)
        #expect(try memory.bytes() == parts.flatMap { $0 })
        let descriptor = memory.withDescriptor { dup($0) }
        let again = try SealedMemory(adopting: ListenDescriptor(number: descriptor, name: "again"))
        #expect(write(descriptor, [9], 1) == -1 && errno == EPERM)
        #expect(ftruncate(descriptor, 0) == -1)
        #expect(try again.bytes() == memory.bytes())
    }

    @Test("anything else is closed and refused")
    func foreign() throws {
        var pipes: [Int32] = [0, 0]
        try #require(pipe(&pipes) == 0)
        defer { close(pipes[1]) }
        for number in [pipes[0], open("/proc/self/exe", O_RDONLY | O_CLOEXEC)] {
            let descriptor = ListenDescriptor(number: number, name: "foreign")
            #expect(!descriptor.isSocket)
            let error = #expect(throws: SystemdError.self) {
                try SealedMemory(adopting: descriptor)
            }
            #expect(error?.code == .badDescriptor)
            #expect(error?.message.contains("'foreign'") == true)
        }
        // A number that was closed may be another test's by now, and a child that is being started holds a copy for a
        // moment. The pipe's other end tells that nobody can read any more.
        var writer = pollfd(fd: pipes[1], events: 0, revents: 0)
        #expect(poll(&writer, 1, 30_000) == 1)
        #expect(writer.revents & Int16(POLLERR) != 0)
    }

    @Test("travel to the service manager with their name")
    func stored() throws {
        let sink = try NotifySink(abstract: true)
        let notifier = try Notifier(environment: ["NOTIFY_SOCKET": sink.address])
        try notifier.store(SealedMemory([[7, 8, 9]], name: "test"), name: "source-a")
        let message = try #require(sink.receive())
        #expect(message.text == "FDSTORE=1\nFDNAME=source-a\n")
        let descriptor = try #require(message.descriptors.first)
        let received = try SealedMemory(
            adopting: ListenDescriptor(number: descriptor, name: "source-a"))
        #expect(try received.bytes() == [7, 8, 9])
        try notifier.discard("source-a")
        #expect(sink.receive()?.text == "FDSTOREREMOVE=1\nFDNAME=source-a\n")
    }
}
