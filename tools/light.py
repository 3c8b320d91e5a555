#!/usr/bin/env python3
"""A light client in another language, written from Sources/PROTOCOL.md alone ("Proofs").

    light.py --chain HEX --genesis FILE SUBJECT ANSWER

Checks what a node answered to account_proof, escrow_proof, validator_proof, verifier_proof,
parameters_proof, transaction_proof or history_consistency. It trusts the chain id; FILE is any
node's answer to genesis_get. For an answer of a later epoch --epochs names what a node answered to
epoch_proofs, several times for several pages. With --trusted HEIGHT:HEX, the last block of an
epoch, answers must be anchored in it, or in a later block that the steps reach through it; the
first step may be that out of its epoch. SUBJECT is what was asked: account:HEX, escrow:HEX,
transaction:HEX, verifier:HEX, validator:INDEX, parameters, system:NAME, history or history:FROM-TO.
With --earlier an answer about the history that was kept must hold as well, and the new one must go
on from it. ANSWER and FILE are JSON, with or without JSON-RPC's wrapping; - is stdin. Prints what
is proven as JSON. Exit status: 0 if it holds, 1 if it doesn't, 2 for wrong usage. Needs PyNaCl for
Ed25519.
"""

import argparse
import base64
import hashlib
import json
import sys

try:
    from nacl.exceptions import BadSignatureError
    from nacl.signing import VerifyKey
except ImportError:
    sys.exit("light: this python3 has no PyNaCl; run tools/setup, then $(tools/setup --python)")

KINDS = {"account": 0, "escrow": 1, "system": 2, "validator": 3, "parameters": 4, "verifier": 5,
         "asset": 6}
FINALIZE = 2
TAILS_MAX, VALIDATORS_MAX, WEIGHT_MAX = 65536, 512, (1 << 60) - 1
SIBLINGS_MAX, PATH_MAX, LOG_PATH_MAX, CONSISTENCY_MAX = 256, 32, 64, 65
LIST_MAX = 1 << 20


class Void(Exception):
    """Why something doesn't hold, as a sentence."""


