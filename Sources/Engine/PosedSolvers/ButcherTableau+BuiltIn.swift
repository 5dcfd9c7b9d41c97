extension ButcherTableau {
    /// Euler's method: 1 evaluation, order 1.
    package static let euler = ButcherTableau(
        checked: "euler", order: 1, c: [0], a: [[]], b: [1], bError: nil)

    /// Heun's method, the explicit trapezoid: 2 evaluations, order 2.
    package static let heun = ButcherTableau(
        checked: "heun", order: 2, c: [0, 1], a: [[], [1]], b: [1 / 2, 1 / 2], bError: nil)

    /// The explicit midpoint: 2 evaluations, order 2.
    package static let midpoint = ButcherTableau(
        checked: "midpoint", order: 2, c: [0, 1 / 2], a: [[], [1 / 2]], b: [0, 1], bError: nil)

    /// Ralston's method, of the least bound on the error: 2 evaluations, order 2.
    package static let ralston = ButcherTableau(
        checked: "ralston", order: 2, c: [0, 2 / 3], a: [[], [2 / 3]], b: [1 / 4, 3 / 4],
        bError: nil)

    /// Heun's method of three stages: 3 evaluations, order 3.
    package static let heun3 = ButcherTableau(
        checked: "heun3", order: 3, c: [0, 1 / 3, 2 / 3], a: [[], [1 / 3], [0, 2 / 3]],
        b: [1 / 4, 0, 3 / 4], bError: nil)

    /// Kutta's method of three stages: 3 evaluations, order 3.
    package static let kutta3 = ButcherTableau(
        checked: "kutta3", order: 3, c: [0, 1 / 2, 1], a: [[], [1 / 2], [-1, 2]],
        b: [1 / 6, 2 / 3, 1 / 6], bError: nil)

    /// The classical Runge–Kutta method: 4 evaluations, order 4.
    package static let rk4 = ButcherTableau(
        checked: "rk4", order: 4, c: [0, 1 / 2, 1 / 2, 1],
        a: [[], [1 / 2], [0, 1 / 2], [0, 0, 1]], b: [1 / 6, 1 / 3, 1 / 3, 1 / 6], bError: nil)

    /// The pair of Bogacki and Shampine, 3(2): 3 evaluations on a fixed grid, order 3.
    package static let bogackiShampine = ButcherTableau(
        checked: "bogacki-shampine", order: 3, c: [0, 1 / 2, 3 / 4, 1],
        a: [[], [1 / 2], [0, 3 / 4], [2 / 9, 1 / 3, 4 / 9]], b: [2 / 9, 1 / 3, 4 / 9, 0],
        bError: [2 / 9 - 7 / 24, 1 / 3 - 1 / 4, 4 / 9 - 1 / 3, -1 / 8])

    /// The pair of Dormand and Prince, 5(4): 6 evaluations on a fixed grid, order 5.
    package static let dormandPrince = ButcherTableau(
        checked: "dormand-prince", order: 5, c: [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1],
        a: [
            [],
            [1 / 5],
            [3 / 40, 9 / 40],
            [44 / 45, -56 / 15, 32 / 9],
            [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
            [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
            [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
        ],
        b: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
        bError: [
            71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40,
        ])

    /// Every method that needs no registration.
    package static let builtIn: [ButcherTableau] = [
        euler, heun, midpoint, ralston, heun3, kutta3, rk4, bogackiShampine, dormandPrince,
    ]
}
