/// To come.
struct ServingPlaceholder {}
