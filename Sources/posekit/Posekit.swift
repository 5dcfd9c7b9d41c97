import ArgumentParser

@main
struct Posekit: ParsableCommand {
    func run() {}
}
