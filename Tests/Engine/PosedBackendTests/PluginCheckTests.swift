import CPosedBackend
import Foundation
import PosedBackend
import Testing

@Suite struct PluginCheckTests {
    @Test func slotNamesMatchTheTable() throws {
        let first = try #require(MemoryLayout<posed_backend>.offset(of: \.probe))
        let last = try #require(MemoryLayout<posed_backend>.offset(of: \.quantize))
        #expect(PluginCheck.slots.count == (last - first) / MemoryLayout<UInt>.size + 1)
        let attention = try #require(MemoryLayout<posed_backend>.offset(of: \.attention))
        let index = (attention - first) / MemoryLayout<UInt>.size
        #expect(PluginCheck.slots[index] == "attention")
    }

    @Test func everyEmptySlotIsFoundButTheOptionalOne() throws {
        let file = try Plugins.file("example")
        let plugin = try BackendPlugin(loading: file)
        let check = PluginCheck(file: file, host: .host)
        let first = try #require(MemoryLayout<posed_backend>.offset(of: \.probe))
        for (index, slot) in PluginCheck.slots.enumerated() {
            var table = plugin.table.pointee
            withUnsafeMutableBytes(of: &table) {
                $0.storeBytes(
                    of: 0, toByteOffset: first + index * MemoryLayout<UInt>.size, as: UInt.self)
            }
            if slot == "buffer_map" {
                #expect(throws: Never.self) { try check.check(&table) }
            } else {
                let error = #expect(throws: BackendError.self) { try check.check(&table) }
                #expect(error?.message == "\(file.fileName): its table has no function \(slot)")
            }
        }
    }

    @Test func pluginKnowsItself() throws {
        let plugin = try BackendPlugin(path: Plugins.file("example").path)
        #expect(plugin.name == "example")
        #expect(plugin.version == "1.0")
        #expect(try plugin.probe().score == 1)
    }

    @Test func renamedPluginIsRefused() throws {
        try Plugins.withFolder { folder in
            let path = folder + "/libposed-backend-blas.so"
            try FileManager.default.copyItem(
                atPath: Plugins.file("example").path, toPath: path)
            let error = #expect(throws: BackendError.self) { try BackendPlugin(path: path) }
            #expect(error?.code == .incompatible)
        }
    }
}
