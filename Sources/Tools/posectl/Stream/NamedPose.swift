package import PosedProtos

/// A pose to send, and what its frame is called.
package struct NamedPose: Sendable {
    package let name: String
    package let pose: Posed_V1_Pose
}
