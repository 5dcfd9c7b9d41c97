package import CPosedBackend

extension Reference {
    /// The operands of a `linear`, dense.
    package struct Linear {
        /// B, T, K, N.
        package var batch: Int, tokens: Int, inputs: Int, outputs: Int
        /// x `[B, T, K]`
        package var x: [Float]
        /// W `[N, K]`
        package var weight: [Float]
        /// `[N]`
        package var bias: [Float]?
        /// Applied before gate and residual.
        package var activation = POSED_ACT_NONE
        /// `[B, N]`
        package var gate: [Float]?
        /// `[B, T, N]`
        package var residual: [Float]?

        /// A plain product of x `[B, T, K]` and W `[N, K]`.
        package init(
            batch: Int, tokens: Int, inputs: Int, outputs: Int, x: [Float], weight: [Float]
        ) {
            (self.batch, self.tokens, self.inputs, self.outputs) = (batch, tokens, inputs, outputs)
            (self.x, self.weight) = (x, weight)
        }
    }

    /// y `[B, T, N]`
    package static func linear(_ operands: Linear) -> [Double] {
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