class Reader:
    """Canonical bytes, read strictly (PROTOCOL.md, "Canonical encoding")."""

    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, count):
        if len(self.data) - self.place < count:
            raise Void("the bytes end too early")
        self.place += count
        return self.data[self.place - count:self.place]

    def uint(self, size):
        return int.from_bytes(self.take(size), "little")

    def u16(self):
        return self.uint(2)

    def u64(self):
        return self.uint(8)

    def hash(self):
        return self.take(32)

    def length(self):
        value = 0
        for shift in range(0, 35, 7):
            byte = self.uint(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if (shift and not byte) or value >= 1 << 32:
                    break
                return value
        raise Void("a length that isn't in its shortest form")

    def bytes(self):
        return self.take(self.length())

    def list(self, read, most=LIST_MAX):
        count = self.length()
        if count > most:
            raise Void(f"{count} elements where at most {most} may be")
        return [read() for _ in range(count)]

    def optional(self, read):
        mark = self.uint(1)
        if mark > 1:
            raise Void(f"the mark {mark} where 0 or 1 must be")
        return read() if mark else None

    def end(self):
        if self.place != len(self.data):
            raise Void("bytes behind the end")


def blake2b(domain, *parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32,
                           person=domain.encode().ljust(16, b"\0")).digest()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def u64(value):
    return value.to_bytes(8, "little")


# --- The validators ------------------------------------------------------------------------------


def genesis_of(canonical, chain):
    """Keys and weights in the order of their indexes, and the heights of an epoch."""
    if blake2b("offpeak/genesis", canonical) != chain:
        raise Void("the genesis isn't that of the chain")
    reader = Reader(canonical)
    reader.bytes()
    reader.bytes()
    reader.u64()

    def policy():
        reader.list(lambda: reader.take(34))
        reader.take(8)

    def account():
        if reader.length():
            policy()
        else:
            reader.hash()
        reader.u64()

    reader.list(account)
    validators = reader.list(lambda: (reader.hash(), reader.take(64), reader.u64()))
    reader.list(lambda: reader.take(104))
    reader.take(10 * 8 + 4 * 2 + 32 + 8)
    unit, length = reader.u64(), reader.u64()
    return [(key, stake // unit) for key, _, stake in validators], length


class Client:
    """What is trusted: a genesis, and the validators that were named in turn from there on, or from
    a trusted block, the last of its epoch."""

    def __init__(self, canonical, chain, trusted=None):
        validators, self.length = genesis_of(canonical, chain)
        self.chain, self.first, self.committees, self.boundary = chain, 0, [validators], bytes(32)
        self.trusted, self.passed = trusted, False

    def committee(self, header):
        """Who may finalize a block."""
        if header["chain"] != self.chain:
            raise Void("the block is of another chain")
        if header["epoch"] < self.first:
            raise Void("the block lies before the trusted one")
        if header["epoch"] >= self.first + len(self.committees):
            raise Void("the block is of an epoch whose validators aren't known; see --epochs")
        if max(header["height"] - 1, 0) // self.length != header["epoch"]:
            raise Void("the block's height isn't one of its epoch")
        return self.committees[header["epoch"] - self.first]

    def check_trusted(self, header):
        """Whether a block is the trusted one, or comes from there."""
        if self.trusted is None or (header["height"], header["digest"]) == self.trusted:
            return
        if header["height"] <= self.trusted[0]:
            raise Void("the block isn't the trusted one, and doesn't come after it")
        if not self.passed:
            raise Void("no step leads through the trusted block, which must be the last of an "
                       "epoch; see --epochs")

    def follow(self, step):
        """Goes on into the next epoch, if a step's bytes lead there. Raises Void."""
        reader, epoch = Reader(step), self.first + len(self.committees) - 1
        block = read_header(reader)
        tails = reader.list(lambda: read_header(reader), TAILS_MAX)
        certificate = read_certificate(reader)
        record = read_record(reader)
        reader.end()
        is_trusted = (block["height"], block["digest"]) == self.trusted
        starts = is_trusted and block["epoch"] > epoch
        if starts:
            epoch = block["epoch"]
            if block["chain"] != self.chain:
                raise Void("the trusted block is of another chain")
        elif block["epoch"] != epoch:
            raise Void(f"a step out of epoch {block['epoch']} where that out of {epoch} must be")
        validators = None if starts else self.committee(block)
        if self.trusted and block["height"] == self.trusted[0] and not is_trusted:
            raise Void("the step's block isn't the trusted one of its height")
        if block["height"] != (epoch + 1) * self.length or block["tail"] or not block["view"]:
            raise Void("the step's block isn't the last of its epoch")
        last = block
        for tail in tails:
            if not tail["tail"] or tail["view"] <= last["view"] or \
                    (tail["chain"], tail["epoch"], tail["height"], tail["parent"]) != \
                    (self.chain, epoch, last["height"] + 1, (last["view"], last["digest"])):
                raise Void("the step's tails don't follow each other")
            last = tail
        if validators is not None:
            check_certificate(certificate, last, self.chain, validators)
        if record["digest"] != block["next"]:
            raise Void("the validators aren't those that the epoch's last block names")
        if record["epoch"] != epoch + 1 or not starts and record["boundary"] != self.boundary:
            raise Void("the validators aren't those of the next epoch of this chain")
        committee = committee_of(record)
        if starts:
            self.first, self.committees = epoch + 1, []
        self.committees.append(committee)
        self.boundary, self.passed = block["digest"], self.passed or is_trusted


def read_record(reader):
    start = reader.place
    record = {"epoch": reader.u64(), "boundary": reader.hash(), "validators": reader.list(
        lambda: (reader.hash(), reader.hash(), reader.u64(), reader.hash()), VALIDATORS_MAX)}
    record["digest"] = blake2b("offpeak/epoch", reader.data[start:reader.place])
    return record


def committee_of(record):
    keys, peers, weights = zip(*((key, peer, weight) for key, peer, weight, _
                                 in record["validators"])) if record["validators"] else ((),) * 3
    if not keys or not all(weights) or sum(weights) > WEIGHT_MAX or \
            len(set(keys)) != len(keys) or len(set(peers)) != len(peers):
        raise Void("the validators can't vote")
    return list(zip(keys, weights))


# --- What is claimed ------------------------------------------------------------------------------


def bit(path, place):
    return path[place // 8] >> (7 - place % 8) & 1


def read_state_proof(reader):
    return {"kind": reader.uint(1), "id": reader.bytes(), "value": reader.optional(reader.bytes),
            "neighbour": reader.optional(lambda: (reader.hash(), reader.hash())),
            "siblings": reader.list(reader.hash, SIBLINGS_MAX)}


def state_root(proof):
    path = blake2b("offpeak/key", bytes([proof["kind"]]), proof["id"])
    value, neighbour, siblings = proof["value"], proof["neighbour"], proof["siblings"]
    if value is not None and neighbour is not None:
        raise Void("both a value and a neighbour")
    if value is not None:
        found = blake2b("offpeak/leaf", path, blake2b("offpeak/value", value))
    elif neighbour is not None:
        other, value_hash = neighbour
        if other == path or any(bit(other, i) != bit(path, i) for i in range(len(siblings))):
            raise Void("the neighbour isn't one")
        found = blake2b("offpeak/leaf", other, value_hash)
    else:
        found = bytes(32)
    for place in reversed(range(len(siblings))):
        pair = (siblings[place], found) if bit(path, place) else (found, siblings[place])
        found = blake2b("offpeak/node", *pair)
    return found


def read_outcome(reader):
    variant = reader.length()
    if variant > 1:
        raise Void("an unknown outcome")
    return {"operation": reader.uint(1), "code": reader.u16()} if variant else None


def read_receipt(reader):
    start = reader.place
    receipt = {"transaction": reader.hash().hex(), "height": reader.u64(),
               "index": reader.uint(4), "fee": reader.u64(), "failure": read_outcome(reader),
               "escrows": [id.hex() for id in reader.list(reader.hash, 16)],
               "assets": [id.hex() for id in reader.list(reader.hash, 16)],
               "proposals": [id.hex() for id in reader.list(reader.hash, 16)]}
    return receipt, reader.data[start:reader.place]


def read_receipt_proof(reader):
    receipt, data = read_receipt(reader)
    return {"receipt": receipt, "bytes": data, "count": reader.u64(),
            "path": reader.list(reader.hash, PATH_MAX),
            "entry": (reader.u64(), reader.hash(), reader.hash()),
            "log_path": reader.list(reader.hash, LOG_PATH_MAX), "head": read_state_proof(reader)}


def receipts_root(data, index, count, path):
    if index >= count:
        raise Void("a receipt behind the last one")
    found, rest, width, place = blake2b("offpeak/receipt", b"\0", data), list(path), count, index
    while width > 1:
        if place ^ 1 < width:
            if not rest:
                raise Void("too few hashes to the receipts' root")
            sibling = rest.pop(0)
            pair = (sibling, found) if place & 1 else (found, sibling)
            found = blake2b("offpeak/receipt", b"\1", *pair)
        place, width = place // 2, (width + 1) // 2
    if rest:
        raise Void("too many hashes to the receipts' root")
    return blake2b("offpeak/receipt", b"\2", u64(count), found)


def log_root(entry, index, count, path):
    """RFC 9162, section 2.1.3.2."""
    if index >= count:
        raise Void("an entry behind the history's last")
    place, last, found = index, count - 1, sha256(b"\0", entry)
    for sibling in path:
        if not last:
            raise Void("too many hashes to the history's root")
        if place & 1 or place == last:
            found = sha256(b"\1", sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = sha256(b"\1", found, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise Void("too few hashes to the history's root")
    return found


def history_head(head):
    """Count and root of the history that a proof of its head shows."""
    if (head["kind"], head["id"]) != (KINDS["system"], b"history") or head["value"] is None:
        raise Void("the head isn't the history's")
    value = Reader(head["value"])
    count, root = value.u64(), value.hash()
    value.end()
    return count, root


def read_consistency_proof(reader):
    def point():
        return reader.u64(), reader.hash()

    return {"from": point(), "path": reader.list(reader.hash, CONSISTENCY_MAX),
            "to": point(), "head_path": reader.list(reader.hash, CONSISTENCY_MAX),
            "head": read_state_proof(reader)}


def check_consistent(first, second, path):
    """RFC 9162, section 2.1.4.2; first and second are counts with roots."""
    (count, old_root), (total, new_root) = first, second
    if not 0 < count <= total:
        raise Void("heights that can't follow each other")
    if count == total:
        if old_root != new_root or path:
            raise Void("two histories of one height")
        return
    rest = list(path)
    if not count & (count - 1):
        rest.insert(0, old_root)
    if not rest:
        raise Void("too few hashes between the histories")
    place, last = count - 1, total - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = rest.pop(0)
    for sibling in rest:
        if not last:
            raise Void("too many hashes between the histories")
        if place & 1 or place == last:
            old, new = sha256(b"\1", sibling, old), sha256(b"\1", sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = sha256(b"\1", new, sibling)
        place, last = place >> 1, last >> 1
    if last or (old, new) != (old_root, new_root):
        raise Void("the later history doesn't begin with the earlier one")


def consistency_root(proof):
    check_consistent(proof["from"], proof["to"], proof["path"])
    check_consistent(proof["to"], history_head(proof["head"]), proof["head_path"])
    return state_root(proof["head"])


def receipt_root(proof):
    height, block, root = proof["entry"]
    receipt, head = proof["receipt"], proof["head"]
    if receipts_root(proof["bytes"], receipt["index"], proof["count"], proof["path"]) != root:
        raise Void("the receipt isn't one of the block's")
    if height != receipt["height"] or not height:
        raise Void("the receipt is of another height")
    count, wanted = history_head(head)
    if log_root(u64(height) + block + root, height - 1, count, proof["log_path"]) != wanted:
        raise Void("the block isn't part of the history")
    return state_root(head)


# --- Who says so ----------------------------------------------------------------------------------


def read_header(reader):
    start = reader.place
    header = {"chain": reader.hash(), "epoch": reader.u64(), "view": reader.u64(),
              "height": reader.u64(), "parent": (reader.u64(), reader.hash()),
              "proposer": reader.u16(), "time": reader.u64(),
              "executed": (reader.u64(), reader.hash()), "payload": reader.hash(),
              "next": reader.optional(reader.hash), "tail": reader.uint(1)}
    if header["tail"] > 1:
        raise Void("the mark of a tail is neither 0 nor 1")
    header["digest"] = blake2b("offpeak/block", reader.data[start:reader.place])
    return header


def read_certificate(reader):
    start = reader.place
    subject = reader.length(), reader.u64(), reader.u64(), reader.hash()
    return {"subject": subject, "bytes": reader.data[start:reader.place], "bits": reader.bytes(),
            "signatures": reader.list(lambda: reader.take(64), VALIDATORS_MAX)}


def check_certificate(certificate, header, chain, validators):
    """Whether a quorum of the validators has finalized the block."""
    signed = blake2b("offpeak/vote", chain, certificate["bytes"])
    bits, signatures = certificate["bits"], certificate["signatures"]
    wanted = FINALIZE, header["epoch"], header["view"], header["digest"]
    if certificate["subject"] != wanted or not header["view"]:
        raise Void("the certificate isn't the block's finalization")
    count = len(validators)
    marks = int.from_bytes(bits, "little")
    signers = [index for index in range(count) if marks >> index & 1]
    if len(bits) != (count + 7) // 8 or marks >> count or len(signers) != len(signatures):
        raise Void("signers and signatures don't go together")
    total = sum(weight for _, weight in validators)
    if sum(validators[index][1] for index in signers) < total - (total - 1) // 3:
        raise Void("the signers aren't a quorum")
    for index, signature in zip(signers, signatures):
        try:
            VerifyKey(validators[index][0]).verify(signed, signature)
        except BadSignatureError:
            raise Void(f"validator {index}'s signature is wrong") from None


CLAIMS = [(read_state_proof, state_root), (read_receipt_proof, receipt_root),
          (read_consistency_proof, consistency_root)]


def answers(variant, claim, asked):
    """Whether a claim is about what was asked."""
    if variant == 0:
        return (claim["kind"], claim["id"]) == asked
    if variant == 1:
        return ("transaction", bytes.fromhex(claim["receipt"]["transaction"])) == asked
    heights = claim["from"][0], claim["to"][0]
    return asked[0] == "history" and asked[1] in (None, heights)


def check_earlier(shown, kept):
    """Whether what is proven now begins with what was proven earlier."""
    if kept["history"][1]["height"] != shown["history"][0]["height"]:
        raise Void("the new answer doesn't begin at the height where the earlier one ended")
    if kept["history"][1] != shown["history"][0]:
        raise Void("the history was rewritten since the earlier answer")


def check(proof, client, asked):
    """What the proof shows of `asked`: a kind with an id. Raises Void."""
    reader = Reader(proof)
    variant = reader.length()
    if variant >= len(CLAIMS):
        raise Void("an unknown claim")
    read, root_of = CLAIMS[variant]
    claim = read(reader)
    header = read_header(reader)
    certificate = read_certificate(reader)
    reader.end()
    check_certificate(certificate, header, client.chain, client.committee(header))
    client.check_trusted(header)
    if not answers(variant, claim, asked):
        raise Void("it is the answer to another question")
    height, root = header["executed"]
    if root_of(claim) != root:
        raise Void("the claim isn't part of the state")
    shown = {"height": height, "stateRoot": root.hex(), "block": header["digest"].hex(),
             "blockHeight": header["height"], "blockTime": header["time"]}
    if variant == 2:
        shown.update(history=[{"height": height, "root": root.hex()}
                              for height, root in (claim["from"], claim["to"])])
    elif variant:
        if client.trusted and claim["entry"][0] == client.trusted[0] \
                and claim["entry"][1] != client.trusted[1]:
            raise Void("the block that executed it isn't the trusted one of its height")
        shown.update(receipt=claim["receipt"], executedIn=claim["entry"][1].hex())
    else:
        shown.update(value=None if claim["value"] is None else claim["value"].hex())
        if claim["kind"] == KINDS["account"] and claim["value"] is not None:
            shown.update(account=account(claim["value"]))
    return shown


def account(value):
    reader = Reader(value)

    def holding():
        return {"asset": reader.hash().hex(), "amount": str(reader.u64()),
                "deposit": str(reader.u64()), "claims": reader.uint(4),
                "isFrozen": bool(reader.uint(1))}

    def policy():
        return {"signers": reader.list(lambda: [reader.hash().hex(), reader.u16()]),
                "spend": reader.uint(4), "admin": reader.uint(4)}

    found = {"native": str(reader.u64()), "holdings": reader.list(holding),
             "policy": reader.optional(policy),
             "streams": reader.list(
                 lambda: [reader.u16(), reader.u64(), reader.u64(), reader.u64()]),
             "deposits": str(reader.u64())}

    def quorum():
        return {"members": reader.list(lambda: [reader.hash().hex(), reader.u16()]),
                "threshold": reader.uint(4)}

    def limit():
        return {"asset": reader.hash().hex(), "amount": str(reader.u64()),
                "windowMilliseconds": reader.u64(), "spent": str(reader.u64()),
                "windowStart": reader.u64()}

    def safeguards():
        return {"limits": reader.list(limit),
                "guardians": reader.optional(lambda: [quorum(), reader.u64()]),
                "quietUntil": reader.u64(),
                "recovery": reader.optional(lambda: [policy(), reader.u64()])}

    found["safeguards"] = reader.optional(safeguards)
    reader.end()
    return found


# --- The command ----------------------------------------------------------------------------------


def subject(text):
    """What was asked, as the claim names it."""
    kind, _, name = text.partition(":")
    try:
        if kind == "parameters" and not name:
            return KINDS[kind], b""
        if text == "history":
            return kind, None
        if kind == "history":
            first, last = (int(part) for part in name.split("-"))
            return kind, (first, last)
        if kind == "validator":
            return KINDS[kind], int(name).to_bytes(2, "big")
        if kind == "system":
            return KINDS[kind], name.encode("ascii")
        if kind in ("account", "escrow", "asset", "verifier", "transaction") and len(name) == 64:
            return KINDS.get(kind, kind), bytes.fromhex(name)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(
        f"{text!r}: account:HEX, escrow:HEX, transaction:HEX, verifier:HEX, validator:INDEX, "
        "parameters, system:NAME, history or history:FROM-TO is wanted")


def block_text(text):
    height, _, digest = text.partition(":")
    if not height.isdecimal() or not 0 < int(height) < 1 << 64:
        raise argparse.ArgumentTypeError(f"{text!r}: HEIGHT:HEX is wanted")
    return int(height), hash_text(digest)


def hash_text(text):
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise argparse.ArgumentTypeError(f"{text!r}: 64 hexadecimal digits are wanted")
    return value


def answer_of(path):
    """A node's answer without JSON-RPC's wrapping."""
    try:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
            answer = json.load(file)
        return answer.get("result", answer)
    except (OSError, ValueError, AttributeError, RecursionError) as fault:
        raise Void(f"{path}: {fault}") from None


def bytes_of(answer, name):
    try:
        return base64.b64decode(answer[name], validate=True)
    except (KeyError, TypeError, ValueError):
        raise Void(f"the answer has no {name} in base64") from None


def steps_of(path):
    steps = answer_of(path).get("steps")
    if not isinstance(steps, list):
        raise Void(f"{path}: the answer has no steps")
    return steps


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chain", type=hash_text, required=True, help="the chain id to trust")
    parser.add_argument("--genesis", required=True, help="an answer to genesis_get")
    parser.add_argument("--epochs", action="append", default=[], metavar="FILE",
                        help="an answer to epoch_proofs")
    parser.add_argument("--trusted", type=block_text, metavar="HEIGHT:HEX",
                        help="a block that is trusted, the last of its epoch")
    parser.add_argument("--earlier", help="with history: an answer that was kept")
    parser.add_argument("subject", type=subject, help="what was asked")
    parser.add_argument("answer", help="what a node answered")
    args = parser.parse_args()
    if args.earlier and args.subject[0] != "history":
        parser.error("--earlier belongs to the subject history")
    try:
        genesis = bytes_of(answer_of(args.genesis), "canonical")
        proof = bytes_of(answer_of(args.answer), "proof")
        client = Client(genesis, args.chain, args.trusted)
        for path in args.epochs:
            for step in steps_of(path):
                client.follow(bytes_of(step, "proof"))
        shown = check(proof, client, args.subject)
        if args.earlier:
            earlier = bytes_of(answer_of(args.earlier), "proof")
            check_earlier(shown, check(earlier, client, ("history", None)))
    except Void as fault:
        sys.exit(f"light: doesn't hold: {fault}")
    print(json.dumps(shown, indent=2))


if __name__ == "__main__":
    main()
