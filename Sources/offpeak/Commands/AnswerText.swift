internal import Primitives
internal import RPC

/// A node's answers as lines for people.
enum AnswerText {
    static func account(_ account: AccountInfo, _ palette: Palette) -> String {
        var sheet = Sheet(["address": account.address])
        for balance in account.balances {
            let text = amount(balance.amount, of: balance.asset)
            sheet.add("balance", balance.isFrozen == true ? "\(text), frozen" : text)
        }
        if account.balances.isEmpty { sheet.add("balance", "0") }
        if account.deposits > 0 { sheet.add("deposits", account.deposits.description) }
        if let policy = account.policy {
            sheet.add("policy", "spend \(policy.spend), admin \(policy.admin)")
            sheet.add("signers", list: policy.signers.map { "\($0.publicKey):\($0.weight)" })
        } else {
            sheet.add("policy", "not revealed yet: the first transaction does")
        }
        if let safeguards = account.safeguards { add(safeguards, to: &sheet) }
        sheet.add(
            "next sequence",
            list: account.streams.map(stream))
        sheet.add("at height", "\(account.height)")
        return sheet.text(palette)
    }

    static func asset(_ asset: AssetInfo, _ palette: Palette) -> String {
        var sheet = Sheet([
            "asset": asset.id, "symbol": asset.symbol, "issuer": asset.issuer,
            "decimals": "\(asset.decimals)", "supply": "\(asset.supply)",
        ])
        sheet.add("cap", asset.cap.map { "\($0)" } ?? "none")
        sheet.add("in escrows", "\(asset.escrowed)")
        sheet.add("issuer may", AnswerText.rights(asset))
        sheet.add("deposit", "\(asset.deposit)")
        sheet.add("at height", "\(asset.height)")
        return sheet.text(palette)
    }

    static func governance(_ info: GovernanceInfo, _ palette: Palette) -> String {
        var rows: [[String]] = []
        for parameter in info.parameters {
            rows.append([
                parameter.name, "\(parameter.value)", "\(parameter.least)...\(parameter.greatest)",
            ])
        }
        var parts = [
            rows.isEmpty
                ? "genesis lets the validators change nothing"
                : Table(
                    [.text("parameter"), .number("value"), .text("can be")], rows
                ).text(palette)
        ]
        let votes = "\(info.approvalPermille) of 1000 of the weight"
        parts.append(
            "a proposal is voted on for \(info.voteBlocks) blocks, needs \(votes), waits"
                + " \(info.delayBlocks) blocks and acts with the next epoch; deposit"
                + " \(info.deposit)")
        parts += info.proposals.map { proposal($0, palette) }
        return parts.joined(separator: "\n\n")
    }

    private static func proposal(_ proposal: ProposalInfo, _ palette: Palette) -> String {
        var sheet = Sheet(["proposal": proposal.id, "by": proposal.proposer])
        sheet.add("values", list: proposal.changes.map { "\($0.name) = \($0.value)" })
        sheet.add(
            "weight",
            "\(proposal.approvingWeight) yes, \(proposal.rejectingWeight) no, of"
                + " \(proposal.totalWeight)")
        let votes = proposal.votes.map { "\($0.validator) \($0.approves ? "yes" : "no")" }
        sheet.add("votes", list: votes)
        sheet.add(
            "state",
            proposal.isApproved
                ? "approved; acts with the first epoch from height \(proposal.due) on"
                : "votes are counted at height \(proposal.due)")
        return sheet.text(palette)
    }

    private static func rights(_ asset: AssetInfo) -> String {
        let rights = [
            ("mint", true), ("freeze holders", asset.canFreeze),
            ("claw back", asset.canClawBack),
        ]
        return rights.filter(\.1).map(\.0).joined(separator: ", ")
    }

    private static func stream(_ stream: StreamInfo) -> String {
        let deposit = stream.deposit > 0 ? ", deposit \(stream.deposit)" : ""
        return "\(stream.nextSequence) on stream \(stream.stream), last used "
            + ISOTime.text(stream.lastUse) + deposit
    }

    /// The native asset goes without saying.
    private static func amount(_ amount: Amount, of asset: String) -> String {
        asset == "native" ? "\(amount)" : "\(amount) of asset \(asset)"
    }

    static func policy(_ file: PolicyFile, _ palette: Palette) -> String {
        var sheet = Sheet([
            "address": file.content.address,
            "spend": "\(file.policy.spend)",
            "admin": "\(file.policy.admin)",
        ])
        sheet.add("signers", list: file.content.signers.map { "\($0.publicKey):\($0.weight)" })
        return sheet.text(palette)
    }

