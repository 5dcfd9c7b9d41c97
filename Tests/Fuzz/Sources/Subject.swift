import Foundation
import PosedDaemon
import PosedErrors
import PosedProtos
import PosedRPC
import PosedService
import PosedServing
import PosedSessions
import PosedVision
import PosedWeights
import SwiftProtobuf

/// A reader of bytes that come from outside.
enum Subject: String, CaseIterable {
    case picture, weights, pose, message, configuration, tokens, state

    /// Reads `data`; what it throws is its answer.
    func read(_ data: Data) {
        switch self {
        case .picture: Self.picture(data)
        case .weights:
            Self.withFile(data) { path in
                guard let file = try? SafetensorsFile(path: path) else { return }
                for tensor in file.tensors { _ = try? file.tensor(tensor.name) }
            }
        case .pose: Self.pose(data)
        case .message: Self.message(data)
        case .configuration:
            Self.withFile(data) { path in
                _ = try? ConfigurationSource(file: path, environment: [:], flags: []).load()
            }
        case .tokens:
            Self.withFile(data) { path in
                guard let tokens = try? TokenFile(path) else { return }
                _ = tokens.holder(of: Array(data.prefix(64)))
            }
        case .state: Self.state(data)
        }
    }

    /// Files are small, and stay in memory.
    private static let path = "/dev/shm/posed-fuzz-\(getpid())"

    private static func withFile(_ data: Data, _ body: (String) -> Void) {
        _ = FileManager.default.createFile(
            atPath: path, contents: data, attributes: [.posixPermissions: 0o600])
        defer { unlink(path) }
        body(path)
    }

    private static func picture(_ data: Data) {
        guard let image = try? Image(encoded: data, pixelLimit: 1 << 16) else { return }
        precondition(image.bytes.count == image.width * image.height * 3, "a picture is whole")
    }

    private static func pose(_ data: Data) {
        guard let pose = try? PoseInput(data, name: "pose") else { return }
        let drawer = PoseDrawer(hands: true, face: true)
        _ = try? pose.image(width: 64, height: 64, drawer: drawer)
        guard case .keypoints(let keypoints) = pose,
            let retargeter = try? PoseRetargeter(source: keypoints, width: 64, height: 64)
        else { return }
        var track = PoseTrack(retargeter: retargeter, smoother: PoseSmoother(minCutoff: 1))
        for _ in 0..<2 {
            _ = try? track.next(pose).image(width: 64, height: 64, drawer: drawer)
        }
    }

    /// The first byte chooses the message.
    private static func message(_ data: Data) {
        var limits = ServingLimits()
        limits.maxSide = 256
        let bytes = data.dropFirst()
        switch (data.first ?? 0) % 5 {
        case 0:
            guard let request = try? Posed_V1_CreateSessionRequest(serializedBytes: bytes) else {
                return
            }
            _ = try? request.session(limits: limits)
        case 1:
            guard let request = try? Posed_V1_SynthesizeRequest(serializedBytes: bytes) else {
                return
            }
            _ = try? request.subject(limits: limits)
            _ = try? request.settings.settings(at: "settings", limits: limits)
            _ = try? request.pose.pose(at: "pose", maxSide: limits.maxSide)
        case 2:
            guard let request = try? Posed_V1_StreamSynthesizeRequest(serializedBytes: bytes) else {
                return
            }
            _ = try? request.start.options(limits: limits)
            _ = try? request.pose.pose.pose(at: "pose", maxSide: limits.maxSide)
        case 3:
            guard let request = try? Posed_V1_UpdateSessionRequest(serializedBytes: bytes) else {
                return
            }
            _ = try? request.changes(limits: limits)
        default:
            guard let request = try? Posed_V1_ListSessionsRequest(serializedBytes: bytes),
                let store = try? Self.store()
            else { return }
            _ = try? store.sessions(
                of: "fuzz", pageSize: Int(request.pageSize), pageToken: request.pageToken)
            _ = try? store.id(named: request.pageToken, owner: "fuzz")
        }
    }

    private static func store() throws -> SessionStore<SessionDefaults, ContinuousClock> {
        try SessionStore(limits: SessionLimits(), clock: ContinuousClock())
    }
}
