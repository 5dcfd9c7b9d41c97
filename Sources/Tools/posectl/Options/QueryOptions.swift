import ArgumentParser
import PosedProtos
import PosedRPC
import SwiftProtobuf

/// What commands share that ask the daemon one thing and print its answer.
struct QueryOptions: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print JSON.")
    var json = false

    /// Asks, and prints the answer: as JSON where that was asked for, else as a table. `session` is the one that it is
    /// about, for proxies. Throws `PosectlError`.
    func show<Request: Message, Response: Message>(
        _ method: MethodDescriptor<Request, Response>, _ request: Request,
        session: String? = nil, as table: (Response) -> Table
    ) async throws {
        let client = try await Client(connection)
        try show(try await client.call(method, request, session: session), as: table)
    }

    /// Prints an answer. Throws where it cannot be written as JSON.
    func show<Response: Message>(_ answer: Response, as table: (Response) -> Table) throws {
        if json { return try JSON.show(answer) }
        table(answer).show()
    }
}
