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
// Texts of kernels are embedded with a directive of C23.
let nativeEmbedding: [CSetting] = [.unsafeFlags(native + ["-Wno-c23-extensions"])]
// C++20 would read the header as a Clang module of the C target; it is included as text.
let nativeCXX: [CXXSetting] = [
    .unsafeFlags(native + ["-fvisibility-inlines-hidden", "-fno-cxx-modules"])
]

// A plugin exports its entry and nothing else, not even templates of the C++ library.
let pluginLinker: [LinkerSetting] = [
    .unsafeFlags([
        "-Xlinker", "--version-script=" + Context.packageDirectory + "/CShims/PosedHost/plugin.map",
        "-static-stdlib", "-nostartfiles",  // there is no Swift in a plugin
    ])
]

// Installed programs bring the toolchain's runtime libraries along (`make install`): a service need not be able
// to read the folder that a toolchain lies in.
let programLinker: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../lib/posed/runtime"])
]

/// The name of the target in `folder` ("Engine/PosedTensor": PosedTensor).
func name(of folder: String) -> String {
    String(folder.drop { $0 != "/" }.dropFirst())
}

/// A Swift library target in a folder of Sources/.
func room(_ folder: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(
        name: name(of: folder), dependencies: dependencies, path: "Sources/" + folder,
        swiftSettings: swift)
}

/// A product of a package that this one depends on.
func product(_ name: String, _ package: String) -> Target.Dependency {
    .product(name: name, package: package)
}

/// The test target of the target in a folder of Sources/; it lies in the same folder of Tests/.
func tests(_ folder: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name(of: folder) + "Tests",
        dependencies: [.byName(name: name(of: folder)), "PosedTesting", "PosedGuarded"]
            + dependencies,
        path: "Tests/" + folder + "Tests", swiftSettings: swift)
}

/// A backend plugin: a shared library that exports `posed_backend_entry` and nothing else.
func plugin(_ name: String, _ target: String) -> Product {
    .library(name: "posed-backend-" + name, type: .dynamic, targets: [target])
}

