#!/usr/bin/env python3
"""A small Offpeak wallet in another language, written from Sources/PROTOCOL.md alone.

It needs PyNaCl for Ed25519, hashlib and the standard library. It builds a transaction, signs it,
submits it to a node and waits until it is final; with --offline it only prints the signed bytes.
"""

import argparse
import base64
import hashlib
import json
import os
import stat
import sys
import time
import urllib.error
import urllib.request

try:
    from nacl.signing import SigningKey
except ImportError:
    sys.exit("client: this python3 has no PyNaCl; run tools/setup, then $(tools/setup --python)")

EXAMPLES = """examples:
  client.py --seed $(printf '07%.0s' $(seq 32)) address
  client.py --key alice.key pay --to opkacc1... --amount 2500
  client.py --key alice.key escrow-create --payee opkacc1... --amount 9000 --deadline +3600 \\
      --arbitration 1:opkacc1... --arbitration-deadline +7200
  client.py --key alice.key escrow-decide --escrow opkesc1... --round 0 --amount 4000
  client.py --key alice.key --offline --chain HEX --sequence 0 --valid-until 1767225600000 \\
      --max-fee 1000 --reveal pay --to opkacc1... --amount 2500
"""

NATIVE_ASSET = bytes(32)
UINT64_MAX = 2**64 - 1
VALIDITY_SECONDS = 600


class Refusal(Exception):
    """What can't be done and what would be right, as a sentence."""


# --- Canonical bytes (PROTOCOL.md, "Canonical encoding") -----------------------------------------


def uint(value, size):
    if not 0 <= value < 1 << 8 * size:
        raise Refusal(f"{value} doesn't fit: 0 to {(1 << 8 * size) - 1} is allowed")
    return value.to_bytes(size, "little")


def u16(value):
    return uint(value, 2)


def u32(value):
    return uint(value, 4)


def u64(value):
    return uint(value, 8)


def uleb128(value):
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def byte_string(value):
    return uleb128(len(value)) + value


def sequence_of(items):
    return uleb128(len(items)) + b"".join(items)


def optional(value):
    return b"\x00" if value is None else b"\x01" + value


def blake2b(domain, data):
    return hashlib.blake2b(data, digest_size=32, person=domain.encode().ljust(16, b"\0")).digest()


# --- Ids as text (PROTOCOL.md, "Ids") ------------------------------------------------------------

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
KINDS = {"acc": "an address", "pub": "a public key", "txn": "a transaction", "blk": "a block",
         "esc": "an escrow", "nod": "a peer", "bat": "a batch"}
BECH32M = 0x2BC830A3


def polymod(values):
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                checksum ^= term
    return checksum


def expanded(prefix):
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def regroup(values, width, new_width, pad):
    """Bits in groups of another width, highest first; None if what is left over isn't padding."""
    bits = "".join(f"{value:0{width}b}" for value in values)
    rest = len(bits) % new_width
    if rest and pad:
        bits += "0" * (new_width - rest)
    elif rest:
        if rest >= width or "1" in bits[-rest:]:
            return None
        bits = bits[:-rest]
    return [int(bits[i:i + new_width], 2) for i in range(0, len(bits), new_width)]