    static func escrow(_ escrow: EscrowInfo, _ palette: Palette) -> String {
        var sheet = Sheet([
            "escrow": escrow.id,
            "state": palette.paint(escrow.state.rawValue, colour(escrow.state)),
            "held": amount(escrow.held, of: escrow.asset),
            "released": "\(escrow.released)",
            "refunded": "\(escrow.refunded)",
            "payer": escrow.payer,
            "payee": escrow.payee,
            "release by": quorum(escrow.release),
            "refund by": quorum(escrow.refund),
        ])
        sheet.add("arbitration by", optional: escrow.arbitration.map(quorum))
        sheet.add("hashlock", optional: escrow.hashlock)
        sheet.add("preimage", optional: escrow.preimage)
        sheet.add("not before", optional: escrow.notBefore.map(ISOTime.text))
        sheet.add("deadline", "\(ISOTime.text(escrow.deadline)): \(escrow.onDeadline.rawValue)")
        sheet.add("after dispute", optional: escrow.arbitrationDeadline.map(ISOTime.text))
        sheet.add("round", "\(escrow.round)")
        sheet.add(
            "decisions",
            list: escrow.decisions.map {
                "\($0.direction.rawValue) \($0.amount) by \($0.participant)"
            })
        sheet.add("at height", "\(escrow.height)")
        return sheet.text(palette)
    }

    static func verifier(_ verifier: VerifierInfo, _ palette: Palette) -> String {
        var sheet = Sheet([
            "verifier": verifier.key,
            "node": verifier.peerID,
            "owner": verifier.owner,
            "rewards to": verifier.rewardAddress,
            "bonded": "\(verifier.bonded)",
        ])
        sheet.add(
            "released", list: verifier.releases.map { "\($0.amount) from height \($0.height)" })
        sheet.add("rewards", "\(verifier.rewards)")
        sheet.add("votes", verifier.validator ? "in the present epoch" : "no")
        sheet.add("stands", verifier.candidate ? "for election" : "no")
        sheet.add("offences", "\(verifier.offences)")
        sheet.add("in jail", optional: verifier.jailedUntil.map(jail))
        sheet.add("at height", "\(verifier.height)")
        return sheet.text(palette)
    }

    private static func jail(_ until: Height) -> String {
        until == Height(.max) ? "for good" : "below height \(until)"
    }

    private static func colour(_ state: EscrowState) -> Palette.Colour {
        switch state {
        case .open: .green
        case .disputed: .yellow
        case .closed: .dim
        }
    }

    static func quorum(_ quorum: QuorumInfo) -> String {
        let members = quorum.members.map { "\($0.address):\($0.weight)" }
        return members.joined(separator: ",") + "@\(quorum.threshold)"
    }

    static func escrows(_ list: EscrowList, _ palette: Palette) -> String {
        let table = Table(
            [
                .text("ESCROW"), .text("STATE"), .number("HELD"), .number("RELEASED"),
                .number("REFUNDED"), .text("DEADLINE"), .text("DEFAULT"),
            ],
            list.escrows.map {
                [
                    $0.id, $0.state.rawValue, "\($0.held)", "\($0.released)", "\($0.refunded)",
                    ISOTime.text($0.deadline), $0.onDeadline.rawValue,
                ]
            })
        let more = list.next.map { "\n(more: --after \($0))" } ?? ""
        return table.text(palette, empty: "(no escrows)") + more
    }
}

// The chain.
extension AnswerText {
    static func head(_ head: ChainHead, _ palette: Palette) -> String {
        Sheet([
            "height": "\(head.height)",
            "block": head.digest,
            "view": "\(head.view)",
            "time": ISOTime.text(head.time),
            "state root": head.stateRoot,
            "finalized": "\(head.finalizedHeight)",
        ]).text(palette)
    }

    static func block(_ block: BlockSummary, _ palette: Palette) -> String {
        let count = block.batches.reduce(0) { $0 + $1.transactions.count }
        var sheet = Sheet([
            "height": "\(block.height)",
            "block": block.digest,
            "parent": block.parent,
            "epoch, view": "\(block.epoch), \(block.view)",
            "proposer": "validator \(block.proposer)",
            "time": ISOTime.text(block.time),
            "executed": "height \(block.executedHeight), root \(block.executedStateRoot)",
        ])
        sheet.add("transactions", "\(count) in \(block.batches.count) batches")
        sheet.add("carried itself", list: block.direct)
        for batch in block.batches {
            sheet.add("batch", "\(batch.digest) by validator \(batch.owner)")
            sheet.add("", list: batch.transactions.map { "  \($0)" })
        }
        return sheet.text(palette)
    }

