// swift-tools-version: 6.2
import PackageDescription

// Every Swift target speaks the same dialect: Swift 6 mode, explicit `any`, imports with an access
// level, and no warnings.
let swift: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

// Plugins and their kernels are optimised in debug builds too: an engine at -O0 tests nothing in time.
let native: [String] = ["-O3", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"]
let nativeC: [CSetting] = [.unsafeFlags(native)]
// C++20 would read the header as a Clang module of the C target; it is included as text.
let nativeCXX: [CXXSetting] = [
    .unsafeFlags(native + ["-fvisibility-inlines-hidden", "-fno-cxx-modules"])
]

// A plugin exports its entry and nothing else, not even templates of the C++ library.
let pluginLinker: [LinkerSetting] = [
    .unsafeFlags([
        "-Xlinker", "--version-script=" + Context.packageDirectory + "/CShims/PosedCPU/plugin.map",
        "-static-stdlib", "-nostartfiles",  // there is no Swift in a plugin
    ])
]

/// A Swift library target with the house's settings.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swift)
}

/// The test target that mirrors a room.
func tests(
    _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name), "PosedTesting"] + dependencies,
        resources: resources, swiftSettings: swift)
}

/// A backend plugin: a shared library that exports `posed_backend_entry` and nothing else.
func plugin(_ name: String, _ target: String) -> Product {
    .library(name: "posed-backend-" + name, type: .dynamic, targets: [target])
}

let package = Package(
    name: "posed",
    products: [
        .executable(name: "posekit", targets: ["posekit"]),
        plugin("blas", "PosedOpenBLAS"),
        plugin("onednn", "PosedOneDNN"),
        plugin("example", "PosedExampleBackend"),
        plugin("crashing", "PosedCrashingBackend"),
        .library(name: "posed-solver-example", type: .dynamic, targets: ["PosedExampleSolver"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // C and C++
        .target(name: "CPosedBackend", path: "CShims/CPosedBackend", cSettings: nativeC),
        .target(
            name: "CPNG", path: "CShims/CPNG", cSettings: nativeC,
            linkerSettings: [.linkedLibrary("png")]),
        .target(
            name: "PosedCPU", dependencies: ["CPosedBackend"], path: "CShims/PosedCPU",
            cxxSettings: nativeCXX),
        .target(
            name: "PosedOpenBLAS", dependencies: ["CPosedBackend", "PosedCPU"],
            path: "CShims/PosedOpenBLAS", cxxSettings: nativeCXX, linkerSettings: pluginLinker),
        .target(
            name: "PosedOneDNN", dependencies: ["CPosedBackend", "PosedCPU"],
            path: "CShims/PosedOneDNN", cxxSettings: nativeCXX,
            linkerSettings: pluginLinker + [.linkedLibrary("dnnl")]),
        .target(
            name: "PosedExampleBackend", dependencies: ["CPosedBackend"],
            path: "Tests/Plugins/Example", cSettings: nativeC),
        .target(
            name: "PosedCrashingBackend", dependencies: ["CPosedBackend"],
            path: "Tests/Plugins/Crashing", cSettings: nativeC),
        .target(
            name: "PosedExampleSolver", dependencies: ["CPosedBackend"],
            path: "Tests/Plugins/Solver", cSettings: nativeC),

        // The engine, from the metal up
        room("PosedBackend", ["CPosedBackend"]),
        room("PosedConformance", ["PosedBackend", "CPosedBackend"]),
        room("PosedTensor", ["CPosedBackend", "PosedBackend"]),
        room("PosedSolvers", ["CPosedBackend"]),
        room("PosedWeights"),
        room("PosedNN", ["CPosedBackend", "PosedBackend", "PosedTensor", "PosedWeights"]),
        room("PosedModels", ["PosedBackend", "PosedTensor", "PosedWeights", "PosedNN"]),
        room("PosedVision", ["CPNG"]),
        room(
            "PosedPipeline",
            [
                "PosedBackend", "PosedTensor", "PosedWeights", "PosedNN", "PosedModels",
                "PosedSolvers", "PosedVision",
            ]),
        room(
            "PosedEvaluation",
            [
                "PosedBackend", "PosedTensor", "PosedWeights", "PosedNN", "PosedModels",
                "PosedVision",
                "PosedPipeline",
            ]),
        .executableTarget(
            name: "posekit",
            dependencies: [
                "PosedBackend", "PosedConformance", "PosedTensor", "PosedSolvers", "PosedWeights",
                "PosedNN", "PosedModels", "PosedVision", "PosedPipeline", "PosedEvaluation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swift),

        // Tests
        .target(
            name: "PosedTesting", dependencies: ["PosedPipeline"], path: "Tests/PosedTesting",
            swiftSettings: swift),
        tests("PosedBackend", ["CPosedBackend", "PosedConformance"]),
        tests("PosedConformance", ["CPosedBackend", "PosedBackend"]),
        tests("PosedTensor", ["PosedBackend"]),
        tests("PosedSolvers", ["CPosedBackend"]),
        tests("PosedWeights", []),
        tests("PosedVision", ["CPNG"]),
        tests("PosedModels", ["PosedNN", "PosedWeights", "PosedTensor", "PosedBackend"]),
        tests("PosedPipeline", ["PosedModels", "PosedSolvers", "PosedVision", "PosedTensor"]),
        tests(
            "PosedEvaluation",
            ["PosedBackend", "PosedVision", "PosedWeights", "PosedTensor", "PosedModels"]),
        tests("posekit", ["PosedVision", "PosedWeights"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx20
)
