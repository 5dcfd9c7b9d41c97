import Foundation
import PosedGuarded
import PosedProtos
package import PosedVision

/// Poses one after another, from files, folders, lines of JSON and standard input.
///
/// Files are read when their turn comes, on a queue of their own.
package final class PoseReader: Sendable {
    /// Where poses come from.
    enum Item: Equatable, Sendable {
        /// A pose file.
        case file(String)
        /// A file with a pose on each line; `-` is standard input.
        case lines(String)
        /// The frames of a file that has several, with what they are called.
        case frames(name: String, [Keypoints?])
    }

    private struct State {
        var items: ArraySlice<Item>
        var lines: LineReader?
        var frames: (name: String, poses: EnumeratedSequence<[Keypoints?]>.Iterator)?
        var count = 0
    }

    /// How many poses there are; nil where nobody knows.
    package let total: Int?
    /// Poses a second, where a file says; the first one's.
    package let rate: Double?
    private let reading: PoseReading
    private let state: Guarded<State>
    private let queue = DispatchQueue(label: "posectl.poses")

    /// A reader of what the arguments name. Throws `PosectlError` `file`.
    package init(_ arguments: [String], reading: PoseReading = PoseReading()) throws {
        var rate: Double?
        let items = try arguments.flatMap(Self.items).map {
            try Self.opened($0, isNamed: arguments.contains, reading, rate: &rate)
        }
        self.rate = rate
        self.reading = reading
        guard !items.isEmpty else {
            throw PosectlError(
                .file, "\(arguments.joined(separator: ", ")): there is no pose file in it")
        }
        let counts = items.compactMap(Self.count)
        total = counts.count == items.count ? counts.reduce(0, +) : nil
        state = Guarded(State(items: items[...]))
    }

    /// The next pose; nil after the last. Throws `PosectlError` `file`, and `CancellationError` at once
    /// when the task is cancelled, whatever the reading waits for.
    package func next() async throws -> NamedPose? {
        let (poses, pose) = AsyncThrowingStream<NamedPose?, any Error>.makeStream()
        queue.async { [self] in
            do {
                let next = try state.withLock { try Self.next(&$0, reading) }
                pose.yield(next)
                pose.finish()
            } catch {
                pose.finish(throwing: error)
            }
        }
        for try await next in poses { return next }
        throw CancellationError()
    }

    /// Checks that no two frames would get one name, and so one file. Nothing is read but the numbers of lines.
    ///
    /// Throws `PosectlError` `file`, which names the first two poses that collide.
    package func checkNames() throws {
        let items = state.withLock { $0.items }
        var owners: [String: String] = [:]
        let named = items.flatMap { item -> [(name: String, path: String)] in
            switch item {
            case .file(let path): [(Self.name(path), path)]
            case .frames(let name, let frames):
                frames.indices.map { (Self.frameName(name, $0), name) }
            case .lines: []
            }
        }
        for (name, path) in named {
            if let other = owners.updateValue(path, forKey: name) {
                throw PosectlError(
                    .file,
                    "\(other) and \(path): the frames of both would be called \(name); stream "
                        + "them apart, or give the files names of their own")
            }
        }
        // Poses of lines are numbered from 1 on, whatever file they stand in.
        let counts = items.compactMap { item in
            if case .lines = item { Self.count(item) ?? Int.max } else { nil }
        }
        let lines = counts.contains(.max) ? Int.max : counts.reduce(0, +)
        for (name, path) in owners.sorted(by: { $0.key < $1.key }) {
            guard let number = Int(name), (1...max(1, lines)).contains(number), lines > 0,
                name == Self.padded(number)
            else { continue }
            throw PosectlError(
                .file,
                "\(path): its frame would be called \(name), as that of the pose on line \(number) "
                    + "of the poses; stream them apart, or give the file another name")
        }
    }

    private static func name(_ path: String) -> String {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    }

    /// How many poses an item has; nil where nobody knows.
    private static func count(_ item: Item) -> Int? {
        switch item {
        case .file: 1
        case .lines(let path): LineReader.count(path)
        case .frames(_, let frames): frames.count
        }
    }

    /// An item, with the frames of a file that has several.
    ///
    /// - Parameter isNamed: Whether a file is an argument of its own. Of those in folders only `.pose` files are
    ///   opened before their turn.
    private static func opened(
        _ item: Item, isNamed: (String) -> Bool, _ reading: PoseReading, rate: inout Double?
    ) throws -> Item {
        guard case .file(let path) = item else { return item }
        let isBinary = path.lowercased().hasSuffix(".pose")
        let isPicture = [".png", ".jpg", ".jpeg", ".webp"].contains {
            path.lowercased().hasSuffix($0)
        }
        guard isBinary || isNamed(path) && !isPicture else { return item }
        // What cannot be read is the daemon's to say when its turn comes.
        guard
            let file = try? PoseSequence(
                InputFile.read(path, "a pose"), name: path, reading: reading)
        else { return item }
        rate = rate ?? file.rate
        return file.frames.count == 1 && !isBinary ? item : .frames(name: name(path), file.frames)
    }

    private static func next(_ state: inout State, _ reading: PoseReading) throws -> NamedPose? {
        while true {
            if let (index, pose) = state.frames?.poses.next() {
                let name = state.frames?.name ?? ""
                return NamedPose(name: frameName(name, index), pose: Posed_V1_Pose(pose))
            }
            state.frames = nil
            if let line = try state.lines?.next() {
                state.count += 1
                var pose = Posed_V1_Pose()
                pose.file = line
                pose.setReading(reading)
                return NamedPose(name: padded(state.count), pose: pose)
            }
            state.lines = nil
            guard let item = state.items.popFirst() else { return nil }
            switch item {
            case .lines(let path): state.lines = try LineReader(path)
            case .frames(let name, let frames):
                state.frames = (name, frames.enumerated().makeIterator())
            case .file(let path):
                return NamedPose(name: name(path), pose: try InputFile.pose(path, reading))
            }
        }
    }

    /// What the frame of a file with several is called, counted from 0.
    private static func frameName(_ name: String, _ index: Int) -> String {
        "\(name)-\(padded(index + 1))"
    }

    /// A number in six digits, so that names sort.
    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// What an argument stands for: itself, or the pose files of a folder in the order of their names,
    /// numbers by their value.
    static func items(_ argument: String) throws -> [Item] {
        if argument == "-" || argument.lowercased().hasSuffix(".jsonl") {
            return [.lines(argument)]
        }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder) else {
            throw PosectlError(.file, "\(argument): there is no such file or folder")
        }
        guard isFolder.boolValue else { return [.file(argument)] }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: argument)
        } catch {
            throw PosectlError(.file, "\(argument): the folder cannot be read", cause: error)
        }
        let known = names.filter { name in
            !name.hasPrefix(".")
                && ["json", "pose", "png", "txt"].contains { name.lowercased().hasSuffix("." + $0) }
        }
        return known.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
            .map { .file(argument + "/" + $0) }
    }
}