def to_text(prefix, kind, value):
    data = regroup(value, 8, 5, pad=True)
    checksum = polymod(expanded(prefix + kind) + data + [0] * 6) ^ BECH32M
    data += [checksum >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + kind + "1" + "".join(ALPHABET[d] for d in data)


def from_text(prefix, kind, text):
    wanted = f"{KINDS[kind]} of this network ({prefix}{kind}1...)"
    if len(text) == 64 and all(c in "0123456789abcdefABCDEF" for c in text):
        raise Refusal(f"{text}: hexadecimal digits don't say what they name; {wanted} is wanted")
    if text not in (text.lower(), text.upper()):
        raise Refusal(f"{text}: capital and small letters mixed; {wanted} is wanted")
    found, separator, data = text.lower().rpartition("1")
    if not separator or any(c not in ALPHABET for c in data):
        raise Refusal(f"{text}: not an id; {wanted} is wanted")
    if found != prefix + kind:
        raise Refusal(f"{text}: {KINDS.get(found[-3:], 'of an unknown kind')}; {wanted} is wanted")
    values = [ALPHABET.index(c) for c in data]
    if polymod(expanded(found) + values) != BECH32M:
        raise Refusal(f"{text}: the checksum is wrong, a character was mistyped")
    value = regroup(values[:-6], 5, 8, pad=False)
    if value is None or len(value) != 32:
        raise Refusal(f"{text}: it doesn't hold 32 bytes")
    return bytes(value)


# --- Policies and transactions (PROTOCOL.md, "Transactions") -------------------------------------


def weighted(members, threshold_bytes):
    """A sorted list of (32 bytes, weight), then thresholds: a policy or a quorum."""
    return sequence_of([name + u16(weight) for name, weight in sorted(members)]) + threshold_bytes


def policy(signers, spend, admin):
    return weighted(signers, u32(spend) + u32(admin))


def quorum(members, threshold):
    return weighted(members, u32(threshold))


def address_of(policy_bytes):
    return blake2b("offpeak/address", policy_bytes)


def single_key_policy(key):
    return policy([(bytes(key.verify_key), 1)], 1, 1)


def transaction(chain, sender, stream, sequence, valid_until, max_fee, tip, cosigners, memo,
                operations):
    return (chain + sender + u16(stream) + u64(sequence) + u64(valid_until) + u64(max_fee)
            + u64(tip) + sequence_of(sorted(cosigners)) + byte_string(memo)
            + sequence_of(operations))


def transaction_id(transaction_bytes):
    return blake2b("offpeak/tx", transaction_bytes)


def signed(transaction_bytes, policies, keys):
    digest = transaction_id(transaction_bytes)
    by_key = {bytes(key.verify_key): key.sign(digest).signature for key in keys}
    authorizations = [key + signature for key, signature in sorted(by_key.items())]
    return transaction_bytes + sequence_of(policies) + sequence_of(authorizations)


# --- Operations (PROTOCOL.md, "Operations") ------------------------------------------------------

DIRECTIONS = {"release": 0, "refund": 1}


def transfer(args, wallet):
    return uleb128(0) + wallet.address(args.to) + NATIVE_ASSET + u64(args.amount)


def set_policy(args, wallet):
    signers = [(wallet.id("pub", name), weight) for name, weight in args.signers]
    return uleb128(1) + policy(signers, args.spend, args.admin or args.spend)


def escrow_create(args, wallet):
    payee = wallet.address(args.payee)
    release = wallet.quorum(args.release) or quorum([(wallet.sender, 1)], 1)
    refund = wallet.quorum(args.refund) or quorum([(payee, 1)], 1)
    not_before = None if args.not_before is None else u64(args.not_before)
    arbitration_deadline = args.arbitration_deadline
    if (arbitration_deadline is None) != (args.arbitration is None):
        raise Refusal("--arbitration and --arbitration-deadline belong together")
    return (uleb128(2) + payee + NATIVE_ASSET + u64(args.amount) + release + refund
            + optional(wallet.quorum(args.arbitration)) + optional(args.hashlock)
            + optional(not_before) + u64(args.deadline) + uleb128(DIRECTIONS[args.on_deadline])
            + optional(None if arbitration_deadline is None else u64(arbitration_deadline)))


def escrow_top_up(args, wallet):
    return uleb128(3) + wallet.id("esc", args.escrow) + u64(args.amount)


def escrow_decide(args, wallet):
    preimage = None if args.preimage is None else byte_string(args.preimage)
    return (uleb128(4) + wallet.id("esc", args.escrow) + u64(args.round)
            + uleb128(DIRECTIONS[args.direction]) + u64(args.amount) + optional(preimage))


def escrow_dispute(args, wallet):
    return uleb128(5) + wallet.id("esc", args.escrow)


def escrow_arbitrate(args, wallet):
    return (uleb128(6) + wallet.id("esc", args.escrow) + u64(args.round) + u64(args.to_payee)
            + u64(args.to_payer))


def bond(args, wallet):
    if wallet.chain is None:
        raise Refusal("--offline needs --chain")
    keys = [key_from_file(args.verifier_key, "voting"), key_from_file(args.node_key, "identity")]
    names = b"".join(bytes(key.verify_key) for key in keys)
    agreed = blake2b("offpeak/bond", wallet.chain + wallet.sender + names)
    proofs = b"".join(key.sign(agreed).signature for key in keys)
    return uleb128(7) + names + u64(args.amount) + proofs


def unbond(args, wallet):
    return uleb128(8) + wallet.id("pub", args.verifier) + u64(args.amount)


def withdraw(args, wallet):
    return uleb128(9) + wallet.id("pub", args.verifier)


def declare_candidate(args, wallet):
    return uleb128(26) + wallet.id("pub", args.verifier)


def withdraw_candidacy(args, wallet):
    return uleb128(27) + wallet.id("pub", args.verifier)


def close_stream(args, wallet):
    return uleb128(20) + u16(args.number)


def report_evidence(args, wallet):
    with open(args.evidence, "rb") as file:
        return uleb128(10) + byte_string(file.read())


def inner_signatures(operation):
    """The signatures within an operation, and keys of a new policy, that the fee counts."""
    variant = operation[0]
    if variant == 7:
        return 2
    if variant not in (1, 10, 17):
        return 0
    # A recovery's policy comes after the account's address.
    start = 33 if variant == 17 else 1
    length = 0
    for place, byte in enumerate(operation[start:start + 3]):
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return (length + 127) // 128 if variant == 10 else length


# --- Keys (PROTOCOL.md, "Keys") ------------------------------------------------------------------


def key_from_seed(text):
    try:
        seed = bytes.fromhex(text)
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise Refusal("a seed is 64 hexadecimal digits")
    return SigningKey(seed)


def key_from_file(path, role="wallet"):
    mode = os.stat(path).st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refusal(f"{path} can be read by others; run: chmod 600 {path}")
    with open(path, encoding="ascii") as file:
        line = file.read().rstrip("\n")
    fields = line.split(" ")
    if len(fields) != 5 or fields[0] != "offpeak-key-1":
        raise Refusal(f"{path} is no key file: its only line has 5 fields, first offpeak-key-1")
    checksum = blake2b("offpeak/keyfile", line.rpartition(" ")[0].encode()).hex()[:16]
    if fields[4] != checksum:
        raise Refusal(f"{path} is damaged: its checksum doesn't match")
    if fields[1] != role or fields[2] != "seed":
        raise Refusal(f"{path} holds a {fields[1]} key as {fields[2]}; a {role} seed is wanted,"
                      " as a testnet's wallets hold one")
    return key_from_seed(fields[3])


# --- The node (PROTOCOL.md, "Submitting and waiting") --------------------------------------------


class Node:
    def __init__(self, url, timeout):
        self.url = url
        self.timeout = timeout
        self.calls = 0

    def call(self, method, **params):
        self.calls += 1
        request = {"jsonrpc": "2.0", "id": self.calls, "method": method, "params": params}
        answer = self.post(json.dumps(request).encode())
        if "error" in answer:
            error = answer["error"]
            raise Refusal(f"{method}: {error['message']} (code {error['code']}, "
                          f"data {json.dumps(error.get('data'))})")
        return answer["result"]

    def post(self, body):
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refusal(f"{self.url} answered with HTTP status {error.code}") from error
        except (OSError, ValueError) as error:
            raise Refusal(f"no answer from a node at {self.url} ({error}); is it running, and is "
                          "this the address that it printed? (--node)") from error

    def account(self, address):
        """The account, or None if the address was never credited."""
        try:
            return self.call("account_get", address=address)
        except Refusal as refusal:
            if "code -32002" in str(refusal):
                return None
            raise


class Wallet:
    """The keys, the network they act on, and what a transaction needs to know from there."""

    def __init__(self, args):
        self.args = args
        self.keys = [key_from_seed(seed) for seed in args.seed]
        self.keys += [key_from_file(path) for path in args.key]
        if not self.keys:
            raise Refusal("no key given: --key FILE or --seed HEX")
        self.node = None if args.offline else Node(args.node, args.timeout)
        self.genesis = None if args.offline else self.node.call("genesis_get")
        self.price = None if args.offline else self.standard_price()
        self.prefix = args.prefix if args.offline else self.genesis["prefix"]
        self.chain = args.chain if args.offline else bytes.fromhex(self.genesis["chainID"])
        self.own_policy = single_key_policy(self.keys[0])
        self.sender = self.address(args.sender) if args.sender else address_of(self.own_policy)

    def id(self, kind, text):
        return from_text(self.prefix, kind, text)

    def address(self, text):
        return self.id("acc", text)

    def quorum(self, value):
        if value is None:
            return None
        threshold, members = value
        return quorum([(self.address(name), weight) for name, weight in members], threshold)

    def offline_place(self):
        """Chain, sequence, valid until, whether to reveal the policy, the most to pay."""
        needed = {"--chain": self.args.chain, "--sequence": self.args.sequence,
                  "--valid-until": self.args.valid_until, "--max-fee": self.args.max_fee}
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            raise Refusal("--offline needs " + ", ".join(missing))
        return (self.args.chain, self.args.sequence, self.args.valid_until, self.args.reveal,
                self.args.max_fee)

    def online_place(self):
        text = to_text(self.prefix, "acc", self.sender)
        account = self.node.account(text)
        if account is None:
            raise Refusal(f"{text} has no account yet: it comes to be with the first payment to it")
        next_sequence = {s["stream"]: s["nextSequence"] for s in account["streams"]}
        sequence = self.args.sequence
        if sequence is None:
            sequence = next_sequence.get(self.args.stream, 0)
        valid_until = self.args.valid_until
        if valid_until is None:
            valid_until = int((time.time() + VALIDITY_SECONDS) * 1000)
        reveal = self.args.reveal or account.get("policy") is None
        return (bytes.fromhex(self.genesis["chainID"]), sequence, valid_until, reveal,
                self.args.max_fee)

    def build(self, operations):
        """The signed bytes; without --max-fee the fee is reckoned from their own length."""
        place = self.offline_place() if self.args.offline else self.online_place()
        chain, sequence, valid_until, reveal, max_fee = place
        policies = [self.own_policy] if reveal else []

        def sign(fee):
            body = transaction(chain, self.sender, self.args.stream, sequence, valid_until, fee,
                               self.args.tip, [self.address(c) for c in self.args.cosigner],
                               self.args.memo.encode(), operations)
            return transaction_id(body), signed(body, policies, self.keys)

        if max_fee is None:
            max_fee = self.fee(len(sign(0)[1]), operations) + self.args.tip
        return sign(max_fee)

    def standard_price(self):
        """The most for a unit of weight, so that a base fee that rises meanwhile is covered."""
        levels = self.node.call("fee_estimate")["levels"]
        return int(next(row for row in levels if row["level"] == "standard")["baseFeeMax"])

    def fee(self, byte_count, operations):
        fees = self.genesis["parameters"]
        signatures = len(self.keys) + sum(inner_signatures(operation) for operation in operations)
        weight = (fees["byteWeight"] * byte_count + fees["signatureWeight"] * signatures
                  + fees["writeWeight"] * len(operations))
        return self.price * weight

    def submit(self, signed_bytes):
        """Submits and waits; the answer says `final`, `skipped` or, after the time, `pending`."""
        encoded = base64.b64encode(signed_bytes).decode()
        name = self.node.call("transaction_submit", transaction=encoded)["id"]
        print(f"submitted {name}", file=sys.stderr)
        until = time.monotonic() + self.args.timeout
        while True:
            left = max(0, int((until - time.monotonic()) * 1000))
            wait = min(left, 10_000, int(self.args.timeout * 500))
            status = self.node.call("transaction_wait", id=name, timeoutMilliseconds=wait)
            if status["state"] in ("final", "skipped") or left == 0:
                return status


# --- Command line --------------------------------------------------------------------------------


def amount(text):
    if not text.isascii() or not text.isdigit() or int(text) > UINT64_MAX:
        raise argparse.ArgumentTypeError(f"{text} isn't a whole number from 0 to {UINT64_MAX}")
    return int(text)


def moment(text):
    """Milliseconds since 1970, or +SECONDS from now."""
    if text.startswith("+"):
        return int((time.time() + amount(text[1:])) * 1000)
    return amount(text)


def digest(text):
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:
        raise argparse.ArgumentTypeError(f"{text} isn't 64 hexadecimal digits")
    return value


def members(text):
    """NAME or NAME=WEIGHT, separated by commas."""
    pairs = []
    for member in text.split(","):
        name, separator, weight = member.partition("=")
        pairs.append((name, amount(weight) if separator else 1))
    return pairs


def threshold_and_members(text):
    """THRESHOLD:MEMBERS."""
    threshold, separator, rest = text.partition(":")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text} isn't THRESHOLD:ADDRESS[=WEIGHT],...")
    return amount(threshold), members(rest)


