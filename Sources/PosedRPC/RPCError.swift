/// The errors of remote calls.
struct RPCErrorPlaceholder {}
