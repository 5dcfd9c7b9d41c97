import Foundation
import PosedProtos
import PosedServing
import SwiftProtobuf
import Testing

import PosedService

@Suite struct SessionDomainTests {
    private let limits = ServingLimits()

    @Test func aSessionAsItsOwnerSeesIt() throws {
        var session = SessionDescription()
        session.name = "sessions/a"
        session.displayName = "Ada"
        session.model = "models/default"
        session.defaults.evaluations = 4
        session.timeToLive = .seconds(90)
        session.created = Date(timeIntervalSince1970: 1000.5)
        session.lastUsed = Date(timeIntervalSince1970: 2000)
        session.expires = Date(timeIntervalSince1970: 2090)
        session.sourceCount = 2
        session.conditioningBytes = 1 << 40
        session.frameCount = 3
        let message = Posed_V1_Session(session)
        #expect(message.name == "sessions/a")
        #expect(message.displayName == "Ada")
        #expect(message.model == "models/default")
        #expect(message.defaultSettings.nfe == 4)
        #expect(message.ttl == Google_Protobuf_Duration(seconds: 90))
        #expect(message.createTime == Google_Protobuf_Timestamp(seconds: 1000, nanos: 500_000_000))
        #expect(message.lastUseTime.seconds == 2000)
        #expect(message.expireTime.seconds == 2090)
        #expect(message.sourceCount == 2)
        #expect(message.conditioningBytes == 1 << 40)
        #expect(message.frameCount == 3)
        session.defaults = FrameSettings()
        #expect(!Posed_V1_Session(session).hasDefaultSettings)
    }

    private func creation() throws -> Posed_V1_CreateSessionRequest {
        var request = Posed_V1_CreateSessionRequest()
        request.sources = [try Pictures.raw(), try Pictures.png(width: 2, height: 2)]
        return request
    }

    @Test func aCreationIsRead() throws {
        var request = try creation()
        request.model = "models/small"
        request.displayName = "Ada"
        request.defaultSettings.steps = 3
        request.ttl = Google_Protobuf_Duration(seconds: 60)
        let session = try request.session(limits: limits)
        #expect(session.sources == [try Pictures.image(), try Pictures.image(width: 2, height: 2)])
        #expect(session.model == "models/small")
        #expect(session.displayName == "Ada")
        #expect(session.defaults.steps == 3)
        #expect(session.timeToLive == .seconds(60))
    }

    @Test func whatACreationDoesNotSayIsTheDaemonsToChoose() throws {
        let session = try creation().session(limits: limits)
        #expect(session.model == nil)
        #expect(session.timeToLive == nil)
        #expect(session.defaults == FrameSettings())
    }

    @Test func whatIsWrongWithACreation() throws {
        let request = try creation()
        let refused = {
            (sentence: String, change: (inout Posed_V1_CreateSessionRequest) -> Void) in
            var request = request
            change(&request)
            expectRefusal(sentence) { try request.session(limits: limits) }
        }
        refused("sources: expected 1 to 8 pictures, got 0") { $0.sources = [] }
        refused(
            "sources[1].png: the picture: this is no picture: it begins as neither a PNG, a JPEG nor a WebP does"
        ) {
            $0.sources[1].png = Data(repeating: 1, count: 64)
        }
        refused("model: expected a name `models/…`, got `small`") { $0.model = "small" }
        refused("display_name: expected at most 120 characters, got 121") {
            $0.displayName = String(repeating: "é", count: 121)
        }
        refused("display_name: expected text, got control characters in it") {
            $0.displayName = "\u{1B}[31mred"
        }
        refused("default_settings.nfe: expected a number from 1 to 200, got 0") {
            $0.defaultSettings.nfe = 0
        }
        refused("ttl: expected more than 0 and at most 86400.0 seconds, got 0.0 seconds") {
            $0.ttl = Google_Protobuf_Duration()
        }
        refused("ttl: expected more than 0 and at most 86400.0 seconds, got 86401.0 seconds") {
            $0.ttl = Google_Protobuf_Duration(seconds: 86401)
        }
    }

    private func changes(
        _ paths: [String], _ change: (inout Posed_V1_Session) -> Void
    ) throws -> SessionChanges {
        var request = Posed_V1_UpdateSessionRequest()
        request.session.name = "sessions/a"
        change(&request.session)
        request.updateMask.paths = paths
        return try request.changes(limits: limits)
    }

    @Test func withoutAMaskWhatIsSetIsChanged() throws {
        let nothing = try changes([]) { _ in }
        #expect(nothing.displayName == nil && nothing.defaults == nil && nothing.timeToLive == nil)
        let all = try changes([]) {
            $0.displayName = "Ada"
            $0.defaultSettings.nfe = 2
            $0.ttl = Google_Protobuf_Duration(seconds: 5)
        }
        #expect(all.displayName == "Ada")
        #expect(all.defaults?.evaluations == 2)
        #expect(all.timeToLive == .seconds(5))
    }

    @Test func aMaskChoosesAndClears() throws {
        let name = try changes(["display_name"]) { $0.defaultSettings.nfe = 2 }
        #expect(name.displayName == "")
        #expect(name.defaults == nil && name.timeToLive == nil)
        let rest = try changes(["default_settings", "ttl"]) { $0.displayName = "Ada" }
        #expect(rest.displayName == nil)
        #expect(rest.defaults == FrameSettings())
        #expect(rest.timeToLive == limits.defaultTimeToLive)
        let all = try changes(["*"]) { $0.displayName = "Ada" }
        #expect(all.displayName == "Ada")
        #expect(all.defaults == FrameSettings())
    }

    @Test func aMaskNamesFieldsThatCanBeChanged() {
        expectRefusal(
            "update_mask.paths[1]: expected one of `display_name`, `default_settings`, `ttl`, "
                + "got `create_time`"
        ) { try changes(["ttl", "create_time"]) { _ in } }
    }

    @Test func whatTheMaskLeavesOutIsNotEvenRead() throws {
        let change = try changes(["display_name"]) { $0.defaultSettings.nfe = -5 }
        #expect(change.displayName == "")
        expectRefusal("session.default_settings.nfe: expected a number from 1 to 200, got -5") {
            try changes(["default_settings"]) { $0.defaultSettings.nfe = -5 }
        }
    }
}
