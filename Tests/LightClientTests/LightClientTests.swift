import Consensus
import Execution
import LightClient
import Primitives
import ProofSupport
import TestSupport
import Testing

@Suite struct LightClientTests {
    private let fixture: ProofFixture
    private let client: LightClient

    init() throws {
        fixture = try ProofFixture()
        client = LightClient(trusting: fixture.genesis)
    }

    private func value(_ key: StateKey) throws -> AnchoredProof {
        fixture.anchored(.value(try fixture.reader.proof(of: key)))
    }

    private func receipt(_ place: Int) throws -> AnchoredProof {
        let id = fixture.transactions[place].id
        return fixture.anchored(.receipt(try #require(try fixture.reader.receiptProof(of: id))))
    }

    @Test func `true answers are believed, and say what the state says`() throws {
        func fact(_ key: StateKey) throws -> LightClient.Fact {
            try client.verify(value(key).bcsBytes, asking: .value(key)).fact
        }
        let key = StateKey(.account, fixture.payee)
        let account = try client.verify(value(key).bcsBytes, asking: .value(key))
        #expect(account.height == 3 && account.stateRoot == fixture.ledger.stateRoot)
        #expect(account.blockHeight == 5 && account.block == fixture.header().digest)
        guard case .account(fixture.payee, let found?) = account.fact else {
            Issue.record("not the account: \(account.fact)")
            return
        }
        #expect(found.balance(of: .native) == 15)
        #expect(try fact(StateKey(.escrow, EscrowID.zero)) == .escrow(.zero, nil))
        let last = ValidatorIndex(3)
        #expect(
            try fact(.validator(last)) == .validator(last, fixture.genesis.validators[3]))
        let none = ValidatorIndex(4)
        #expect(try fact(.validator(none)) == .validator(none, nil))
        #expect(try fact(.parameters) == .parameters(fixture.genesis.parameters))
        for (place, transaction) in fixture.transactions.enumerated() {
            let proven = try client.verify(
                receipt(place).bcsBytes, asking: .transaction(transaction.id))
            guard case .receipt(let receipt, let block) = proven.fact else {
                Issue.record("no receipt: \(proven.fact)")
                return
            }
            #expect(receipt.transactionID == transaction.id)
            #expect(block == .hash(.block, Height(UInt64(place + 1)).bcsBytes))
        }
    }

    @Test func `no true answer with one byte changed, lost or more is believed`() throws {
        var generator = SeededGenerator(seed: 5)
        for (question, answer) in try answers() {
            let bytes = answer.bcsBytes
            _ = try client.verify(bytes, asking: question)
            for place in bytes.indices {
                for change in [1, UInt8(generator.next() % 255 + 1)] {
                    var changed = bytes
                    changed[place] ^= change
                    #expect(throws: ProofFault.self, "byte \(place) ^ \(change), seed 5") {
                        _ = try client.verify(changed, asking: question)
                    }
                }
                var shorter = bytes
                shorter.remove(at: place)
                for part in [shorter, Array(bytes[..<place])] {
                    #expect(throws: ProofFault.self, "\(part.count) bytes, lost at \(place)") {
                        _ = try client.verify(part, asking: question)
                    }
                }
            }
            #expect(throws: ProofFault.self) {
                _ = try client.verify(bytes + [0], asking: question)
            }
        }
    }

    private func answers() throws -> [(LightClient.Question, AnchoredProof)] {
        let keys = [
            StateKey(.account, fixture.payee), .validator(ValidatorIndex(0)),
            StateKey(.escrow, EscrowID.zero),
        ]
        let values = try keys.map { (LightClient.Question.value($0), try value($0)) }
        let id = fixture.transactions[1].id
        let grown = try #require(try fixture.reader.consistencyProof(from: 1, to: 2))
        let same = try #require(try fixture.reader.consistencyProof(from: 3, to: 3))
        return values + [
            (.transaction(id), try receipt(1)),
            (.consistency(from: 1, to: 2), fixture.anchored(.consistency(grown))),
            (.consistency(from: 3, to: 3), fixture.anchored(.consistency(same))),
        ]
    }

    @Test func `a true answer to another question is refused`() throws {
        for (question, _) in try answers() {
            for (other, answer) in try answers() where other != question {
                #expect(throws: ProofFault.otherQuestion) {
                    _ = try client.verify(answer, asking: question)
                }
            }
        }
    }

    @Test func `an answer about the history shows how it was at both heights`() throws {
        let proof = try #require(try fixture.reader.consistencyProof(from: 2, to: 3))
        let answer = fixture.anchored(.consistency(proof))
        for (from, to) in [(2, 3), (nil, 3), (2, nil), (nil, nil)] as [(Height?, Height?)] {
            let proven = try client.verify(answer, asking: .consistency(from: from, to: to))
            #expect(proven.fact == .consistency(from: proof.from, to: proof.to))
        }
        for (from, to) in [(3, 3), (2, 2), (1, nil), (nil, 2)] as [(Height?, Height?)] {
            #expect(throws: ProofFault.otherQuestion) {
                _ = try client.verify(answer, asking: .consistency(from: from, to: to))
            }
        }
        // What was told of the past before is what is told of it now.
        let earlier = try ProofFixture(blocks: 2)
        let kept = try #require(try earlier.reader.consistencyProof(from: 2, to: 2))
        #expect(kept.to == proof.from && kept.root == earlier.ledger.stateRoot)
    }

    private func fault(
        _ header: BlockHeader, _ certificate: Certificate, key: StateKey = .parameters,
        _ claim: AnchoredProof.Claim? = nil
    ) -> ProofFault? {
        do {
            let value = try fixture.reader.proof(of: key)
            let proof = AnchoredProof(
                claim: claim ?? .value(value), header: header, finalization: certificate)
            _ = try client.verify(proof, asking: .value(key))
            return nil
        } catch let fault as ProofFault {
            return fault
        } catch {
            Issue.record("\(error)")
            return nil
        }
    }

    @Test func `another network's answer is refused`() throws {
        let other = try ProofFixture(network: "others")
        let header = other.header()
        let chains = (found: other.genesis.chainID, wanted: fixture.genesis.chainID)
        #expect(
            fault(header, other.certificate(header))
                == .otherChain(found: chains.found, wanted: chains.wanted))
        // A header of this network with votes that were given in the other.
        let own = fixture.header()
        #expect(
            fault(own, fixture.certificate(own, chainID: other.genesis.chainID)) == .noQuorum)
    }

    @Test func `votes that aren't a quorum's finalization are refused`() throws {
        let header = fixture.header()
        #expect(fault(header, fixture.certificate(header)) == nil)
        #expect(fault(header, fixture.certificate(header, by: [0, 1])) == .noQuorum)
        #expect(fault(header, fixture.certificate(header, kind: .notarize)) == .notFinalized)
        #expect(fault(header, fixture.certificate(header, view: 41)) == .notFinalized)
        let stranger = fixture.certificate(header) { index in
            TestKeys.key(seed: ProofFixture.seed, index: index == 3 ? 9 : index)
        }
        #expect(fault(header, stranger) == .noQuorum)
        let later = fixture.header(epoch: 1)
        #expect(
            fault(later, fixture.certificate(later)) == .otherEpoch(found: 1, known: 0))
        #expect(fault(header, fixture.certificate(fixture.header(height: 2))) == .notFinalized)
    }

    @Test func `a block that nobody voted for is refused, also as one of genesis' view`() throws {
        // A state of a liar's own, named by a header of its own.
        let key = StateKey.parameters
        let lie = StateProof(key: key, value: fixture.genesis.parameters.bcsBytes, siblings: [])
        let root = try #require(lie.root)
        for view in [0, 1, 40] as [View] {
            let header = fixture.header(root: root, view: view)
            let subject = VoteSubject(
                kind: .finalize, epoch: 0, view: view, digest: header.digest)
            for signers in [[], [0, 1, 3]] as [[UInt16]] {
                var set = SignerSet(count: 4)
                for signer in signers { set.insert(ValidatorIndex(signer)) }
                let forged = Certificate(
                    subject: subject, signers: set,
                    signatures: [Signature](
                        repeating: TestKeys.key(seed: 1, index: 1).signature(over: .zero),
                        count: max(1, signers.count)))
                let found = fault(header, forged, key: key, .value(lie))
                #expect(found == (view == 0 ? .notFinalized : .noQuorum), "view \(view)")
            }
        }
    }

    @Test func `a proof for another height's state is refused`() throws {
        var later = fixture
        let key = HistoryHead.key
        let claim = AnchoredProof.Claim.value(try fixture.reader.proof(of: key))
        let before = fixture.header()
        #expect(fault(before, fixture.certificate(before), key: key, claim) == nil)
        try later.pay()
        let header = later.header()
        #expect(fault(header, later.certificate(header), key: key, claim) == .otherState)
    }

    @Test func `anchored proofs decode from their own encoding alone`() throws {
        #expect(checkDecoder(try receipt(0)) == [])
        #expect(checkDecoder(try value(.parameters)) == [])
        let grown = try #require(try fixture.reader.consistencyProof(from: 1, to: 2))
        #expect(checkDecoder(fixture.anchored(.consistency(grown))) == [])
    }
}