def parser():
    top = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--node", default="http://127.0.0.1:8645/", help="the RPC address of a node")
    top.add_argument("--timeout", type=float, default=30, help="seconds to wait (default: 30)")
    top.add_argument("--key", action="append", default=[], metavar="FILE", help="a key file")
    top.add_argument("--seed", action="append", default=[], metavar="HEX",
                     help="a key as its 32-byte seed: for tests, others can see it in the list "
                          "of processes")
    top.add_argument("--sender", help="the account (default: the first key's own)")
    top.add_argument("--cosigner", action="append", default=[], metavar="ADDRESS")
    top.add_argument("--stream", type=int, default=0)
    top.add_argument("--sequence", type=amount)
    top.add_argument("--valid-until", type=moment, metavar="MILLISECONDS|+SECONDS")
    top.add_argument("--max-fee", type=amount)
    top.add_argument("--tip", type=amount, default=0)
    top.add_argument("--memo", default="")
    top.add_argument("--reveal", action="store_true", help="carry the first key's own policy")
    top.add_argument("--offline", action="store_true", help="print the signed bytes and stop")
    top.add_argument("--chain", type=digest, metavar="HEX", help="the chain id (with --offline)")
    top.add_argument("--prefix", default="opk", help="the network's prefix (with --offline)")
    add_commands(top.add_subparsers(dest="command", required=True))
    return top


