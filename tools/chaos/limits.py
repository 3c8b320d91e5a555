"""Each limit of a node's doors, asked at its value and one beyond it: what does the node answer?

Rows are a name, what is asked, and what must come: the status, the code or reason of the error, or
`closed`.
"""

import json
import socket
import ssl
import struct
import threading
import time

import attack_links as links
import attack_rpc as rpc
from identity import Stranger, protocol
from paths import Failed

BODY_MAX = 1 << 20
BATCH_MAX = 20
NESTING_MAX = 32
ELEMENTS_MAX = 1024
MEMBERS_MAX = 64
ID_MAX = 256
HEAD_MAX = 16 << 10
PIPELINED_MAX = 16
BODY_SECONDS = 10
IDLE_SECONDS = 20
HANDSHAKE_SECONDS = 5
DATAGRAM_MAX = 1200
GUESTS_MAX = 32


class Door:
    """One connection, by the system's own calls."""

    def __init__(self, host, port, seconds=60):
        self.end = socket.create_connection((host, port), 5, source_address=("127.9.0.1", 0))
        self.end.settimeout(seconds)
        self.began = time.monotonic()

    def send(self, data):
        try:
            self.end.sendall(data)
        except OSError:
            pass  # what the node said before it closed is read all the same
        return self

    def rest(self):
        """Everything until the node closes, and after how many seconds it did."""
        data = b""
        try:
            while part := self.end.recv(1 << 16):
                data += part
        except socket.timeout:
            raise Failed("a connection that should be closed stays open") from None
        except OSError:
            pass
        finally:
            self.end.close()
        return data, time.monotonic() - self.began


def closing(body, **options):
    return rpc.request(body, head=rpc.HEAD + b"Connection: close\r\n", **options)


def said(data):
    """The status of an answer, and the reason or the code of its error."""
    if not data:
        return "closed"
    head, _, body = data.partition(b"\r\n\r\n")
    status = head.split()[1].decode()
    try:
        told = json.loads(body or b"null")
    except ValueError:
        return status
    error = told.get("error") if isinstance(told, dict) else None
    if error:
        return f"{status} {(error.get('data') or {}).get('reason') or error['code']}"
    return status


def nested(depth):
    return b"[" * depth + b"]" * depth


