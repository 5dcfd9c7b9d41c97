import Foundation

/// The noise schedule of a DDPM with linear betas, seen as a flow.
///
/// The diffusion's states are x = √ᾱ·data + √(1 − ᾱ)·noise, so σ = √((1 − ᾱ)/ᾱ) is the noise over the data.
/// The flow's states are z = τ·data + (1 − τ)·noise, so τ = 1/(1 + σ), and with r = √(τ² + (1 − τ)²)
/// x = z/r. The network answers with the noise ε; the flow's velocity is data − noise = (z − ε)/τ.
/// An Euler step of the flow is a step of DDIM.
struct DiffusionSchedule: Sendable {
    /// ln σ of every whole step of the diffusion, increasing.
    private let logSigmas: [Double]

    init(_ configuration: XMDPTConfiguration) {
        let last = Double(configuration.trainTimesteps - 1)
        var product = 1.0
        logSigmas = (0..<configuration.trainTimesteps).map { step in
            let share = Double(step) / last
            product *= 1 - (configuration.betaStart * (1 - share) + configuration.betaEnd * share)
            return 0.5 * log((1 - product) / product)
        }
    }

    /// The time of the flow at the diffusion's last step, which is almost noise.
    var start: Double { time(ofStep: logSigmas.count - 1) }

    /// The time of the flow at a whole step of the diffusion.
    func time(ofStep step: Int) -> Double { 1 / (1 + exp(logSigmas[step])) }

    /// The step of the diffusion at a time of the flow, with fractions: linear in ln σ between whole
    /// steps, held at the ends.
    func step(at time: Double) -> Double {
        let logSigma = time < 1 ? log((1 - time) / time) : -.infinity
        guard logSigma > logSigmas[0] else { return 0 }
        // The first whole step with at least as much noise.
        var (low, high) = (0, logSigmas.count)
        while low < high {
            let middle = (low + high) / 2
            if logSigmas[middle] < logSigma { low = middle + 1 } else { high = middle }
        }
        guard low < logSigmas.count else { return Double(logSigmas.count - 1) }
        let (below, above) = (logSigmas[low - 1], logSigmas[low])
        return Double(low - 1) + (logSigma - below) / (above - below)
    }

    /// r of the description above: how long the flow's state is where the diffusion's has length 1.
    func length(at time: Double) -> Double { (time * time + (1 - time) * (1 - time)).squareRoot() }

    /// The network sees z/r, and the velocity is (z − ε)/τ.
    func link(at time: Double) -> VelocityLink {
        VelocityLink(input: 1 / length(at: time), state: 1 / time, output: -1 / time)
    }
}
