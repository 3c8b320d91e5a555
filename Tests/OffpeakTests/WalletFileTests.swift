import Primitives
import Testing

@testable import offpeak

/// Keys, policies and transactions of these tests.
enum WalletSamples {
    static let prefix: NetworkPrefix = {
        guard let prefix = try? NetworkPrefix("opk") else { preconditionFailure("opk") }
        return prefix
    }()
    static let chainID = ChainID(bytes32(9))

    static func bytes32(_ number: UInt8) -> Bytes32 {
        Bytes32([UInt8](repeating: number, count: 32)) ?? .zero
    }

    static func key(_ number: UInt8) -> SecretKey {
        SecretKey(seed: SecureBytes(copying: [UInt8](repeating: number, count: 32)))
    }

    /// Keys 1, 2 and 3 with weight 1 each.
    static func policy(spend: UInt32 = 2, admin: UInt32 = 3) throws -> Policy {
        let signers = (1...3).map {
            Policy.Signer(publicKey: key(UInt8($0)).publicKey, weight: 1)
        }
        return try Policy(signers: signers, spend: spend, admin: admin)
    }

    static func transaction(
        from policy: Policy, cosigners: [Address] = [], sequence: UInt64 = 0,
        operations: [Operation]? = nil
    ) -> Transaction {
        Transaction(
            chainID: chainID, sender: policy.address, sequence: SequenceNumber(sequence),
            validUntil: 1_800_000_000_000, maxFee: 5000, cosigners: cosigners,
            memo: Array("rent".utf8),
            operations: operations
                ?? [.transfer(Transfer(to: Address(bytes32(5)), amount: 1500))])
    }

    /// A file that reveals the policy of keys 1 to 3, without signatures.
    static func file(sequence: UInt64 = 0) throws -> TransactionFile {
        let policy = try policy()
        return try TransactionFile(
            transaction: transaction(from: policy, sequence: sequence), prefix: prefix,
            policies: [policy])
    }
}

@Suite("Transaction and policy files")
struct WalletFileTests {
    private func read(_ text: String) throws -> TransactionFile {
        try TransactionFile(bytes: Array(text.utf8), file: "tx.json")
    }

    @Test("a file is read back as it was written")
    func roundTrip() throws {
        for count in 0...3 {
            let keys = (1...3).prefix(count).map { WalletSamples.key(UInt8($0)) }
            let file = try WalletSamples.file().signed(by: keys)
            #expect(try read(file.text) == file)
            #expect(try read(file.text).text == file.text)
        }
    }

