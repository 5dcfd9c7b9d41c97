import PosedService
import Testing

/// Expects that a request is refused with exactly this sentence.
func expectRefusal(
    _ sentence: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> some Any
) {
    do {
        let value = try body()
        Issue.record("not refused: \(value)", sourceLocation: sourceLocation)
    } catch let error as ServiceError {
        #expect(error.code == .invalidRequest, sourceLocation: sourceLocation)
        #expect(error.message == sentence, sourceLocation: sourceLocation)
    } catch {
        Issue.record("another error: \(error)", sourceLocation: sourceLocation)
    }
}
