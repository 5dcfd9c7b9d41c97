import Foundation
import PosedEvaluation
import PosedTesting
import PosedVision
import Testing

@Suite struct ReportTests {
    private func scores() throws -> [PairScores] {
        let target = try PictureGoldens.pattern(width: 16, height: 16)
        let other = try PictureGoldens.pattern(width: 16, height: 16, seed: 3)
        let mask = try Mask(width: 16, height: 16, values: (0..<256).map { $0 > 99 })
        var first = PairScores(source: "a, \"b\".png", target: "c.png")
        try first.measure(try ImagePair(target, reference: target), as: .output)
        var second = PairScores(source: "d.png", target: "e.png")
        try second.measure(try ImagePair(other, reference: target, mask: mask), as: .output)
        second.record(.lpips, .copy, 0.25)
        return [first, second]
    }

    @Test func meansAreOverWhatWasMeasured() throws {
        let scores = try scores()
        var report = EvaluationReport(
            scores, settings: ["nfe": .integer(16), "solver": .text("heun")])
        report.record(.fid, .output, 12.5)
        report.record(.fid, .copy, .nan)
        let psnr = try #require(scores[1].values[.psnr]?[.output])
        #expect(report.metrics["psnr"]?["output"] == (PSNR.reportCeiling + psnr) / 2)
        #expect(report.metrics["psnr_mask"]?["output"] == scores[1].values[.psnrMask]?[.output])
        #expect(report.metrics["lpips"] == ["copy": 0.25])
        #expect(report.metrics["fid"] == ["output": 12.5])
        #expect(report.pairs == 2)
    }

    @Test func writesJSONAndCSV() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("posed-report-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let scores = try scores()
        let report = EvaluationReport(
            scores, settings: ["guidance": .number(1.1), "seeded": .flag(true)])
        let json = folder.appendingPathComponent("report.json")
        try report.write(to: json.path)
        let back = try JSONDecoder().decode(EvaluationReport.self, from: Data(contentsOf: json))
        #expect(back == report)

        let csv = folder.appendingPathComponent("pairs.csv")
        try ScoreTable(scores).write(to: csv.path)
        let lines = try String(contentsOf: csv, encoding: .utf8).split(separator: "\n")
        #expect(
            lines[0] == "source,target,ssim_output,psnr_output,lpips_copy,gradient_ratio_output,"
                + "detail_ratio_output,ssim_mask_output,psnr_mask_output,"
                + "gradient_ratio_mask_output,detail_ratio_mask_output")
        #expect(lines[1].hasPrefix("\"a, \"\"b\"\".png\",c.png,"))
        #expect(lines[1].hasSuffix(",100.0,,1.0,1.0,,,,"))
        #expect(lines.count == 3)
        expectCode(.unwritableFile) { try report.write(to: folder.path + "/no/where.json") }
        expectCode(.unwritableFile) { try ScoreTable(scores).write(to: folder.path + "/no/a.csv") }
    }
}
