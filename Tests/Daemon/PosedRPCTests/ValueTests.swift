import PosedRPC
import Testing

@Suite("Values")
struct ValueTests {
    @Test("status codes have the numbers and names of the protocol")
    func codes() {
        #expect(StatusCode.all.map(\.rawValue) == Array(0...16))
        #expect(StatusCode.all.map(\.name).last == "UNAUTHENTICATED")
        for code in StatusCode.all { #expect(StatusCode(rawValue: code.rawValue) == code) }
        for number: Int32 in [-1, 17, .max, .min] {
            #expect(StatusCode(rawValue: number) == .unknown)
        }
    }

    @Test(
        "keys and values that cannot be sent are refused",
        arguments: [
            ("", "v"), ("x y", "v"), ("x:y", "v"), ("grpc-x", "v"), ("x-bin", "v"), ("ü", "v"),
            ("x", "ü"), ("x", "a\nb"), ("x", "\u{7F}"),
        ])
    func badMetadata(key: String, value: String) {
        var metadata = Metadata()
        let error = #expect(throws: RPCError.self) { try metadata.add(key, value) }
        #expect(error?.code == .invalidArgument)
        #expect(metadata.isEmpty)
    }

    @Test("metadata is an ordered list in which keys may repeat")
    func metadata() throws {
        var metadata = Metadata()
        try metadata.add("B", "1")
        try metadata.add("a", "2")
        try metadata.add("b", "3")
        try metadata.add("c-bin", bytes: [1, 2])
        #expect(throws: RPCError.self) { try metadata.add("c", bytes: [1]) }
        #expect(metadata.entries.map(\.key) == ["b", "a", "b", "c-bin"])
        #expect(metadata["b"] == "1")
        #expect(metadata.texts("B") == ["1", "3"])
        #expect(metadata.bytes("c-bin") == [1, 2])
        #expect(metadata["c-bin"] == nil && metadata.bytes("a") == nil)
        try metadata.set("b", "4")
        #expect(metadata.texts("b") == ["4"])
        #expect(throws: RPCError.self) { try metadata.set("b", "\n") }
        #expect(metadata["b"] == "4")
        metadata.remove("A")
        #expect(metadata["a"] == nil)
    }

    @Test("bytes are shared until someone writes")
    func bytes() {
        let one = MessageBytes([1, 2, 3])
        var other = one
        other.withUnsafeMutableBytes { $0[0] = 9 }
        #expect(one.array == [1, 2, 3])
        #expect(other.array == [9, 2, 3])
        #expect(one != other)
        #expect(MessageBytes() == MessageBytes([]))
        #expect(MessageBytes(repeating: 7, count: 3).array == [7, 7, 7])
        #expect(MessageBytes().isEmpty)
    }

    @Test("errors say code, message and cause; identities have their texts")
    func descriptions() {
        let cause = RPCError(.internal, "below")
        #expect(RPCError(.notFound, "no such").description == "NOT_FOUND: no such")
        #expect(
            RPCError(.aborted, "ended", cause: cause).description
                == "ABORTED: ended (INTERNAL: below)")
        #expect(Identity.unix(user: 7).description == "unix:7")
        #expect(Identity.token("a").description == "token:a")
        #expect(Identity.certificate("a").description == "mtls:a")
        #expect(Identity.anonymous.description == "anonymous")
    }

    @Test("a objectCounts knows what is alive")
    func objectCounts() async throws {
        let objectCounts = ObjectCounts()
        #expect(objectCounts.snapshot().isEmpty && objectCounts.snapshot().description == "nothing")
        var configuration = ChannelConfiguration(target: .unix(path: "/tmp/posed-nobody"))
        configuration.objectCounts = objectCounts
        do {
            let channel = try Channel(configuration)
            #expect(objectCounts.snapshot()[.channels] == 1)
            #expect(objectCounts.snapshot().description.contains("channels 1"))
            withExtendedLifetime(channel) {}
        }
        await objectCounts.settled()
        #expect(objectCounts.snapshot().isEmpty)
    }

    @Test("a value that comes once reaches all who wait, before and after")
    func oneShot() async {
        let shot = OneShot<Int>()
        #expect(shot.now == nil)
        async let early = shot.value()
        shot.fulfil(1)
        shot.fulfil(2)
        #expect(await early == 1)
        #expect(await shot.value() == 1)
        #expect(shot.now == 1)
    }
}