class Limits:
    def __init__(self, node, chain, prefix, generator, folder):
        self.node, self.chain, self.prefix = node, chain, prefix
        self.random, self.folder = generator, folder
        self.rows = []

    def expect(self, name, found, wanted):
        self.rows.append((name, found, wanted))

    def ask(self, name, data, wanted):
        answer, _ = Door(self.node.host, self.node.rpc_port).send(data).rest()
        self.expect(name, said(answer), wanted)

    def run(self):
        held = self.held()
        self.bodies()
        self.heads()
        self.frames()
        self.guests()
        self.datagrams()
        for thread in held:
            thread.join()
        return self.rows

    def bodies(self):
        one = json.dumps(rpc.call("chain_head")).encode()
        for size, wanted in ((BODY_MAX, "200"), (BODY_MAX + 1, "413 bodyTooLarge")):
            self.ask(f"body of {size} bytes", closing(one.ljust(size)), wanted)
        for count, wanted in ((BATCH_MAX, "200"), (BATCH_MAX + 1, "200 batchTooLong")):
            many = [rpc.call("chain_head", place) for place in range(count)]
            self.ask(f"batch of {count}", closing(many), wanted)
        for depth, wanted in ((NESTING_MAX, "200"), (NESTING_MAX + 1, "200 nestingTooDeep")):
            # A batch of something that is no request is answered element by element.
            self.ask(f"nesting of {depth}", closing(nested(depth)), wanted)
        for count, wanted in ((ELEMENTS_MAX, "batchTooLong"),
                              (ELEMENTS_MAX + 1, "tooManyElements")):
            self.ask(f"array of {count}", closing([0] * count), f"200 {wanted}")
        for count, wanted in ((MEMBERS_MAX, "version"), (MEMBERS_MAX + 1, "tooManyMembers")):
            self.ask(f"object of {count} members",
                     closing({f"m{place}": 0 for place in range(count)}), f"200 {wanted}")
        for count, wanted in ((ID_MAX, "200"), (ID_MAX + 1, "200 id")):
            self.ask(f"id of {count} bytes", closing(rpc.call("chain_head", "i" * count)), wanted)

    def heads(self):
        for size, wanted in ((HEAD_MAX - 1024, "200"), (HEAD_MAX + 1024, "400")):
            field = b"X-A: " + b"a" * (size - 200) + b"\r\n"
            self.ask(f"head of about {size} bytes", b"GET /health HTTP/1.1\r\nHost: n\r\n"
                     b"Connection: close\r\n" + field + b"\r\n", wanted)
        for count, wanted in ((PIPELINED_MAX, "200"), (PIPELINED_MAX * 4, "closed")):
            name = protocol.to_text(self.prefix, "txn", self.random.randbytes(32))
            first = (f"GET /transaction_wait?id={name}&timeoutMilliseconds=300 HTTP/1.1\r\n"
                     "Host: n\r\n\r\n").encode()
            more = b"GET /health HTTP/1.1\r\nHost: n\r\n\r\n" * (count - 2)
            last = b"GET /health HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n"
            self.ask(f"{count} requests without an answer", first + more + last, wanted)

    def held(self):
        """Doors that nobody goes through: each takes its time, so all are held at once."""
        rpc_port, link_port = self.node.rpc_port, self.node.link_port
        doors = (
            ("idle", rpc_port, b"", "closed", IDLE_SECONDS),
            ("half a head", rpc_port, rpc.HEAD, "closed", IDLE_SECONDS),
            ("half a body", rpc_port, rpc.HEAD + b"Content-Length: 9\r\n\r\n{", "408",
             BODY_SECONDS),
            ("silent link", link_port, b"", "closed", HANDSHAKE_SECONDS),
            ("half a handshake", link_port, links.client_hello(), "closed", HANDSHAKE_SECONDS),
        )
        threads = [threading.Thread(target=self.hold, args=door, daemon=True) for door in doors]
        for thread in threads:
            thread.start()
        return threads

    def hold(self, name, port, first, wanted, seconds):
        try:
            answer, took = Door(self.node.host, port).send(first).rest()
            # What a link says before it closes is TLS's.
            found = said(answer) if port == self.node.rpc_port else "closed"
        except (Failed, OSError) as fault:
            found, took = str(fault), 0
        # A busy machine closes later, never earlier.
        if not seconds - 1 <= took <= 2 * seconds + 4:
            found += f" after {took:.1f} s, not {seconds}"
        self.expect(f"{name}, held", found, wanted)

    def frames(self):
        """What a stranger may send before it has greeted: nothing but a greeting."""
        stranger = Stranger(self.random, self.chain)
        context = stranger.context(self.folder)
        for name, data, wanted in (
                ("a chunk of 65,537 bytes", struct.pack("<BBI", 0, 0, (64 << 10) + 1),
                 b"at most 65536 are allowed"),
                ("a control frame of 4,097 bytes", links.chunk(0, bytes(4097)),
                 b"at most 4096 are allowed"),
                ("an unknown kind", links.chunk(9, b"x"), b"unknown kind 9"),
                ("another frame before the greeting", links.chunk(1, b"x"), b"out of turn"),
                ("another version", links.chunk(0, b"\0" + struct.pack("<HQ", 2, 7)),
                 b"speaks version 2")):
            self.expect(f"link: {name}", self.goodbye(context, data, wanted), wanted.decode())
        other = Stranger(self.random, bytes(32)).context(self.folder)
        self.expect("link: another chain", self.goodbye(other, b"", b""), "closed")

    def goodbye(self, context, data, wanted):
        """What the node says before it closes: `wanted` if that is in it."""
        door = Door(self.node.host, self.node.link_port)
        try:
            door.end = context.wrap_socket(door.end, server_hostname="node")
        except (OSError, ssl.SSLError):
            return "closed"
        answer, _ = door.send(data).rest()
        if wanted and wanted in answer:
            return wanted.decode()
        return "closed" if not answer else repr(answer[-200:])

    def guests(self):
        """As many strangers as may have links are welcome, and no more."""
        strangers = [Stranger(self.random, self.chain) for _ in range(GUESTS_MAX + 1)]
        doors = []
        try:
            for place, stranger in enumerate(strangers):
                doors.append(Door(self.node.host, self.node.link_port, seconds=5))
                found = self.greet(doors[-1], stranger)
                if place + 1 >= GUESTS_MAX:
                    self.expect(f"link: stranger {place + 1}", found,
                                "welcome" if place < GUESTS_MAX else "closed")
        finally:
            for door in doors:
                door.end.close()

    def greet(self, door, stranger):
        """Greets as a node does, up to the open link: whether the node takes part in it."""
        context = stranger.context(self.folder)
        try:
            door.end = context.wrap_socket(door.end, server_hostname="node")
            door.end.sendall(links.hello(self.random.getrandbits(64)))
            while frame := door.end.recv(6):
                payload = door.end.recv(struct.unpack("<BBI", frame)[2])
                if payload[0] == 1:
                    return "welcome"
                if stranger.peer < links.node_peer(door.end.getpeercert(binary_form=True)):
                    door.end.sendall(links.WELCOME + links.ping(1))
                    # The answer to the ping says that the link is open for the node, too.
                    if door.end.recv(6):
                        return "welcome"
        except OSError:
            pass
        return "closed"

    def datagrams(self):
        """A question must have its full length, and gets less than that back."""
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.bind(("127.9.0.1", 0))
        end.settimeout(1)
        question = bytes([1, 2]) + bytes(8) + self.chain + bytes(24)
        for name, data, wanted in (
                ("a question", question, "50 bytes"), ("a byte less", question[:-1], "nothing"),
                ("a byte more", question + b"\0", "nothing"),
                ("another chain", question[:10] + bytes(56), "nothing"),
                (f"{DATAGRAM_MAX + 1} bytes", question.ljust(DATAGRAM_MAX + 1, b"\0"), "nothing")):
            end.sendto(data, (self.node.host, self.node.link_port))
            try:
                found = f"{len(end.recv(65536))} bytes"
            except socket.timeout:
                found = "nothing"
            self.expect(f"datagram: {name}", found, wanted)
        end.close()