def add_commands(commands):
    def command(name, build, text):
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(build=build)
        return added

    command("address", None, "print the first key's public key and address")
    pay = command("pay", transfer, "pay an amount to an address")
    pay.add_argument("--to", required=True)
    pay.add_argument("--amount", type=amount, required=True)
    change = command("set-policy", set_policy, "replace the account's policy")
    change.add_argument("--signers", type=members, required=True, metavar="KEY[=WEIGHT],...")
    change.add_argument("--spend", type=amount, required=True)
    change.add_argument("--admin", type=amount, help="default: as --spend")
    add_escrow_create(command("escrow-create", escrow_create, "pay into a new escrow"))
    top_up = command("escrow-top-up", escrow_top_up, "add to an escrow")
    decide = command("escrow-decide", escrow_decide, "decide about part of what is held")
    dispute = command("escrow-dispute", escrow_dispute, "leave the rest to arbitration")
    arbitrate = command("escrow-arbitrate", escrow_arbitrate, "split all that is held")
    for added in (top_up, decide, dispute, arbitrate):
        added.add_argument("--escrow", required=True)
    for added in (top_up, decide):
        added.add_argument("--amount", type=amount, required=True)
    for added in (decide, arbitrate):
        added.add_argument("--round", type=amount, required=True)
    decide.add_argument("--direction", choices=DIRECTIONS, default="release")
    decide.add_argument("--preimage", type=bytes.fromhex, metavar="HEX")
    arbitrate.add_argument("--to-payee", type=amount, required=True)
    arbitrate.add_argument("--to-payer", type=amount, required=True)
    add_verifier_commands(command)


