import PosedRPC
import Foundation
import PosedErrors
import PosedProtos
import PosedServing
import SwiftProtobuf
import Testing

import PosedService

@Suite struct SessionServiceTests {
    private let serving = FakeServing()
    private let ada = Caller(owner: "ada")

    private var service: SessionService {
        SessionService(
            serving: serving, codec: PictureCodec(workers: Workers(threads: 1)))
    }

    private func create(_ name: String = "") async throws -> Posed_V1_Session {
        var request = Posed_V1_CreateSessionRequest()
        request.sources = [try Pictures.png()]
        request.displayName = name
        return try await service.create(request, ada)
    }

    @Test func aSessionIsMadeFoundChangedAndEnded() async throws {
        let made = try await create("Ada")
        #expect(made.name == "sessions/1")
        #expect(made.displayName == "Ada")
        #expect(made.sourceCount == 1)
        #expect(serving.with { $0.created[0].sources } == [try Pictures.image()])

        var get = Posed_V1_GetSessionRequest()
        get.name = made.name
        #expect(try await service.get(get, ada) == made)

        var update = Posed_V1_UpdateSessionRequest()
        update.session.name = made.name
        update.session.ttl = Google_Protobuf_Duration(seconds: 7)
        #expect(try await service.update(update, ada).ttl.seconds == 7)

        var delete = Posed_V1_DeleteSessionRequest()
        delete.name = made.name
        _ = try await service.delete(delete, ada)
        let error = await #expect(throws: RequestError.self) { try await service.get(get, ada) }
        #expect(error?.code == .notFound)
    }

    @Test func aDeadlineReachesTheEngine() async throws {
        var request = Posed_V1_CreateSessionRequest()
        request.sources = [try Pictures.raw()]
        let deadline = ContinuousClock.now + .seconds(9)
        _ = try await service.create(request, Caller(owner: "ada", deadline: deadline))
        #expect(serving.with { $0.created[0].deadline } == deadline)
    }

    @Test func othersSessionsAreTheirs() async throws {
        _ = try await create()
        var get = Posed_V1_GetSessionRequest()
        get.name = "sessions/1"
        await #expect(throws: RequestError.self) {
            try await service.get(get, Caller(owner: "bob"))
        }
        #expect(
            try await service.list(Posed_V1_ListSessionsRequest(), Caller(owner: "bob"))
                .sessions.isEmpty)
        #expect(try await service.list(Posed_V1_ListSessionsRequest(), ada).sessions.count == 1)
    }

    @Test(arguments: [(Int32(0), 50), (1, 1), (1000, 1000), (1001, 1000), (.max, 1000)])
    func pagesHaveSizes(asked: Int32, size: Int) async throws {
        var request = Posed_V1_ListSessionsRequest()
        request.pageSize = asked
        request.pageToken = "there"
        #expect(try await service.list(request, ada).nextPageToken == "more")
        #expect(serving.with { $0.pages.last?.size } == size)
        #expect(serving.with { $0.pages.last?.token } == "there")
    }

    @Test func negativePagesAreRefused() async {
        var request = Posed_V1_ListSessionsRequest()
        request.pageSize = -1
        let error = await #expect(throws: RequestError.self) {
            try await service.list(request, ada)
        }
        #expect(error?.description == "page_size: expected a number from 0 to 2147483647, got -1")
    }

    @Test func whatTheEngineRefusesIsNamed() async throws {
        func refused(
            _ field: FieldPath, _ call: () async throws -> Void
        ) async -> String? {
            serving.with { $0.failure = RequestError(.invalidArgument, "no good", at: field) }
            do {
                try await call()
                return nil
            } catch {
                return (error as? RequestError)?.description
            }
        }
        var create = Posed_V1_CreateSessionRequest()
        create.sources = [try Pictures.raw()]
        let made = create
        #expect(
            await refused("settings.solver") { _ = try await service.create(made, ada) }
                == "default_settings.solver: no good")
        #expect(
            await refused("model") { _ = try await service.create(made, ada) }
                == "model: no good")
        var get = Posed_V1_GetSessionRequest()
        get.name = "sessions/odd"
        let found = get
        #expect(
            await refused("session") { _ = try await service.get(found, ada) }
                == "name: no good")
        var update = Posed_V1_UpdateSessionRequest()
        update.session.name = "sessions/odd"
        let changed = update
        #expect(
            await refused("session") { _ = try await service.update(changed, ada) }
                == "session.name: no good")
        #expect(
            await refused("settings.nfe") { _ = try await service.update(changed, ada) }
                == "session.default_settings.nfe: no good")
        #expect(
            await refused("page_token") {
                _ = try await service.list(Posed_V1_ListSessionsRequest(), ada)
            } == "page_token: no good")
    }

    @Test func namesAreChecked() async {
        await #expect(throws: RequestError.self) {
            try await service.get(Posed_V1_GetSessionRequest(), ada)
        }
        await #expect(throws: RequestError.self) {
            try await service.delete(Posed_V1_DeleteSessionRequest(), ada)
        }
        let error = await #expect(throws: RequestError.self) {
            try await service.update(Posed_V1_UpdateSessionRequest(), ada)
        }
        #expect(error?.description == "session.name: expected a name `sessions/…`, got nothing")
    }
}