    static func genesis(_ genesis: GenesisInfo, _ palette: Palette) -> String {
        let fees = genesis.parameters
        let weights = [
            "\(fees.byteWeight) a byte", "\(fees.signatureWeight) a signature",
            "\(fees.writeWeight) an operation",
        ]
        return Sheet([
            "network": genesis.network,
            "prefix": genesis.prefix,
            "chain": genesis.chainID,
            "time": ISOTime.text(genesis.time),
            "supply": "\(genesis.supply)",
            "accounts": "\(genesis.accounts)",
            "validators": "\(genesis.validators)",
            "fee": "\(fees.baseFee) for each unit of weight",
            "of weight": weights.joined(separator: ", "),
            "deposits": fees.deposits.joined(separator: ", "),
        ]).text(palette)
    }
}

// The node.
extension AnswerText {
    static func status(_ status: NodeStatus, _ palette: Palette) -> String {
        let ready = palette.paint(
            status.ready ? "yes" : "no", status.ready ? .green : .yellow)
        var sheet = Sheet(["ready": ready])
        sheet.add("because", list: status.reasons)
        sheet.add("network", "\(status.network) (\(status.prefix))")
        sheet.add("chain", status.chainID)
        sheet.add("node", status.peerID)
        sheet.add("role", role(status))
        sheet.add("version", status.version)
        sheet.add("epoch, view", "\(status.epoch), \(status.view)")
        sheet.add("finalized", "\(status.finalizedHeight)")
        sheet.add("applied", "\(status.appliedHeight)")
        sheet.add("state root", status.stateRoot)
        sheet.add("block time", ISOTime.text(status.time))
        sheet.add(
            "connected",
            """
            \(status.peersConnected) peers, weight \(status.connectedWeight) of \
            \(status.totalWeight) (\(status.quorum) needed)
            """)
        sheet.add("supply", "\(status.supply.supply)")
        sheet.add("of that", list: supply(status.supply))
        sheet.add("up for", "\(TimeSpan(milliseconds: status.uptimeMilliseconds))")
        return sheet.text(palette)
    }

    private static func role(_ status: NodeStatus) -> String {
        status.validator.map { "validator \($0)" } ?? status.role.rawValue
    }

    private static func supply(_ supply: SupplyInfo) -> [String] {
        [
            "\(supply.balances) in balances", "\(supply.escrowed) in escrows",
            "\(supply.bonded) bonded", "\(supply.deposits) in deposits",
            "\(supply.undistributed) in fees to distribute",
        ]
    }

    static func validators(_ list: ValidatorList, _ palette: Palette) -> String {
        let table = Table(
            [
                .number("INDEX"), .number("WEIGHT"), .text("CONNECTED"), .text("VOTING KEY"),
                .text("PEER"),
            ],
            list.validators.map {
                [
                    "\($0.index)", "\($0.weight)", $0.connected ? "yes" : "no", $0.votingKey,
                    $0.peerID,
                ]
            })
        let sum = "epoch \(list.epoch), weight \(list.totalWeight), quorum \(list.quorum)"
        return table.text(palette) + "\n\n" + sum
    }

    static func peers(_ list: PeerList, _ palette: Palette) -> String {
        Table(
            [
                .text("PEER"), .text("VALIDATOR"), .text("ADDRESS"), .text("DIRECTION"),
                .number("RTT"), .number("RECEIVED"), .number("SENT"), .number("SINCE"),
            ],
            list.peers.map { peer in
                [
                    peer.peerID, peer.validator.map { "\($0)" } ?? "-", peer.address,
                    peer.direction.rawValue,
                    peer.roundTripMicroseconds.map { "\($0) µs" } ?? "-",
                    bytes(peer.bytesReceived), bytes(peer.bytesSent),
                    "\(TimeSpan(milliseconds: peer.connectedMilliseconds))",
                ]
            }
        ).text(palette, empty: "(no peers)")
    }

    /// In the largest unit that leaves at least 1, with one decimal.
    static func bytes(_ count: UInt64) -> String {
        let units: [(name: String, size: UInt64)] = [
            ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
        ]
        guard let unit = units.first(where: { count >= $0.size }) else { return "\(count) B" }
        let tenths = count / (unit.size / 10)
        return "\(tenths / 10).\(tenths % 10) \(unit.name)"
    }
}
