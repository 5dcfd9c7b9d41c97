internal import Glibc
package import PosedBase

/// The metrics of a process that Prometheus's client libraries have agreed on, read from `/proc`.
package enum ProcessMetrics {
    /// Adds them to a registry; each is read anew for every page.
    ///
    /// - Throws: ``TelemetryError`` where a name is in other use.
    package static func register(
        in registry: MetricsRegistry, startedAt start: WallTime = .now()
    ) throws(TelemetryError) {
        try registry.observe(
            "process_start_time_seconds", .gauge, help: "When the process began, since 1970."
        ) { start.seconds }
        try registry.observe(
            "process_cpu_seconds_total", .counter, help: "Processor time used."
        ) { processorSeconds() }
        try registry.observe(
            "process_resident_memory_bytes", .gauge, help: "Memory in use."
        ) { memoryPages(1) }
        try registry.observe(
            "process_virtual_memory_bytes", .gauge, help: "Address space in use."
        ) { memoryPages(0) }
        try registry.observe("process_open_fds", .gauge, help: "Open file descriptors.") {
            openDescriptors()
        }
        try registry.observe(
            "process_max_fds", .gauge, help: "The most file descriptors that may be open."
        ) { descriptorLimit() }
    }

    /// Resident memory of the process, in bytes; 0 where the system does not tell.
    package static var residentBytes: Int { Int(memoryPages(1) ?? 0) }

    private static func processorSeconds() -> Double? {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
        let times = [usage.ru_utime, usage.ru_stime]
        return times.reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    /// A field of `/proc/self/statm`, in bytes.
    private static func memoryPages(_ field: Int) -> Double? {
        guard let file = fopen("/proc/self/statm", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let text = String(
            decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let fields = text.split(separator: " ")
        guard fields.count > field, let pages = Double(fields[field]) else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func openDescriptors() -> Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            if entry.pointee.d_name.0 != UInt8(ascii: ".") { count += 1 }
        }
        return Double(count - 1)  // one of them is the folder itself
    }

    private static func descriptorLimit() -> Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return nil
        }
        return limit.rlim_cur == UInt64.max ? .infinity : Double(limit.rlim_cur)
    }
}
