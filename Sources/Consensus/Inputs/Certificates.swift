internal import Primitives

// R1 and R10 to R14: what a certificate changes.
extension SimplexEngine {
    /// Acts upon a valid certificate, or ignores one that is held or past.
    mutating func accept(_ certificate: Certificate) {
        guard certificate.subject.epoch == committee.epoch, certificate.view > finalizedView,
            !held.contains(certificate.subject), let next = certificate.view.next
        else { return }
        if let own, certificate.signers.contains(own), isForeign(certificate.subject) {
            return haltForForeignSignature(certificate.subject)
        }
        if let reason = contradiction(certificate) { return halt(reason) }
        effects.append(.persist([.certificate(certificate)], sync: false))
        effects.append(.broadcast(.certificate(certificate)))
        isDirty = true
        if certificate.kind == .finalize {
            advance(to: certificate)
        } else {
            store(certificate)
            if certificate.kind == .notarize { finalizeIfAllowed(certificate.view) }
        }
        if certificate.view >= view { enter(next) }
    }

    /// Keeps a notarization or nullification.
    mutating func store(_ certificate: Certificate) {
        guard certificate.kind != .finalize, held.insert(certificate.subject).inserted else {
            return
        }
        if certificate.kind == .nullify {
            slots[certificate.view, default: Slot()].nullification = certificate
            return
        }
        slots[certificate.view, default: Slot()].notarization = certificate
        let place = notarizedViews.firstIndex { $0 > certificate.view } ?? notarizedViews.endIndex
        notarizedViews.insert(certificate.view, at: place)
    }

    /// R11: why the certificate and what is held can't both be, or nil.
    private func contradiction(_ certificate: Certificate) -> String? {
        guard let slot = slots[certificate.view] else { return nil }
        switch certificate.kind {
        case .notarize, .finalize:
            if let other = slot.notarization, other.digest != certificate.digest {
                return "view \(certificate.view) has certificates for \(other.digest) and "
                    + "\(certificate.digest): more weight lies than the protocol bears"
            }
            if certificate.kind == .finalize, slot.nullification != nil {
                return "view \(certificate.view) is both finalized and nullified: more weight "
                    + "lies than the protocol bears"
            }
        case .nullify: break
        }
        return nil
    }

    /// R13: needs neither an own vote for the block nor its bytes.
    mutating func finalizeIfAllowed(_ place: View) {
        guard place > finalizedView, let digest = slots[place]?.notarization?.digest,
            let record = slots[place]?.own
        else { return }
        let careless = configuration.plantedBug == .finalizeAfterNullify
        guard record.permits(.finalize) || (careless && record.finalize == nil) else { return }
        sign(.finalize, in: place, digest)
    }
}
