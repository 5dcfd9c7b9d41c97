/// To come.
struct ServicePlaceholder {}
