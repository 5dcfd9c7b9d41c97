/// Elements in the order of their last use. Every change takes constant time.
package struct RecencyList<Element: Hashable & Sendable>: Sendable {
    private struct Links {
        var older: Element?
        var newer: Element?
    }

    private var links: [Element: Links] = [:]
    /// The element whose last use is longest ago.
    package private(set) var oldest: Element?
    private var newest: Element?

    /// An empty list.
    package init() {}

    /// The number of elements.
    package var count: Int { links.count }

    /// Whether an element is in the list.
    package func contains(_ element: Element) -> Bool { links[element] != nil }

    /// Puts an element at the end of those used last, from wherever it was.
    package mutating func use(_ element: Element) {
        remove(element)
        links[element] = Links(older: newest, newer: nil)
        if let newest { links[newest]?.newer = element } else { oldest = element }
        newest = element
    }

    /// Takes an element out; says whether it was there.
    @discardableResult
    package mutating func remove(_ element: Element) -> Bool {
        guard let link = links.removeValue(forKey: element) else { return false }
        if let older = link.older { links[older]?.newer = link.newer } else { oldest = link.newer }
        if let newer = link.newer { links[newer]?.older = link.older } else { newest = link.older }
        return true
    }
}

extension RecencyList: Sequence {
    /// The elements, those whose use is longest ago first.
    package func makeIterator() -> AnyIterator<Element> {
        var next = oldest
        return AnyIterator {
            defer { next = next.flatMap { links[$0]?.newer } }
            return next
        }
    }
}
