/// To come.
struct SystemdPlaceholder {}
