import PosedErrors

extension SourcePicture {
    /// The file that holds pictures.
    static func file(_ pictures: [SourcePicture], fingerprint: ContentKey) -> StateFile {
        let blocks = pictures.flatMap { picture in
            let size =
                LittleEndian.bytes(of: UInt32(picture.width))
                + LittleEndian.bytes(of: UInt32(picture.height))
            return [StateFile.Block(.size, size), StateFile.Block(.pixels, picture.pixels)]
        }
        return StateFile(kind: .pictures, fingerprint: fingerprint, blocks: blocks)
    }

    /// The pictures in a file.
    ///
    /// - Throws: `damaged`.
    static func pictures(in file: StateFile) throws(StorageError) -> [SourcePicture] {
        var pictures: [SourcePicture] = []
        for index in stride(from: 0, to: file.blocks.count, by: 2) {
            let size = file.blocks[index]
            guard size.tag == .size, size.bytes.count == 8, index + 1 < file.blocks.count,
                file.blocks[index + 1].tag == .pixels,
                let width = LittleEndian.value(UInt32.self, in: size.bytes, at: 0),
                let height = LittleEndian.value(UInt32.self, in: size.bytes, at: 4)
            else { throw StateFile.damage("block \(index) is no picture's size before its pixels") }
            do throws(RequestError) {
                pictures.append(
                    try SourcePicture(
                        width: Int(width), height: Int(height),
                        pixels: file.blocks[index + 1].bytes))
            } catch {
                throw StorageError(.damaged, error.message, cause: error)
            }
        }
        return pictures
    }
}
