/// The search for the equations of a batch that don't hold.
struct BatchSearch {
    private let equations: [SignatureEquation]
    private let keys: [Int]
    private let keyCount: Int
    private let coefficients: [GroupScalar]
    /// z·h of each equation, modulo L.
    private let products: [GroupScalar]

    /// Fewer equations than this are checked one by one, which is as fast (measured).
    static let togetherMin = 3
    /// Up to so many equations of a sum that isn't O are checked one by one.
    private static let singlesMax = 4
    /// Beyond one wrong equation in so many, halving costs more than checking one by one does.
    private static let equationsPerWrong = 12

    /// - Parameters:
    ///   - keys: for each equation the number of its public key, below `keyCount`.
    ///   - coefficients: one below 2^128 for each equation, or none for a single equation.
    init(
        equations: [SignatureEquation], keys: [Int], keyCount: Int, coefficients: [GroupScalar]
    ) {
        self.equations = equations
        self.keys = keys
        self.keyCount = keyCount
        self.coefficients = coefficients
        products = zip(coefficients, equations).map { $0 * $1.h }
    }

    /// Whether every equation holds.
    var isEmpty: Bool {
        guard equations.count >= BatchSearch.togetherMin else {
            return equations.allSatisfy(\.holds)
        }
        return sum(equations.indices).isSmallOrder
    }

    /// The places of the equations that don't hold, rising.
    func found() -> [Int] {
        guard equations.count >= BatchSearch.togetherMin else { return checked(equations.indices) }
        var wrong: [Int] = []
        search(equations.indices, sum: sum(equations.indices), &wrong)
        return wrong
    }

    private func search(_ range: Range<Int>, sum total: EdwardsPoint, _ wrong: inout [Int]) {
        if total.isSmallOrder { return }
        let isCrowded = wrong.count > 1 + range.lowerBound / BatchSearch.equationsPerWrong
        if isCrowded || range.count <= BatchSearch.singlesMax {
            wrong += checked(range)
            return
        }
        let middle = range.lowerBound + range.count / 2
        let left = sum(range.lowerBound..<middle)
        search(range.lowerBound..<middle, sum: left, &wrong)
        search(middle..<range.upperBound, sum: total.subtracting(left), &wrong)
    }

    private func checked(_ range: Range<Int>) -> [Int] {
        range.filter { !equations[$0].holds }
    }

    /// The sum of z·(S·B - h·A - R) over a range, but for points of small order. Equations of
    /// one key share a term.
    private func sum(_ range: Range<Int>) -> EdwardsPoint {
        withUnsafeTemporaryAllocation(
            of: MultiScalar.Term.self, capacity: 2 * range.count
        ) { terms in
            var base = GroupScalar.zero
            for (place, index) in range.enumerated() {
                base = base + coefficients[index] * equations[index].s
                terms.initializeElement(
                    at: place,
                    to: MultiScalar.Term(
                        point: equations[index].minusR, scalar: coefficients[index]))
            }
            var count = range.count
            for (point, scalar) in keyTerms(range) {
                terms.initializeElement(
                    at: count, to: MultiScalar.Term(point: point, scalar: scalar))
                count += 1
            }
            return MultiScalar.sum(
                of: UnsafeBufferPointer(rebasing: terms[..<count]), base: base)
        }
    }

    /// For each key of a range the sum of z·h.
    private func keyTerms(_ range: Range<Int>) -> [(AffinePoint, GroupScalar)] {
        var places = [Int](repeating: -1, count: keyCount)
        var terms: [(AffinePoint, GroupScalar)] = []
        terms.reserveCapacity(range.count)
        for index in range {
            let place = places[keys[index]]
            if place >= 0 {
                terms[place].1 = terms[place].1 + products[index]
            } else {
                places[keys[index]] = terms.count
                terms.append((equations[index].minusA, products[index]))
            }
        }
        return terms
    }
}
