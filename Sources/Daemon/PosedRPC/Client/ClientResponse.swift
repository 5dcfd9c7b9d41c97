/// The answer of a call that has one, with its metadata.
package struct ClientResponse<Response: Sendable>: Sendable {
    package let message: Response
    package let initialMetadata: Metadata
    package let trailingMetadata: Metadata
}

/// How a call ended, as the client sees it.
package struct CallStatus: Sendable {
    package let code: StatusCode
    package let message: String
    package let trailingMetadata: Metadata

    /// The status as an error.
    package var error: RPCError {
        RPCError(code, message, metadata: trailingMetadata)
    }
}
