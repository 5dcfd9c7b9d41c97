/// To come.
struct SchedulingPlaceholder {}
