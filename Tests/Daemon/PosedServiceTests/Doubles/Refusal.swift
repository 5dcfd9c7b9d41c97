import PosedErrors
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
    } catch let error as RequestError {
        #expect(error.code == .invalidArgument, sourceLocation: sourceLocation)
        #expect(error.description == sentence, sourceLocation: sourceLocation)
    } catch {
        Issue.record("another error: \(error)", sourceLocation: sourceLocation)
    }
}
