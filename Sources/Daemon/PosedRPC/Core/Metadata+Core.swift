internal import CPosedGRPC

extension String {
    /// Text that the library owns, copied.
    init(_ bytes: posed_grpc_bytes) {
        self.init(
            decoding: UnsafeBufferPointer(start: bytes.bytes, count: bytes.count), as: UTF8.self)
    }
}

extension Metadata {
    /// Entries that the library owns, copied; what belongs to the protocol is left out.
    init(count: Int, entry: (Int) -> posed_grpc_entry) {
        self.init()
        for index in 0..<count {
            let entry = entry(index)
            let key = String(entry.key)
            if key.hasSuffix("-bin") {
                let bytes = UnsafeBufferPointer(start: entry.value.bytes, count: entry.value.count)
                addReceived(key: key, value: .bytes([UInt8](bytes)))
            } else {
                addReceived(key: key, value: .text(String(entry.value)))
            }
        }
    }

    /// The entries as the library reads them, for as long as `body` runs.
    func withEntries(_ body: (UnsafeBufferPointer<posed_grpc_entry>) -> Void) {
        guard !isEmpty else { return body(UnsafeBufferPointer(start: nil, count: 0)) }
        // All keys and values in one piece of memory, so that addresses hold.
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for entry in entries {
            bytes.append(contentsOf: entry.key.utf8)
            ends.append(bytes.count)
            switch entry.value {
            case .text(let text): bytes.append(contentsOf: text.utf8)
            case .bytes(let value): bytes.append(contentsOf: value)
            }
            ends.append(bytes.count)
        }
        bytes.withUnsafeBufferPointer { all in
            var start = 0
            let pieces = ends.map { end in
                defer { start = end }
                return posed_grpc_bytes(
                    bytes: all.baseAddress.map { $0 + start }, count: end - start)
            }
            let list = stride(from: 0, to: pieces.count, by: 2).map { index in
                posed_grpc_entry(key: pieces[index], value: pieces[index + 1])
            }
            list.withUnsafeBufferPointer(body)
        }
    }
}