    @Test("signatures gathered in any order give the same bytes")
    func mergeInAnyOrder() throws {
        let unsigned = try WalletSamples.file()
        let parts = try (1...3).map { try unsigned.signed(by: [WalletSamples.key(UInt8($0))]) }
        let expected = try unsigned.signed(by: (1...3).map { WalletSamples.key(UInt8($0)) }).text
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            var merged = parts[order[0]]
            for place in order.dropFirst() {
                merged = try merged.merged(with: parts[place], named: "part")
            }
            merged = try merged.merged(with: unsigned, named: "unsigned")
            merged = try merged.merged(with: parts[0], named: "again")
            #expect(merged.text == expected, "order \(order)")
        }
        var oneAfterTheOther = unsigned
        for number in [3, 1, 2] as [UInt8] {
            oneAfterTheOther = try read(
                oneAfterTheOther.signed(by: [WalletSamples.key(number)]).text)
        }
        #expect(oneAfterTheOther.text == expected)
    }

    @Test("what a file holds is what its signers signed")
    func signedTransaction() throws {
        let file = try WalletSamples.file().signed(by: [WalletSamples.key(1)])
        let signed = try file.signedTransaction()
        #expect(Verified.check(signed) != nil)
        #expect(signed.policies == [try WalletSamples.policy()])
        let unsigned = try WalletSamples.file()
        let fault = #expect(throws: CommandFault.self) { try unsigned.signedTransaction() }
        #expect(fault?.description.contains("no signature") == true)
    }

    @Test("every altered character is refused, or changes nothing")
    func alterations() throws {
        let file = try WalletSamples.file().signed(by: [WalletSamples.key(1)])
        let bytes = Array(file.text.utf8)
        var refused = 0
        for place in bytes.indices {
            for replacement in [UInt8(ascii: "0"), UInt8(ascii: "f"), UInt8(ascii: "\"")]
            where bytes[place] != replacement {
                var altered = bytes
                altered[place] = replacement
                do throws(CommandFault) {
                    let other = try TransactionFile(bytes: altered, file: "tx.json")
                    // The network's letters are what people see; they aren't signed.
                    #expect(other.transaction == file.transaction, "byte \(place)")
                    #expect(other.authorizations == file.authorizations, "byte \(place)")
                    #expect(other.policies == file.policies, "byte \(place)")
                } catch {
                    refused += 1
                }
            }
        }
        #expect(refused > 2 * bytes.count)
    }

    @Test("a file cut anywhere is refused")
    func truncations() throws {
        let text = try WalletSamples.file().signed(by: [WalletSamples.key(2)]).text
        for count in 0..<(text.utf8.count - 2) {
            #expect(throws: CommandFault.self, "cut at \(count)") {
                try TransactionFile(bytes: Array(text.utf8.prefix(count)), file: "tx.json")
            }
        }
    }

    @Test("alterations are named for what they are")
    func namedAlterations() throws {
        let file = try WalletSamples.file().signed(by: [WalletSamples.key(1)])
        let other = try WalletSamples.file(sequence: 1).signed(by: [WalletSamples.key(1)])
        let signature = file.authorizations[0].signature.description
        let otherSignature = other.authorizations[0].signature.description
        let faults = [
            (
                Hex.encode(file.transaction.bcsBytes), Hex.encode(other.transaction.bcsBytes),
                "altered: the transaction's id is"
            ),
            (signature, otherSignature, "isn't of this transaction"),
            (TransactionFile.format, "offpeak-transaction-2", "is wanted"),
            ("\"prefix\"", "\"prefixes\"", "unknown member \"prefixes\""),
            ("\"opk\"", "\"OPK\"", "small letters"),
        ]
        for (old, new, wanted) in faults {
            let pieces = file.text.split(separator: old, omittingEmptySubsequences: false)
            #expect(pieces.count == 2, "\(old) once")
            let fault = #expect(throws: CommandFault.self) {
                try read(pieces.joined(separator: new))
            }
            #expect(fault?.description.contains(wanted) == true, "\(fault as Any)")
            #expect(fault?.description.hasPrefix("tx.json") == true)
        }
    }

    @Test("files of different transactions don't merge")
    func differentTransactions() throws {
        let first = try WalletSamples.file()
        let second = try WalletSamples.file(sequence: 1)
        let fault = #expect(throws: CommandFault.self) {
            try first.merged(with: second, named: "second.json")
        }
        #expect(fault?.description.hasPrefix("second.json holds another transaction") == true)
    }

    @Test("a policy of none of the accounts is refused")
    func foreignPolicy() throws {
        let policy = try WalletSamples.policy()
        let foreign = Policy.single(WalletSamples.key(8).publicKey)
        #expect(throws: CommandFault.self) {
            try TransactionFile(
                transaction: WalletSamples.transaction(from: policy),
                prefix: WalletSamples.prefix, policies: [policy, foreign])
        }
    }

    @Test("policies stand in the order of their accounts, each once")
    func orderOfPolicies() throws {
        let policy = try WalletSamples.policy()
        let cosigners = (4...6).map { Policy.single(WalletSamples.key(UInt8($0)).publicKey) }
        let transaction = WalletSamples.transaction(
            from: policy, cosigners: cosigners.map(\.address))
        let sorted = cosigners.sorted { $0.address < $1.address }
        for policies in [cosigners + [policy], [policy] + sorted.reversed() + [policy]] {
            let file = try TransactionFile(
                transaction: transaction, prefix: WalletSamples.prefix, policies: policies)
            #expect(file.policies == [policy] + sorted)
        }
    }

    @Test("weights are counted against the threshold that the operations need")
    func weights() throws {
        let unsigned = try WalletSamples.file()
        let keys = (1...3).map { WalletSamples.key(UInt8($0)) }
        let one = try unsigned.signed(by: [keys[1]])
        let fault = #expect(throws: CommandFault.self) {
            try WeightCheck.check(one, WeightCheck.parts(of: one))
        }
        #expect(fault?.description.contains("weigh 1 of the 2") == true)
        let missing = keys[2].publicKey.text(in: WalletSamples.prefix)
        #expect(fault?.description.contains(missing) == true)
        let two = try one.signed(by: [keys[2]])
        try WeightCheck.check(two, WeightCheck.parts(of: two))
        let stranger = try two.signed(by: [WalletSamples.key(7)])
        #expect(throws: CommandFault.self) {
            try WeightCheck.check(stranger, WeightCheck.parts(of: stranger))
        }
    }

    @Test("a change of policy needs the admin threshold")
    func adminWeight() throws {
        let policy = try WalletSamples.policy()
        let change = WalletSamples.transaction(
            from: policy, operations: [.setPolicy(.single(WalletSamples.key(4).publicKey))])
        let unsigned = try TransactionFile(
            transaction: change, prefix: WalletSamples.prefix, policies: [policy])
        let two = try unsigned.signed(by: [WalletSamples.key(1), WalletSamples.key(2)])
        #expect(throws: CommandFault.self) {
            try WeightCheck.check(two, WeightCheck.parts(of: two))
        }
        let three = try two.signed(by: [WalletSamples.key(3)])
        try WeightCheck.check(three, WeightCheck.parts(of: three))
    }

    @Test("the policy in force counts, not the one that opened the account")
    func rotatedPolicy() throws {
        let file = try WalletSamples.file().signed(by: [WalletSamples.key(4)])
        let rotated = Policy.single(WalletSamples.key(4).publicKey)
        let sender = file.transaction.sender
        let known = KnownLedger(accounts: [sender: .init(policy: rotated)])
        try WeightCheck.check(file, WeightCheck.parts(of: file, known: known))
    }

    @Test("a policy file is read back, and refused when it is altered")
    func policyFiles() throws {
        let file = PolicyFile(policy: try WalletSamples.policy(), prefix: WalletSamples.prefix)
        let read = try PolicyFile(bytes: Array(file.text.utf8), file: "p")
        #expect(read == file)
        for (old, new) in [
            ("\"spend\" : 2", "\"spend\" : 1"), ("\"weight\" : 1", "\"weight\" : 2"),
        ] {
            let text = file.text.split(separator: old, maxSplits: 1).joined(separator: new)
            #expect(text != file.text)
            let fault = #expect(throws: CommandFault.self) {
                try PolicyFile(bytes: Array(text.utf8), file: "p")
            }
            #expect(fault?.description.contains("altered") == true)
        }
    }

    @Test("a transaction file shows every operation and no byte that a terminal would obey")
    func summary() throws {
        let policy = try WalletSamples.policy()
        let escrow = EscrowID(WalletSamples.bytes32(3))
        let quorum = try Quorum(
            members: [.init(address: policy.address, weight: 1)], threshold: 1)
        let operations: [Operation] = [
            .transfer(Transfer(to: policy.address, amount: 1)), .setPolicy(policy),
            .escrowCreate(
                EscrowTerms(
                    payee: policy.address, amount: 7, release: quorum, refund: quorum,
                    deadline: 1_800_000_000_000)),
            .escrowTopUp(EscrowTopUp(escrow: escrow, amount: 2)),
            .escrowDecide(
                EscrowDecision(escrow: escrow, round: 3, direction: .refund, amount: 4)),
            .escrowDispute(escrow),
            .escrowArbitrate(
                EscrowArbitration(escrow: escrow, round: 5, toPayee: 6, toPayer: 8)),
            .bond(
                Bond(
                    key: .zero, peerID: .zero, amount: 9, proof: Signature(r: .zero, s: .zero),
                    peerProof: Signature(r: .zero, s: .zero))),
            .unbond(Unbond(key: .zero, amount: 10)), .withdraw(.zero),
            .reportEvidence([0xAB, 0xCD]), .closeStream(77),
            .declareCandidate(.zero), .withdrawCandidacy(.zero),
        ]
        let transaction = Transaction(
            chainID: WalletSamples.chainID, sender: policy.address, sequence: 0,
            validUntil: 1_800_000_000_000, maxFee: 5000, memo: [0x1B, 0x5B, 0x32, 0x4A],
            operations: operations)
        let file = try TransactionFile(
            transaction: transaction, prefix: WalletSamples.prefix, policies: [])
        let text = TransactionSummary(file).text(Palette(isOn: false))
        for kind in [
            "transfer", "setPolicy", "escrowCreate", "escrowTopUp", "escrowDecide",
            "escrowDispute", "escrowArbitrate", "2027-01-15T08:00:00Z", "0x1b5b324a",
            "nobody yet", "unknown: the policy of", "unbond", "withdraw", "reportEvidence", "abcd",
            "closeStream", "stream 77", "declareCandidate", "withdrawCandidacy",
        ] {
            #expect(text.contains(kind), "\(kind)")
        }
        #expect(!text.contains("\u{1B}"))
    }
}
