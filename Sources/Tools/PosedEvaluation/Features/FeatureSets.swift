import Foundation
package import PosedVision

/// The vectors that a network made of the pictures of one pair.
package struct PairVectors: Codable, Sendable {
    /// Of each subject's picture, as float32 in the machine's order.
    private let subjects: [Subject: Bytes]
    private let target: Bytes

    /// Has a network look at the pictures of a pair.
    ///
    /// - Throws: What the network throws.
    package init(
        _ pictures: [Subject: Image], target: Image, by network: any PictureFeatures
    ) throws {
        subjects = try pictures.mapValues { Bytes(try network.features($0)) }
        self.target = Bytes(try network.features(target))
    }

    /// The vector of the target's picture.
    fileprivate var targetVector: [Float] { target.floats }

    /// The vector of each subject's picture.
    fileprivate var subjectVectors: [Subject: [Float]] { subjects.mapValues(\.floats) }
}

/// The vectors of a whole data set: their statistics by subject and for the targets.
package struct FeatureSets {
    private var subjects: [Subject: FeatureStatistics] = [:]
    private var targets: FeatureStatistics

    /// Sets of no vector yet.
    package init(dimension: Int) {
        targets = FeatureStatistics(dimension: dimension)
    }

    /// Adds the vectors of a pair. Throws `sizeMismatch` or `nonFiniteFeature`.
    package mutating func add(_ vectors: PairVectors) throws {
        try targets.add(vectors.targetVector)
        for (subject, vector) in vectors.subjectVectors {
            // Taken out, so that it is changed in place.
            var statistics =
                subjects.removeValue(forKey: subject)
                ?? FeatureStatistics(dimension: targets.dimension)
            try statistics.add(vector)
            subjects[subject] = statistics
        }
    }

    /// The distance of each subject's pictures to the targets; none for fewer than two pairs.
    ///
    /// Throws `noConvergence`.
    package func distances() throws -> [Subject: Double] {
        guard targets.count >= 2 else { return [:] }
        let distance = try FrechetDistance(to: targets)
        return try subjects.mapValues { try distance.value($0) }
    }
}

/// Floats as the bytes of a file.
private struct Bytes: Codable, Sendable {
    private let data: Data

    init(_ floats: [Float]) { data = floats.withUnsafeBytes { Data($0) } }

    /// The floats.
    var floats: [Float] {
        [Float](unsafeUninitializedCapacity: data.count / 4) { target, filled in
            filled = data.copyBytes(to: target) / 4
        }
    }

    init(from decoder: any Decoder) throws {
        data = try decoder.singleValueContainer().decode(Data.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(data)
    }
}
