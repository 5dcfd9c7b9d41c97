internal import PosedBase

/// One assignment of a notification: a line `KEY=value` of the `sd_notify(3)` protocol.
package struct NotifyField: Hashable, Sendable {
    /// The name before the equals sign.
    package let key: String
    /// The value; never more than one line.
    package let value: String

    /// An assignment; what would end the line in `value` becomes a space, so that no text from outside
    /// can smuggle an assignment of its own into the message.
    package init(_ key: String, _ value: String) {
        self.key = key
        let oneLine = value.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar
        }
        self.value = String(String.UnicodeScalarView(oneLine))
    }

    /// Start-up, or a reload, is complete.
    package static let ready = NotifyField("READY", "1")
    /// The service has begun to shut down.
    package static let stopping = NotifyField("STOPPING", "1")
    /// The service is alive; to be sent more often than the watchdog's interval.
    package static let watchdog = NotifyField("WATCHDOG", "1")
    /// The service asks to be treated as if its watchdog had run out, now.
    package static let watchdogTrigger = NotifyField("WATCHDOG", "trigger")

    /// One line about the state of the service, shown by `systemctl status`.
    package static func status(_ text: String) -> NotifyField { NotifyField("STATUS", text) }

    /// Start-up, reload or shutdown goes on: it may take `duration` more, from now.
    package static func extendTimeout(_ duration: Duration) -> NotifyField {
        NotifyField("EXTEND_TIMEOUT_USEC", String(max(1, duration.units(perSecond: 1_000_000))))
    }

    /// A reload begins. Both lines go in one message: a manager that knows `Type=notify-reload` tells by
    /// the time which request the reload answers.
    package static func reloading(at time: MonotonicMicroseconds = .now()) -> [NotifyField] {
        [NotifyField("RELOADING", "1"), NotifyField("MONOTONIC_USEC", String(time.rawValue))]
    }
}

extension NotifyField {
    /// A message: the assignments, a line each.
    package static func encode(_ fields: [NotifyField]) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            bytes.append(contentsOf: field.key.utf8)
            bytes.append(UInt8(ascii: "="))
            bytes.append(contentsOf: field.value.utf8)
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }
}
