// swift-tools-version:6.0
import PackageDescription

// On Linux the library lies where the linker is told to look; on Apple's platforms it comes in the
// framework bundle that `cargo xtask xcframework` makes.
#if os(Linux)
let library: Target = .systemLibrary(name: "CTidingsFFI")
#else
let library: Target = .binaryTarget(name: "CTidingsFFI", path: "Artifacts/CTidingsFFI.xcframework")
#endif

let package = Package(
    name: "Tidings",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "Tidings", targets: ["Tidings"]),
        .library(name: "TidingsUI", targets: ["TidingsUI"]),
        .library(name: "TidingsTesting", targets: ["TidingsTesting"]),
        .executable(name: "tidings-example", targets: ["TidingsExample"]),
    ],
    targets: [
        library,
        .target(name: "TidingsFFI", dependencies: ["CTidingsFFI"]),
        .target(name: "Tidings", dependencies: ["TidingsFFI"]),
        .target(name: "TidingsUI", dependencies: ["Tidings"]),
        .target(name: "TidingsTesting", dependencies: ["Tidings"]),
        .executableTarget(name: "TidingsExample", dependencies: ["Tidings"]),
        .executableTarget(name: "TidingsEndurance", dependencies: ["Tidings", "TidingsTesting"]),
        .executableTarget(name: "TidingsScenarios", dependencies: ["Tidings", "TidingsTesting"]),
        .testTarget(
            name: "TidingsTests",
            dependencies: ["Tidings", "TidingsTesting", "TidingsExample"]
        ),
    ],
    swiftLanguageModes: [.v6]
)
