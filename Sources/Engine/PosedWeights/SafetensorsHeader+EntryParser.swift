import PosedBase
extension SafetensorsHeader {
    /// Reads one tensor's claim out of the header, and tests it against the file's length.
    struct EntryParser {
        let path: String
        let name: String
        /// Where the tensors begin in the file.
        let start: Int
        /// Where the file ends.
        let end: Int

        func entry(_ value: JSONValue) throws(WeightsError) -> Entry {
            guard case .object(let members) = value else {
                throw malformed("must be described by an object, but is by \(value.kind)")
            }
            var dtype: ElementType?
            var shape: [Int]?
            var offsets: [Int]?
            for (key, value) in members {
                switch key {
                case "dtype": dtype = try type(value)
                case "shape": shape = try integers(value, of: "shape")
                case "data_offsets": offsets = try integers(value, of: "data_offsets")
                default: throw malformed("has an unknown field \(key.quoted())")
                }
            }
            guard let dtype else { throw malformed("has no dtype") }
            guard let shape else { throw malformed("has no shape") }
            guard let offsets else { throw malformed("has no data_offsets") }
            return try checked(dtype: dtype, shape: shape, offsets: offsets)
        }

        private func checked(
            dtype: ElementType, shape: [Int], offsets: [Int]
        ) throws(WeightsError) -> Entry {
            guard let count = WeightTensor.count(of: shape) else {
                throw malformed("has an impossible shape \(WeightsError.text(shape))")
            }
            let (size, overflow) = count.multipliedReportingOverflow(by: dtype.size)
            guard !overflow else {
                throw malformed("has an impossible shape \(WeightsError.text(shape))")
            }
            guard offsets.count == 2 else {
                throw malformed("must have two data_offsets, but has \(offsets.count)")
            }
            let (begin, limit) = (offsets[0], offsets[1])
            guard begin >= 0, begin <= limit else {
                throw malformed("has impossible data_offsets [\(begin), \(limit)]")
            }
            guard limit <= end - start else {
                throw malformed(
                    "ends at byte \(limit) of the data, but the file has \(end - start); "
                        + "it is truncated")
            }
            guard limit - begin == size else {
                throw malformed(
                    "of type \(dtype) and shape \(WeightsError.text(shape)) needs \(size) bytes, "
                        + "but its data_offsets give \(limit - begin)")
            }
            return Entry(
                name: name, dtype: dtype, shape: shape, count: count,
                range: start + begin..<start + limit)
        }

        private func type(_ value: JSONValue) throws(WeightsError) -> ElementType {
            guard case .string(let text) = value else {
                throw malformed("must have a string as dtype, but has \(value.kind)")
            }
            guard let dtype = ElementType(rawValue: text) else {
                throw malformed("has an unknown dtype \(text.quoted())")
            }
            return dtype
        }

        private func integers(
            _ value: JSONValue, of field: String
        ) throws(WeightsError) -> [Int] {
            guard case .array(let elements) = value else {
                throw malformed("must have an array as \(field), but has \(value.kind)")
            }
            var integers: [Int] = []
            integers.reserveCapacity(elements.count)
            for element in elements {
                guard case .integer(let integer) = element else {
                    throw malformed("has \(element.kind) in its \(field); integers are expected")
                }
                integers.append(integer)
            }
            return integers
        }

        private func malformed(_ what: String) -> WeightsError {
            WeightsError(.malformed, "\(path): tensor \(name.quoted()) \(what)")
        }
    }
}
