/// To come.
struct ProtosPlaceholder {}
