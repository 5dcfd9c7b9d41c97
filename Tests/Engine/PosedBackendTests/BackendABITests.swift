import PosedBackend
import Testing

@Suite struct BackendABITests {
    @Test func onlyTheSameMajorAndNoLaterMinorFits() {
        let host = BackendABI(rawValue: 2 << 16 | 3)
        #expect(BackendABI(rawValue: 2 << 16 | 3).fits(host))
        #expect(BackendABI(rawValue: 2 << 16).fits(host))
        #expect(!BackendABI(rawValue: 2 << 16 | 4).fits(host))
        #expect(!BackendABI(rawValue: 1 << 16 | 3).fits(host))
        #expect(!BackendABI(rawValue: 3 << 16 | 3).fits(host))
        #expect(!BackendABI(rawValue: 0).fits(host))
        #expect("\(host)" == "2.3")
    }
}
