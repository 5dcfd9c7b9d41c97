import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Messages
import SwiftProtobuf

/// Calls a daemon in every way that the protocol knows: `Client SOCKET SOURCE.png POSE.json`.
@main
struct Client {
    typealias Transport = HTTP2ClientTransport.Posix

    /// What was not as it should be.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 else {
            print("usage: Client SOCKET SOURCE.png POSE.json")
            exit(2)
        }
        do {
            let transport = try Transport(
                target: .unixDomainSocket(path: arguments[1]), transportSecurity: .plaintext)
            try await withGRPCClient(transport: transport) { client in
                let run = Run(
                    client: client,
                    source: try Data(contentsOf: URL(fileURLWithPath: arguments[2])),
                    pose: try Data(contentsOf: URL(fileURLWithPath: arguments[3])))
                try await run.all()
            }
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }
}
