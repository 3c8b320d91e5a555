"""What validators signed, read from their journals: Sources/Runtime/Store/JournalFormat.swift.

A journal holds the votes of its own node, each on disk before it leaves, and certificates, which
name the votes of others. Nodes shorten their journals, and scenarios destroy some: therefore they
are read again and again while a network runs, and all that was ever seen counts.
"""

import dataclasses
import hashlib
import os
import struct
import threading

MAGIC = b"OPKJRNL1"
HEADER_BYTES = 48
BODY_BYTES_MAX = 8 << 20
NOTARIZE, NULLIFY, FINALIZE = range(3)
KINDS = ("notarize", "nullify", "finalize")
VOTE, BLOCK, CERTIFICATE, FLOOR = range(4)


@dataclasses.dataclass(frozen=True)
class Subject:
    """What a vote is for. Wire: kind, epoch, view, digest."""
    kind: int
    epoch: int
    view: int
    digest: bytes

    def __str__(self):
        return f"{KINDS[self.kind]} of view {self.view}, {self.digest.hex()[:8]}"


def checksum(*parts):
    digest = hashlib.blake2b(digest_size=32, person=b"offpeak/journal".ljust(16, b"\0"))
    for part in parts:
        digest.update(part)
    return digest.digest()


def records(data):
    """The whole records of a segment's bytes, as pairs of type and body; none if its header is
    damaged. An unfinished end is left out."""
    header = data[:HEADER_BYTES]
    if len(header) < HEADER_BYTES or header[:8] != MAGIC:
        return
    if checksum(header[:32])[:16] != header[32:48]:
        return
    place = HEADER_BYTES
    binding = header[8:32]
    while place + 13 <= len(data):
        count = int.from_bytes(data[place:place + 4], "little")
        end = place + 5 + count
        if count > BODY_BYTES_MAX or end + 8 > len(data):
            return
        content = data[place:end]
        if checksum(content, binding, struct.pack("<Q", place))[:8] != data[end:end + 8]:
            return
        yield content[4], content[5:]
        place = end + 8


def subject(data):
    """A subject at the start of `data`, and what follows it."""
    kind, epoch, view = data[0], *struct.unpack_from("<QQ", data, 1)
    return Subject(kind, epoch, view, data[17:49]), data[49:]


def votes_of(kind, body):
    """The (signer, subject) pairs of a record's canonical bytes (variant, then value)."""
    if kind == VOTE:
        found, rest = subject(body[1:])
        return [(int.from_bytes(rest[:2], "little"), found)]
    if kind == CERTIFICATE:
        found, rest = subject(body[1:])
        bits = rest[1:1 + rest[0]]
        return [(place, found) for place in range(8 * len(bits))
                if bits[place // 8] >> place % 8 & 1]
    return []


def conflicts(signed):
    """Pairs of votes of one signer that no honest key signs both: notarize or finalize votes for
    two blocks of a view, or finalize and nullify of one view. `signed`: (signer, Subject) pairs."""
    found = []
    views = {}
    for signer, vote in signed:
        views.setdefault((signer, vote.epoch, vote.view), set()).add(vote)
    for (signer, _, _), votes in sorted(views.items(), key=lambda item: item[0]):
        for kind in (NOTARIZE, FINALIZE):
            of_kind = [vote for vote in votes if vote.kind == kind]
            if len(of_kind) > 1:
                found.append((signer, *sorted(map(str, of_kind))))
        if {NULLIFY, FINALIZE} <= {vote.kind for vote in votes}:
            found.append((signer, *sorted(map(str, votes))))
    return found


class VoteWatch:
    """Collects the votes of a network's validators from their journals until it is stopped."""

    PERIOD_SECONDS = 0.4

    def __init__(self, journals):
        """`journals`: the journal folder of each validator, by its index in the committee."""
        self.journals = journals
        self.own = [set() for _ in journals]
        self.certified = set()
        # Journals that a scenario destroyed or a node shortened: they don't hold everything.
        self.incomplete = set()
        # Validators whose record was lost: what they had signed until then.
        self.before = {}
        # Views above which they vote again, by their journals.
        self.floors = {}
        self.sizes = {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.stopping.wait(self.PERIOD_SECONDS):
            self.read()

    def read(self):
        """Reads all journals now: to be called before one is destroyed."""
        with self.lock:
            for node, folder in enumerate(self.journals):
                self.read_folder(node, folder)

    def read_folder(self, node, folder):
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".journal"))
        except OSError:
            return
        if names and not names[0].startswith("0000000000000001."):
            self.incomplete.add(node)
        for name in names:
            path = os.path.join(folder, name)
            try:
                size = os.stat(path).st_size
                if self.sizes.get(path) == size:
                    continue
                with open(path, "rb") as file:
                    data = file.read()
            except OSError:
                continue
            self.sizes[path] = size
            self.add(node, data)

    def add(self, node, data):
        for kind, body in records(data):
            if kind == FLOOR and node in self.before:
                floor = int.from_bytes(body[1:9], "little")
                self.floors[node] = max(floor, self.floors.get(node, 0))
            for signer, vote in votes_of(kind, body):
                if kind == VOTE:
                    self.own[node].add((signer, vote))
                else:
                    self.certified.add((signer, vote))

    def lost(self, node):
        """A node's files are destroyed now: its key must not sign again in views that it may have
        signed in."""
        with self.lock:
            self.incomplete.add(node)
            self.before[node] = set(self.own[node])
            # What comes in their place is read even if it is as long.
            self.sizes = {}

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.read()

    @property
    def count(self):
        return len(self.certified.union(*self.own))

    def faults(self):
        """What no honest validator does: conflicting votes, another's vote in the own journal, and
        a vote in a certificate that its signer's journal never held."""
        found = [f"validator {signer} signed {', '.join(votes)}"
                 for signer, *votes in conflicts(self.certified.union(*self.own))]
        for node, votes in enumerate(self.own):
            found += [f"the journal of {node} holds a vote of {signer}: {vote}"
                      for signer, vote in votes if signer != node]
        for signer, before in self.before.items():
            last = max((vote.view for _, vote in before), default=0)
            floor = self.floors.get(signer)
            for view, text in sorted((vote.view, str(vote)) for _, vote in self.own[signer] - before):
                if floor is None or view <= max(floor, last):
                    found.append(f"validator {signer} lost its record in view {last}, and signed "
                                 f"again above {floor}: a {text}")
        for signer, vote in self.certified:
            if signer in self.incomplete or signer >= len(self.own):
                continue
            if (signer, vote) not in self.own[signer]:
                found.append(f"a vote of {signer} is in a certificate, but never was in its journal:"
                             f" {vote}")
        return found