def add_verifier_commands(command):
    bonding = command("bond", bond, "bond a verifier's key and node")
    bonding.add_argument("--verifier-key", required=True, metavar="FILE", help="its voting key")
    bonding.add_argument("--node-key", required=True, metavar="FILE", help="its identity key")
    unbonding = command("unbond", unbond, "start the release of a bond")
    withdrawing = command("withdraw", withdraw, "withdraw what is due of a bond")
    for added in (bonding, unbonding):
        added.add_argument("--amount", type=amount, required=True)
    declaring = command("declare-candidate", declare_candidate, "put a verifier up for election")
    leaving = command("withdraw-candidacy", withdraw_candidacy, "take it out of later elections")
    for added in (unbonding, withdrawing, declaring, leaving):
        added.add_argument("--verifier", required=True, metavar="PUBLIC-KEY")
    closing = command("close-stream", close_stream, "get an idle stream's deposit back")
    closing.add_argument("--number", type=int, required=True)
    evidence = command("report-evidence", report_evidence, "report a verifier or owner that lied")
    evidence.add_argument("--evidence", required=True, metavar="FILE")


def add_escrow_create(create):
    create.add_argument("--payee", required=True)
    create.add_argument("--amount", type=amount, required=True)
    create.add_argument("--deadline", type=moment, required=True, metavar="MILLISECONDS|+SECONDS")
    create.add_argument("--on-deadline", choices=DIRECTIONS, default="refund")
    quorum_form = "THRESHOLD:ADDRESS[=WEIGHT],..."
    create.add_argument("--release", type=threshold_and_members, metavar=quorum_form,
                        help="whose decisions release (default: the payer's)")
    create.add_argument("--refund", type=threshold_and_members, metavar=quorum_form,
                        help="whose decisions refund (default: the payee's)")
    create.add_argument("--arbitration", type=threshold_and_members, metavar=quorum_form)
    create.add_argument("--arbitration-deadline", type=moment, metavar="MILLISECONDS|+SECONDS")
    create.add_argument("--hashlock", type=digest, metavar="HEX", help="a SHA-256 digest")
    create.add_argument("--not-before", type=moment, metavar="MILLISECONDS|+SECONDS")


def run(args):
    wallet = Wallet(args)
    if args.command == "address":
        print(to_text(wallet.prefix, "pub", bytes(wallet.keys[0].verify_key)))
        print(to_text(wallet.prefix, "acc", wallet.sender))
        return 0
    name, signed_bytes = wallet.build([args.build(args, wallet)])
    if args.offline:
        print(signed_bytes.hex())
        print(to_text(wallet.prefix, "txn", name))
        return 0
    status = wallet.submit(signed_bytes)
    print(json.dumps(status, indent=2))
    is_done = status["state"] == "final" and status["receipt"]["outcome"] == "success"
    return 0 if is_done else 1


def main():
    try:
        return run(parser().parse_args())
    except (Refusal, OSError, UnicodeError) as error:
        print(f"client: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
