import PosedRPC
import Testing

@Suite struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    /// A header with these fields; `addresses` may have further bytes behind the addresses.
    static func header(
        command: UInt8 = 0x21, family: UInt8 = 0x11,
        addresses: [UInt8] = [192, 0, 2, 7, 10, 0, 0, 1, 0x9C, 0x40, 0x1D, 0x13]
    ) -> [UInt8] {
        let count = addresses.count
        return signature + [command, family, UInt8(count >> 8), UInt8(count & 255)] + addresses
    }

    @Test func aClientOfIPv4() {
        let header = Self.header()
        #expect(
            ProxyHeader.judge(header + [1, 2, 3])
                == .complete(length: 28, .client("192.0.2.7:40000")))
        for count in 0..<header.count {
            #expect(ProxyHeader.judge(Array(header[..<count])) == .undecided)
        }
    }

    @Test func aClientOfIPv6() {
        let address: [UInt8] = [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        let addresses = address + address + [0x9C, 0x40, 0, 1]
        #expect(
            ProxyHeader.judge(Self.header(family: 0x21, addresses: addresses))
                == .complete(length: 52, .client("[2001:db8::1]:40000")))
        let mapped = [UInt8](repeating: 0, count: 10) + [255, 255, 192, 0, 2, 7]
        #expect(
            ProxyHeader.judge(
                Self.header(family: 0x21, addresses: mapped + mapped + [0, 1, 0, 2]))
                == .complete(length: 52, .client("192.0.2.7:1")))
    }

    @Test func whatFollowsTheAddressesIsSkipped() {
        let header = Self.header(addresses: [1, 2, 3, 4, 5, 6, 7, 8, 0, 80, 0, 80, 4, 0, 1, 9])
        #expect(ProxyHeader.judge(header) == .complete(length: 32, .client("1.2.3.4:80")))
    }

    @Test func aProxyMaySpeakForItself() {
        #expect(
            ProxyHeader.judge(Self.header(command: 0x20, family: 0, addresses: []))
                == .complete(length: 16, .proxy))
        // Of a client on a Unix socket it knows no address.
        #expect(
            ProxyHeader.judge(Self.header(family: 0, addresses: []))
                == .complete(length: 16, .proxy))
    }

    @Test(arguments: [
        Array("PRI * HTTP/2.0\r\n".utf8), Array("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n".utf8),
        header(command: 0x11), header(command: 0x22), header(addresses: [1, 2, 3]),
        header(family: 0x21), signature + [0x21, 0x11, 0xFF, 0xFF],
    ])
    func anythingElseIsRefused(_ bytes: [UInt8]) {
        #expect(ProxyHeader.judge(bytes) == .wrong)
    }
}
