import ArgumentParser
import Foundation
import PosedVision

/// `posekit sheet`: pictures side by side on one.
struct SheetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sheet",
        abstract: "Lay pictures side by side on one.",
        discussion: """
            Every argument is a row: a PNG file, or a folder whose PNG files are taken in the order of \
            their names, evenly when there are more than --columns.

            EXAMPLES
              posekit sheet frames/wave frames/turn --out sheet.png
              posekit sheet person.png frames --columns 12 --out sheet.png
            """)

    @Argument(help: ArgumentHelp("Files and folders, a row each.", valueName: "row"))
    var rows: [String]

    @Option(help: ArgumentHelp("The sheet.", valueName: "file"))
    var out: String

    @Option(help: ArgumentHelp("Pictures in a row at most.", valueName: "n"))
    var columns = 8

    func validate() throws {
        if rows.isEmpty { throw ValidationError("at least one row is needed") }
        if columns < 1 { throw ValidationError("--columns must be at least 1, not \(columns)") }
    }

    func run() throws {
        let pictures = try rows.map { row in
            try files(of: row).map { try Image(file: $0) }
        }
        try ContactSheet().image(rows: pictures).writePNG(to: out)
    }

    /// The files of a row, at most `columns` of them.
    private func files(of row: String) throws -> [String] {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: row, isDirectory: &isFolder)
        guard exists, isFolder.boolValue else { return [row] }
        let all = try FileManager.default.contentsOfDirectory(atPath: row)
            .filter { $0.hasSuffix(".png") }.sorted()
        guard !all.isEmpty else {
            throw PosekitError(.invalidInput, "\(row): PNG files expected, but there are none")
        }
        let count = min(columns, all.count)
        return (0..<count).map { row + "/" + all[$0 * all.count / count] }
    }
}
