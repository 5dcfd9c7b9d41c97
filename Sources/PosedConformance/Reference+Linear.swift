import CPosedBackend

extension Reference {
    /// The operands of a `linear`, dense.
    struct Linear {
        /// B, T, K, N.
        var batch: Int, tokens: Int, inputs: Int, outputs: Int
        /// x `[B, T, K]`
        var x: [Float]
        /// W `[N, K]`
        var weight: [Float]
        /// `[N]`
        var bias: [Float]?
        var activation = POSED_ACT_NONE
        /// `[B, N]`
        var gate: [Float]?
        /// `[B, T, N]`
        var residual: [Float]?
    }

    /// y `[B, T, N]`
    static func linear(_ operands: Linear) -> [Double] {
        let (tokens, k, n) = (operands.tokens, operands.inputs, operands.outputs)
        var y = [Double](repeating: 0, count: operands.batch * tokens * n)
        operands.x.withUnsafeBufferPointer { x in
            operands.weight.withUnsafeBufferPointer { weight in
                for row in 0..<operands.batch * tokens {
                    for column in 0..<n {
                        var value = dot(x, row * k, weight, column * k, k)
                        if let bias = operands.bias { value += Double(bias[column]) }
                        value = activation(operands.activation, value)
                        if let gate = operands.gate {
                            value *= Double(gate[row / tokens * n + column])
                        }
                        if let residual = operands.residual {
                            value += Double(residual[row * n + column])
                        }
                        y[row * n + column] = value
                    }
                }
            }
        }
        return y
    }
}
