import PosedVision
import Testing

/// Expects a `VisionError` of that code, and returns its message for a closer look.
@discardableResult
func expectError(
    _ code: VisionError.Code, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> String {
    do {
        try body()
        Issue.record(comment ?? "an error was expected", sourceLocation: sourceLocation)
        return ""
    } catch let error as VisionError {
        #expect(error.code == code, comment, sourceLocation: sourceLocation)
        #expect(!error.message.contains("\n"), comment, sourceLocation: sourceLocation)
        return error.message
    } catch {
        Issue.record(error, comment, sourceLocation: sourceLocation)
        return ""
    }
}
