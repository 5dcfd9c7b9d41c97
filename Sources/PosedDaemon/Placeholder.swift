/// To come.
struct DaemonPlaceholder {}
