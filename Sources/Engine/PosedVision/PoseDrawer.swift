package import Foundation
import PosedBase

/// How a model wants poses drawn: its `pose_drawer/config.json`. What it does not draw, it does not see.
package struct PoseDrawer: Hashable, Sendable {
    /// A way to draw the 18 joints of a body.
    package enum Body: String, Hashable, Sendable, CaseIterable {
        /// Limbs as capsules, then joints as discs over them.
        case capsules
        /// X-MDPT's: joints as discs, then limbs as ellipses over them; equal to OpenCV's.
        case xmdpt
    }

    /// How the body is drawn.
    package var body: Body
    /// Whether hands are drawn over it.
    package var hands: Bool
    /// Whether the face is drawn over it.
    package var face: Bool

    /// A drawer; without arguments that of a model whose folder names none.
    package init(body: Body = .capsules, hands: Bool = false, face: Bool = false) {
        self.body = body
        self.hands = hands
        self.face = face
    }

    /// Reads the `config.json` in a model's `pose_drawer` folder; where there is none, the defaults.
    ///
    /// Throws `unreadableFile`, or `invalidConfiguration` that names the file and the key.
    package init(folder path: String) throws {
        let file = path + "/config.json"
        guard FileManager.default.fileExists(atPath: file) else {
            self.init()
            return
        }
        try self.init(json: try WholeFile.contents(file, limit: 1 << 20), name: file)
    }

    /// Parses the contents of a pose drawer's `config.json`; `name` stands for it in messages. Throws
    /// `invalidConfiguration`.
    package init(json data: Data, name: String) throws {
        func wrong(_ text: String) -> VisionError {
            VisionError(.invalidConfiguration, "\(name): \(text)")
        }
        let root: JSONValue
        do {
            root = try JSONValue(parsing: data, allowsNonFinite: true)
        } catch {
            throw VisionError(.invalidConfiguration, "\(name): this is not JSON", cause: error)
        }
        guard case .object = root else {
            throw wrong("an object was expected, not \(root.kind)")
        }
        func flag(_ key: String) throws -> Bool {
            switch root[key] {
            case nil, .null: return false
            case .bool(let value): return value
            case .some(let value): throw wrong("\(key) should be true or false, not \(value.kind)")
            }
        }
        if let name = root["_class_name"], name.text != "PoseDrawer" {
            throw wrong("the class \"PoseDrawer\" was expected, not \(name.text ?? name.kind)")
        }
        self.init(hands: try flag("hands"), face: try flag("face"))
        if let body = root["body"], !body.isNull {
            guard let known = body.text.flatMap(Body.init) else {
                let all = Body.allCases.map(\.rawValue).joined(separator: ", ")
                throw wrong("body should be one of \(all), not \(body.text ?? body.kind)")
            }
            self.body = known
        }
    }
}
