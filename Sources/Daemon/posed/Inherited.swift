internal import PosedSystemd

/// What the process inherited from its service manager.
enum Inherited {
    /// Sockets and files, or why they could not be taken. First touched before there is a second thread, as
    /// taking them changes the environment.
    static let descriptors = Result { () throws(SystemdError) in try ListenDescriptors.take() }

    /// Takes the sockets over.
    static func take() { _ = descriptors }
}
