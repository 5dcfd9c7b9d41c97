import CPosedBackend
import PosedConformance
import Testing

/// The reference itself, on numbers that can be checked by hand.
@Suite struct ReferenceTests {
    private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-9 }

    @Test(arguments: [
        (POSED_ACT_NONE, -2.0, -2.0), (POSED_ACT_RELU, -2, 0), (POSED_ACT_RELU, 3, 3),
        (POSED_ACT_SILU, 0, 0), (POSED_ACT_SILU, 1, 0.731_058_578_630_005),
        (POSED_ACT_GELU_ERF, 1, 0.841_344_746_068_543),
        (POSED_ACT_GELU_TANH, 1, 0.841_191_990_608_276),
        (POSED_ACT_TANH, 0.5, 0.462_117_157_260_010),
    ])
    func activation(kind: posed_activation, x: Double, y: Double) {
        #expect(close(Reference.activation(kind, x), y))
    }

    @Test func linear() {
        var operands = Reference.Linear(
            batch: 1, tokens: 1, inputs: 2, outputs: 2, x: [1, 2], weight: [3, 4, -5, 6])
        operands.bias = [0.5, 1]
        operands.gate = [2, 3]
        operands.residual = [100, 200]
        // 1·3 + 2·4 + 0.5 = 11.5; −5 + 12 + 1 = 8
        #expect(Reference.linear(operands) == [123, 224])
    }

    @Test func convolutionSeesItsWindow() {
        var conv = Reference.Conv2D(
            batch: 1, height: 2, width: 2, inputs: 1, outputs: 1, kernel: (2, 2),
            padding: (0, 0, 1, 1))
        conv.x = [1, 2, 3, 4]
        conv.weight = [1, 10, 100, 1000]
        #expect(Reference.conv2d(conv) == [4321, 402, 43, 4])
        conv.stride = (2, 2)
        #expect(Reference.conv2d(conv) == [4321])
    }

    @Test func enlargementRepeatsPixels() {
        var conv = Reference.Conv2D(
            batch: 1, height: 1, width: 2, inputs: 1, outputs: 1, kernel: (3, 3),
            padding: (1, 1, 1, 1), upsample: 2)
        conv.x = [1, 2]
        conv.weight = [0, 0, 0, 0, 1, 1, 0, 0, 0]
        #expect(Reference.conv2d(conv) == [2, 3, 4, 2, 2, 3, 4, 2])
    }

    @Test func layerNormOfTwo() {
        let y = Reference.layerNorm(
            [1, 3], batch: 1, tokens: 1, width: 2, factor: [2, 2], shift: [10, 10], eps: 0)
        #expect(close(y[0], 8) && close(y[1], 12))
    }

    @Test func groupNormKeepsGroupsApart() {
        let y = Reference.groupNorm(
            [1, 100, 3, 300], batch: 1, pixels: 2, channels: 2, groups: 2, gamma: [1, 1],
            beta: [0, 5], eps: 0, activation: POSED_ACT_NONE)
        #expect(close(y[0], -1) && close(y[1], 4) && close(y[2], 1) && close(y[3], 6))
    }

    @Test func attentionWeighsBySoftmax() {
        let own = Reference.KeysAndValues(tokens: 1, k: [0], v: [1])
        let more = Reference.KeysAndValues(tokens: 1, k: [1], v: [3])
        // Scores 0 and ln 3: weights 1/4 and 3/4.
        let y = Reference.attention(
            q: [1.098_612_288_668], heads: 1, size: 1, scale: 1, parts: [own, more])
        #expect(abs(y[0] - 2.5) < 1e-6)
    }

    @Test func attentionAddsItsBiasAfterScaling() {
        let keys = Reference.KeysAndValues(tokens: 2, k: [0, 1], v: [1, 3])
        // Scores 0 + ln 3 and 2 · ½ · 1 − 1 = 0: weights 3/4 and 1/4.
        let y = Reference.attention(
            q: [2], heads: 1, size: 1, scale: 0.5, parts: [keys], bias: [1.098_612_288_668, -1])
        #expect(abs(y[0] - 1.5) < 1e-6)
    }
}
