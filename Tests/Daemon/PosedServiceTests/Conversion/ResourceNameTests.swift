import PosedErrors
import Testing

import PosedService

@Suite struct ResourceNameTests {
    @Test func namesPass() throws {
        #expect(try ResourceName.session("sessions/a-b_c.d", at: "name") == "sessions/a-b_c.d")
        #expect(try ResourceName.model("models/größe", at: "model") == "models/größe")
    }

    @Test func aModelMayBeLeftOut() throws {
        #expect(try ResourceName.model("", at: "model") == nil)
    }

    @Test func anEmptySessionIsNothing() {
        expectRefusal("session: expected a name `sessions/…`, got nothing") {
            try ResourceName.session("", at: "session")
        }
    }

    @Test(arguments: [
        "a", "sessions", "sessions/", "models/a", "sessions/a/b", "sessions/a\n", "/sessions/a",
    ])
    func formsThatAreNoName(name: String) {
        expectRefusal("name: expected a name `sessions/…`, got `\(name)`") {
            try ResourceName.session(name, at: "name")
        }
    }

    @Test func longNamesAreRefusedInShort() {
        let name = "sessions/" + String(repeating: "x", count: 5000)
        expectRefusal("name: expected a name `sessions/…`, got `\(name.prefix(80))`") {
            try ResourceName.session(name, at: "name")
        }
    }
}