let package = Package(
    name: "posed",
    products: [
        .executable(name: "posed", targets: ["posed"]),
        .executable(name: "posectl", targets: ["posectl"]),
        .executable(name: "posekit", targets: ["posekit"]),
        plugin("cpu", "PosedCPU"),
        plugin("blas", "PosedBLAS"),
        plugin("cuda", "PosedCUDA"),
        plugin("example", "PosedExampleBackend"),
        plugin("crashing", "PosedCrashingBackend"),
        .library(name: "posed-cuda-stand-in", type: .dynamic, targets: ["PosedCUDAStandIn"]),
        .library(name: "posed-solver-example", type: .dynamic, targets: ["PosedExampleSolver"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: ["YAML", "Logging"]),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // C and C++
        .systemLibrary(name: "CPosedVersion", path: "CShims/CPosedVersion"),
        .target(name: "CPosedBackend", path: "CShims/CPosedBackend", cSettings: nativeC),
        .target(
            name: "CPicture", path: "CShims/CPicture", cSettings: nativeC,
            linkerSettings: ["png", "z", "jpeg", "webp"].map { .linkedLibrary($0) }),
        .target(
            name: "PosedPlugin", dependencies: ["CPosedBackend"], path: "CShims/PosedPlugin",
            cxxSettings: nativeCXX),
        .target(
            name: "PosedHost", dependencies: ["CPosedBackend", "PosedPlugin"],
            path: "CShims/PosedHost", exclude: ["plugin.map"], cxxSettings: nativeCXX),
        .target(
            name: "PosedCPU", dependencies: ["CPosedBackend", "PosedPlugin", "PosedHost"],
            path: "CShims/PosedCPU", cxxSettings: nativeCXX, linkerSettings: pluginLinker),
        .target(
            name: "PosedBLAS", dependencies: ["CPosedBackend", "PosedPlugin", "PosedHost"],
            path: "CShims/PosedBLAS", cxxSettings: nativeCXX, linkerSettings: pluginLinker),
        .target(
            name: "PosedCUDA", dependencies: ["CPosedBackend", "PosedPlugin"],
            path: "CShims/PosedCUDA", exclude: ["kernels"], cSettings: nativeEmbedding,
            cxxSettings: nativeCXX, linkerSettings: pluginLinker),
        .target(
            name: "PosedCUDAStandIn", path: "Tests/Plugins/CUDAStandIn", exclude: ["emulation"],
            cSettings: nativeEmbedding, cxxSettings: nativeCXX),
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
        room("Engine/PosedGuarded"),
        room("Engine/PosedBase"),
        room("Engine/PosedBackend", ["CPosedBackend", "PosedBase"]),
        room("Tools/PosedConformance", ["PosedBackend", "CPosedBackend", "PosedGuarded"]),
        room("Engine/PosedTensor", ["CPosedBackend", "PosedBackend", "PosedGuarded"]),
        room("Engine/PosedSolvers", ["CPosedBackend", "PosedBase"]),
        room("Engine/PosedWeights", ["PosedBase"]),
        room("Engine/PosedNN", ["CPosedBackend", "PosedBackend", "PosedTensor", "PosedWeights"]),
        room(
            "Engine/PosedModels",
            [
                "PosedBackend", "PosedTensor", "PosedWeights", "PosedNN", "PosedGuarded",
                "PosedBase",
            ]),
        room("Engine/PosedVision", ["CPicture", "PosedBase"]),
        room(
            "Engine/PosedPipeline",
            [
                "PosedBackend", "PosedTensor", "PosedWeights", "PosedNN", "PosedModels",
                "PosedSolvers", "PosedVision", "PosedGuarded", "PosedBase",
            ]),
        room(
            "Tools/PosedEvaluation",
            [
                "PosedBackend", "PosedTensor", "PosedWeights", "PosedNN", "PosedModels",
                "PosedVision", "PosedPipeline", "PosedBase",
            ]),
        room(
            "Tools/PosedOptions",
            ["PosedVision", "PosedGuarded", product("ArgumentParser", "swift-argument-parser")]),
        .executableTarget(
            name: "posekit",
            dependencies: [
                "CPosedVersion", "PosedOptions", "PosedBackend", "PosedConformance", "PosedTensor",
                "PosedSolvers",
                "PosedWeights",
                "PosedNN", "PosedModels", "PosedVision", "PosedPipeline", "PosedEvaluation",
                "PosedServing", "PosedErrors", "PosedGuarded", "PosedBase",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Tools/posekit", swiftSettings: swift, linkerSettings: programLinker),

        // The daemon and its client
        .target(
            name: "CPosedGRPC", path: "CShims/CPosedGRPC", cSettings: nativeC,
            linkerSettings: [.linkedLibrary("grpc"), .linkedLibrary("gpr"), .linkedLibrary("z")]),
        .target(
            name: "CPosedTLS", path: "CShims/CPosedTLS", cSettings: nativeC,
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(
            name: "CPosedDigest", path: "CShims/CPosedDigest", cSettings: nativeC,
            linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CPosedGlibc", path: "CShims/CPosedGlibc", cSettings: nativeC),
        .target(
            name: "CPosedReflection", path: "CShims/CPosedReflection",
            exclude: ["descriptors.binpb"], cxxSettings: nativeCXX,
            linkerSettings: [.linkedLibrary("protobuf")]),
        room("Daemon/PosedErrors"),
        room("Daemon/PosedAccounts", ["PosedErrors", "PosedGuarded"]),
        room("Daemon/PosedScheduling", [product("OrderedCollections", "swift-collections")]),
        room(
            "Daemon/PosedSessions",
            [
                "CPosedDigest", "PosedAccounts", "PosedErrors", "PosedGuarded", "PosedBase",
                product("DequeModule", "swift-collections"),
            ]),
        room(
            "Daemon/PosedStore",
            [
                "PosedBase", "PosedSessions", "PosedGuarded", product("NIOCore", "swift-nio"),
                product("NIOPosix", "swift-nio"),
            ]),
        room("Daemon/PosedProtos", ["PosedRPC", product("SwiftProtobuf", "swift-protobuf")]),
        room(
            "Daemon/PosedRPC",
            [
                "CPosedGRPC", "CPosedTLS", "PosedAccounts", "PosedErrors", "PosedGuarded",
                "PosedBase", product("Logging", "swift-log"),
            ]),
        room(
            "Daemon/PosedServing",
            [
                "CPosedVersion", "PosedBackend", "PosedTensor", "PosedModels", "PosedSolvers",
                "PosedVision",
                "PosedPipeline", "PosedScheduling", "PosedSessions", "PosedAccounts", "PosedErrors",
                "PosedGuarded", "PosedBase", product("Logging", "swift-log"),
            ]),
        room(
            "Daemon/PosedService",
            [
                "PosedBackend", "PosedVision", "PosedSolvers", "PosedPipeline", "PosedSessions",
                "PosedServing", "PosedRPC", "PosedProtos", "PosedAccounts", "PosedErrors",
                "PosedGuarded", "CPosedReflection",
                product("SwiftProtobuf", "swift-protobuf"),
                product("Tracing", "swift-distributed-tracing"),
            ]),
        .target(
            name: "CPosedStudio", path: "CShims/CPosedStudio", exclude: ["studio", "openapi.json"],
            cSettings: nativeEmbedding),
        room(
            "Daemon/PosedHTTP",
            [
                "CPosedStudio", "PosedAccounts", "PosedErrors", "PosedGuarded", "PosedProtos",
                "PosedRPC", "PosedService", "PosedServing", "PosedVision",
                product("HTTPTypes", "swift-http-types"), product("Hummingbird", "hummingbird"),
                product("HummingbirdCore", "hummingbird"), product("Logging", "swift-log"),
                product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"),
                product("NIOPosix", "swift-nio"), product("NIOWebSocket", "swift-nio"),
                product("NIOHTTPTypes", "swift-nio-extras"),
                product("NIOHTTPTypesHTTP1", "swift-nio-extras"),
                product("SwiftProtobuf", "swift-protobuf"),
            ]),
        room("Daemon/PosedSystemd", ["CPosedGlibc", "PosedBase"]),
        room(
            "Daemon/PosedTelemetry",
            [
                "PosedGuarded", "PosedBase", product("Logging", "swift-log"),
                product("CoreMetrics", "swift-metrics"),
                product("Tracing", "swift-distributed-tracing"),
            ]),
        room(
            "Daemon/PosedDaemon",
            [
                "CPosedVersion", "CPosedGlibc", "PosedAccounts", "PosedErrors", "PosedGuarded",
                "PosedBase", "PosedSessions", "PosedStore",
                "PosedBackend", "PosedSolvers", "PosedPipeline", "PosedServing", "PosedService",
                "PosedHTTP", "PosedRPC", "PosedSystemd", "PosedTelemetry",
                product("Configuration", "swift-configuration"),
                product("Hummingbird", "hummingbird"), product("NIOCore", "swift-nio"),
                product("Logging", "swift-log"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
                product("Tracing", "swift-distributed-tracing"),
                product("UnixSignals", "swift-service-lifecycle"), product("Yams", "Yams"),
            ]),
        .executableTarget(
            name: "posed",
            dependencies: [
                "CPosedVersion", "PosedBackend", "PosedDaemon", "PosedSystemd",
                product("ArgumentParser", "swift-argument-parser"),
            ],
            path: "Sources/Daemon/posed", swiftSettings: swift, linkerSettings: programLinker),
        .executableTarget(
            name: "posectl",
            dependencies: [
                "CPosedVersion", "PosedOptions", "PosedRPC", "PosedProtos", "PosedVision",
                "PosedGuarded", "PosedBase",
                product("SwiftProtobuf", "swift-protobuf"),
                product("ArgumentParser", "swift-argument-parser"),
            ],
            path: "Sources/Tools/posectl", swiftSettings: swift, linkerSettings: programLinker),

        // Tests
        .target(
            name: "PosedTesting", dependencies: ["PosedPipeline"],
            path: "Tests/Engine/PosedTesting",
            swiftSettings: swift),
        tests("Engine/PosedBase", []),
        tests("Daemon/PosedErrors", []),
        tests("Daemon/PosedAccounts", ["PosedErrors"]),
        tests(
            "Daemon/PosedHTTP",
            ["PosedErrors", "PosedRPC", product("HTTPTypes", "swift-http-types")]),
        tests("Engine/PosedBackend", ["CPosedBackend", "PosedConformance"]),
        tests("Tools/PosedConformance", ["CPosedBackend", "PosedBackend"]),
        .executableTarget(
            name: "cuda-scenarios", dependencies: ["CPosedBackend"],
            path: "Tests/Plugins/CUDAScenarios", cxxSettings: nativeCXX),
        .testTarget(
            name: "PosedCUDATests",
            dependencies: ["PosedTesting", "PosedVision", "PosedEvaluation"],
            path: "Tests/Engine/PosedCUDATests", swiftSettings: swift),
        tests("Engine/PosedTensor", ["PosedBackend"]),
        tests("Engine/PosedSolvers", ["CPosedBackend"]),
        tests("Engine/PosedWeights", []),
        tests("Engine/PosedVision", ["CPicture", "CPosedDigest"]),
        tests("Engine/PosedModels", ["PosedNN", "PosedWeights", "PosedTensor", "PosedBackend"]),
        tests(
            "Engine/PosedPipeline",
            ["PosedBackend", "PosedModels", "PosedSolvers", "PosedVision", "PosedTensor"]),
        tests(
            "Tools/PosedEvaluation",
            ["PosedBackend", "PosedVision", "PosedWeights", "PosedTensor", "PosedModels"]),
        tests("Tools/posekit", ["PosedBackend", "PosedTensor", "PosedVision", "PosedWeights"]),
        tests("Daemon/PosedScheduling", []),
        tests("Daemon/PosedSessions", ["PosedAccounts", "PosedErrors", "PosedBase"]),
        tests(
            "Daemon/PosedStore",
            [
                "PosedSessions", "PosedErrors", product("NIOCore", "swift-nio"),
                product("NIOPosix", "swift-nio"),
            ]),
        tests("Daemon/PosedRPC", ["CPosedGRPC", "PosedAccounts", "PosedErrors"]),
        tests(
            "Daemon/PosedServing",
            [
                "PosedBackend", "PosedTensor", "PosedModels", "PosedSolvers", "PosedPipeline",
                "PosedVision", "PosedScheduling", "PosedSessions", "PosedAccounts", "PosedErrors",
                "PosedBase",
            ]),
        tests(
            "Daemon/PosedService",
            [
                "PosedBackend", "PosedVision", "PosedSolvers", "PosedPipeline", "PosedSessions",
                "PosedServing", "PosedRPC", "PosedProtos", "PosedAccounts", "PosedErrors",
                product("SwiftProtobuf", "swift-protobuf"),
            ]),
        tests("Daemon/PosedSystemd", []),
        tests(
            "Daemon/PosedTelemetry",
            [
                "PosedBase", product("Logging", "swift-log"),
                product("CoreMetrics", "swift-metrics"),
            ]),
        .target(
            name: "CPosedFuzz", path: "Tests/Fuzz/Driver",
            cSettings: [.unsafeFlags(native + ["-fsanitize=fuzzer-no-link"])]),
        .executableTarget(
            name: "posed-fuzz",
            dependencies: [
                "CPosedFuzz", "PosedVision", "PosedWeights", "PosedSessions", "PosedServing",
                "PosedRPC", "PosedProtos", "PosedErrors", "PosedService", "PosedDaemon",
                "PosedBase",
                product("SwiftProtobuf", "swift-protobuf"),
            ],
            path: "Tests/Fuzz/Sources", swiftSettings: swift,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]),
        .executableTarget(
            name: "PosedRehearsal", dependencies: ["PosedDaemon", "PosedSystemd", "PosedGuarded"],
            path: "Tests/Daemon/Rehearsal", swiftSettings: swift),
        .executableTarget(
            name: "PosedScale",
            dependencies: [
                "PosedScheduling", product("Collections", "swift-collections"),
                product("ArgumentParser", "swift-argument-parser"),
            ],
            path: "Tests/Scale/Simulation", swiftSettings: swift),
        .testTarget(
            name: "PosedScaleTests", dependencies: ["PosedScale"], path: "Tests/Scale/Tests",
            swiftSettings: swift),
        tests(
            "Daemon/PosedDaemon",
            [
                "CPosedGlibc",
                "PosedAccounts", "PosedBackend", "PosedBase", "PosedErrors", "PosedVision",
                "PosedSystemd", "PosedTelemetry", "PosedProtos", "PosedRPC", "PosedServing",
                "PosedStore",
                "PosedRehearsal",
                product("Configuration", "swift-configuration"), product("Logging", "swift-log"),
            ]),
        tests(
            "Tools/posectl",
            [
                "CPosedVersion", "PosedRPC", "PosedProtos", "PosedVision",
                product("SwiftProtobuf", "swift-protobuf"),
                product("ArgumentParser", "swift-argument-parser"),
            ]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c17,
    cxxLanguageStandard: .cxx20
)

// POSED_TESTS=PosedRPC,PosedServing leaves only the tests of these rooms, and what they need: with a sanitizer
// everything is compiled anew, by `.ci/sanitize`.
if let chosen = Context.environment["POSED_TESTS"] {
    // Tests find the plugin `blas`, and probe it with posekit.
    var wanted = chosen.split(separator: ",").map { $0 + "Tests" } + ["PosedBLAS", "posekit"]
    var kept: Set<String> = []
    while let name = wanted.popLast() {
        guard kept.insert(name).inserted else { continue }
        for case .byNameItem(let needed, _) in package.targets.first(where: { $0.name == name })?
            .dependencies ?? []
        {
            wanted.append(needed)
        }
    }
    package.targets.removeAll { !kept.contains($0.name) }
    package.products.removeAll { !["posekit", "posed-backend-blas"].contains($0.name) }
}
