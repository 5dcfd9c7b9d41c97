/// The errors of sessions.
struct SessionErrorPlaceholder {}
