import Foundation
import Glibc
import PosedAccounts
import PosedDaemon
import PosedRPC
import Testing

struct AccessControlTests {
    private static let method = "/posed.v1.SessionService/ListSessions"
    private static let check = "/grpc.health.v1.Health/Check"

    private func request(_ address: Peer.Address, certificate: String? = nil, to method: String)
        -> ServerRequest
    {
        let shown = certificate.map {
            Peer.Certificate(subject: "CN=\($0)", commonName: $0, alternativeNames: [])
        }
        return ServerRequest(
            id: "1", method: method, peer: Peer(address: address, certificate: shown))
    }

    private func access(
        unix: [String], tcp: [String], limits: AccountLimits = AccountLimits()
    ) throws -> AccessControl {
        AccessControl(
            .init(
                unix: try unix.map { try #require(IdentityPattern(parsing: $0)) },
                tcp: try tcp.map { try #require(IdentityPattern(parsing: $0)) }),
            tokens: try TokenFile(nil), openMethods: [Self.check], accounts: Accounts(limits))
    }

    private func code(_ access: AccessControl, _ request: ServerRequest) -> StatusCode {
        do throws(RPCError) {
            _ = try access.identity(request)
            return .ok
        } catch {
            return error.code
        }
    }

    @Test func eachKindOfSocketHasItsOwnCallers() throws {
        let access = try access(unix: ["unix:1000"], tcp: ["mtls:studio"])
        let user = request(.unix(user: 1000, group: 1, process: 1), to: Self.method)
        let other = request(.unix(user: 1001, group: 1, process: 1), to: Self.method)
        let studio = request(.tcp("192.0.2.1:1"), certificate: "studio", to: Self.method)
        let stranger = request(.tcp("192.0.2.1:1"), certificate: "stranger", to: Self.method)
        #expect(try access.identity(user) == .unix(user: 1000))
        #expect(try access.identity(studio) == .certificate("studio"))
        #expect(code(access, other) == .permissionDenied)
        #expect(code(access, stranger) == .permissionDenied)
    }

    @Test func whoSaysNothingIsAskedWhoItIs() throws {
        let access = try access(unix: ["*"], tcp: ["*"])
        let nobody = request(.tcp("192.0.2.1:1"), to: Self.method)
        #expect(code(access, nobody) == .unauthenticated)
        let open = try self.access(unix: [], tcp: ["anonymous"])
        #expect(try open.identity(nobody) == .anonymous)
    }

    @Test func healthIsForEverybody() throws {
        let access = try access(unix: [], tcp: [])
        #expect(code(access, request(.tcp("192.0.2.1:1"), to: Self.check)) == .ok)
        #expect(
            code(access, request(.unix(user: 0, group: 0, process: 1), to: Self.method))
                == .permissionDenied)
    }

    /// Health checks have calls of their own: neither kind can use up the other's, nor one caller another's.
    @Test func callsAreTakenFromTheirCallersAccount() throws {
        var limits = AccountLimits()
        limits.each[.openCalls] = 2
        limits.total[.openCalls] = 3
        limits.each[.calls] = 1
        let access = try access(unix: ["*"], tcp: [], limits: limits)
        let stranger = request(.tcp("192.0.2.1:1"), to: Self.check)
        let other = request(.tcp("192.0.2.2:1"), to: Self.check)
        let user = request(.unix(user: 7, group: 7, process: 1), to: Self.method)
        let second = request(.unix(user: 8, group: 8, process: 1), to: Self.method)
        var held = try (0..<2).map { _ in try access.admit(stranger) }
        #expect(code { try access.admit(stranger) } == .resourceExhausted)
        held.append(try access.admit(other))
        held.append(try access.admit(user))
        #expect(code { try access.admit(user) } == .resourceExhausted)
        held.append(try access.admit(second))
        #expect(held.map(\.identity.description).suffix(2) == ["unix:7", "unix:8"])
        #expect(held[0].largestMessage < 64 << 10)
        #expect(held[0].account.caller == .host("192.0.2.1"))
        held[0].call.release()
        #expect(code { try access.admit(stranger) } == .ok)
    }

    private func code(_ body: () throws -> Admission) -> StatusCode {
        do {
            _ = try body()
            return .ok
        } catch {
            return (error as? RPCError)?.code ?? .unknown
        }
    }

    @Test func administratorsAreTheDaemonsUserAndThoseThatAreNamed() throws {
        let access = try access(unix: [], tcp: [])
        #expect(access.isAdministrator(.unix(user: getuid())))
        #expect(!access.isAdministrator(.token("ops")))
        #expect(!access.isAdministrator(.anonymous))
        access.policy.administrators = [try #require(IdentityPattern(parsing: "token:ops"))]
        #expect(access.isAdministrator(.token("ops")))
        #expect(!access.isAdministrator(.token("studio")))
    }

    @Test func refusalsNameNobodyElse() throws {
        let access = try access(unix: ["unix:1000"], tcp: ["mtls:studio", "token:ops"])
        let nobody = request(.tcp("192.0.2.1:1"), to: Self.method)
        let user = request(.unix(user: 7, group: 7, process: 1), to: Self.method)
        for request in [nobody, user] {
            do throws(RPCError) {
                _ = try access.identity(request)
                Issue.record("a stranger was let in")
            } catch {
                for name in ["studio", "ops", "1000"] { #expect(!error.message.contains(name)) }
            }
        }
    }

    @Test func aNewPolicyHoldsForTheNextCall() throws {
        let access = try access(unix: ["unix:*"], tcp: [])
        let user = request(.unix(user: 7, group: 7, process: 1), to: Self.method)
        #expect(code(access, user) == .ok)
        access.policy = .init(unix: [], tcp: [])
        #expect(code(access, user) == .permissionDenied)
    }

    @Test func whoIsTurnedAwayDoesNotLearnWhoMayCall() throws {
        let access = try access(unix: ["unix:1000"], tcp: ["token:ops", "mtls:billing"])
        let callers = [
            request(.tcp("192.0.2.1:1"), to: Self.method),
            request(.tcp("192.0.2.1:1"), certificate: "stranger", to: Self.method),
            request(.unix(user: 7, group: 7, process: 1), to: Self.method),
        ]
        for caller in callers {
            let error = #expect(throws: RPCError.self) { try access.identity(caller) }
            for name in ["ops", "billing", "1000"] {
                #expect(error?.message.contains(name) == false)
            }
        }
    }

    @Test func tokensOfAnotherFileHoldAtOnce() throws {
        let folder = try TemporaryFolder()
        func write(_ name: String, _ text: String) throws -> String {
            let path = folder.path + "/" + name
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            return path
        }
        let (old, new) = ("the-old-token-of-alice", "the-new-token-of-alice")
        let tokens = try TokenFile(try write("first", "alice \(old)\n"))
        let access = AccessControl(
            .init(unix: [], tcp: [try #require(IdentityPattern(parsing: "token:*"))]),
            tokens: tokens, openMethods: [], accounts: Accounts(AccountLimits()))
        func code(_ token: String) throws -> StatusCode {
            self.code(
                access,
                ServerRequest(
                    id: "1", method: Self.method,
                    metadata: try Authentication.metadata(token: token),
                    peer: Peer(address: .tcp("192.0.2.1:1"))))
        }
        #expect(try code(old) == .ok)
        let moved = try write("second", "alice \(new)\n")
        try FileManager.default.removeItem(atPath: folder.path + "/first")
        try tokens.prepare(path: moved)?()
        #expect(try code(new) == .ok)
        #expect(try code(old) == .unauthenticated)
        #expect(tokens.paths == [moved])
        // From now on the watcher looks at the new file.
        _ = try write("second", "bob \(old)\n")
        try tokens.prepare(always: false)?()
        #expect(try code(new) == .unauthenticated)
        #expect(try code(old) == .ok)
    }
}
