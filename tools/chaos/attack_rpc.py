"""Attacks on a node's HTTP server: connections that are held, bodies, headers, answers unread."""

import asyncio
import json

from attacker import until_closed
from identity import protocol

to_text = protocol.to_text

HEAD = b"POST / HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\n"
BODY_MAX = 1 << 20
# What an unread answer is bounded by, beside the node's own memory.
RECEIVE_BYTES = 4096


def call(method, number=1, **parameters):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}


def request(body, head=HEAD):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return head + b"Content-Length: %d\r\n\r\n" % len(data) + data


async def status_of(reader):
    """The status of the next answer, whose body is read and dropped."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = [int(line[15:]) for line in lines if line.startswith("content-length:")]
    if length:
        await reader.readexactly(length[0])
    return int(lines[0].split()[1])


async def opened(attack, writers, **options):
    reader, writer = await attack.connect(attack.rpc_port, **options)
    writers.append(writer)
    return reader, writer


async def silent(attack, writers):
    reader, _ = await opened(attack, writers)
    await until_closed(reader)


async def trickle(attack, writers, first, rest):
    """Sends `first`, then one byte of `rest` each second."""
    reader, writer = await opened(attack, writers)
    writer.write(first)
    closing = asyncio.ensure_future(until_closed(reader))
    try:
        for place in range(1 << 20):
            done, _ = await asyncio.wait([closing], timeout=1)
            if done:
                return closing.result()
            writer.write(rest[place % len(rest)].to_bytes(1, "big"))
    finally:
        closing.cancel()


async def slow_head(attack, writers):
    await trickle(attack, writers, HEAD, b"X-A: b\r\n")


async def slow_body(attack, writers):
    """Nearly all of the largest body, and then a byte now and then."""
    head = HEAD + b"Content-Length: %d\r\n\r\n" % BODY_MAX
    await trickle(attack, writers, head + b"[" + b" " * (BODY_MAX - 4096), b" ")


async def slow_chunks(attack, writers):
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    await trickle(attack, writers, head + b"f0000\r\n" + b" " * 0xF0000 + b"\r\n", b"1\r\n \r\n")


async def endless_head(attack, writers):
    reader, writer = await opened(attack, writers)
    writer.write(HEAD)
    closing = asyncio.ensure_future(until_closed(reader))
    try:
        while not closing.done():
            writer.write(b"X-%d: %s\r\n" % (attack.random.randrange(10**9), b"y" * 4096))
            await writer.drain()
            attack.count("bytes of heads", 4096)
        return closing.result()
    finally:
        closing.cancel()


async def slow_reader(attack, writers):
    """Asks for what has long answers, and takes none of them."""
    _, writer = await opened(attack, writers, receive_bytes=RECEIVE_BYTES)
    batch = request([call("genesis_get", place) for place in range(20)])
    try:
        for _ in range(8):
            writer.write(batch)
            attack.count("long answers asked for")
        await writer.drain()
    except ConnectionError:
        raise EOFError from None
    await held(writer)


async def held(writer):
    """Waits for the end of a connection that isn't read."""
    while not writer.transport.is_closing():
        await asyncio.sleep(0.5)
        # What a peer that has closed answers with a reset.
        writer.write(b"\r\n")
    raise EOFError


async def pipeline(attack, writers):
    """Thousands of the shortest requests in a row, and no answer is read."""
    _, writer = await opened(attack, writers, receive_bytes=RECEIVE_BYTES)
    many = b"GET /health HTTP/1.1\r\n\r\n" * 4000
    for _ in range(64):
        writer.write(many)
        attack.count("requests", 4000)
        await asyncio.wait_for(writer.drain(), 60)
    await held(writer)


async def waits(attack, writers):
    """Batches of long waits, beside megabytes that they might hold meanwhile."""
    reader, writer = await opened(attack, writers)
    name = to_text(attack.prefix, "txn", attack.random.randbytes(32))
    padding = attack.random.choice([8, 8, 40_000])
    many = [{"jsonrpc": "2.0", "id": "x" * padding, "method": "transaction_wait",
             "params": {"id": name, "timeoutMilliseconds": 60_000}} for _ in range(19)]
    many.append(call("chain_head", junk=[[0]] * attack.random.choice([1, 1000]),
                     more=["y" * 1000] * attack.random.choice([1, 200])))
    writer.write(request(many))
    attack.count("waits", 19)
    attack.count(f"status {await status_of(reader)}")


async def bad_bodies(attack, writers):
    """Bodies that are too long, too deep, too wide, or no JSON at all, as fast as they go."""
    choices = {
        "deep": b"[" * 500_000,
        "wide": b"[" + b"0," * 400_000 + b"0]",
        "members": b"{" + b",".join(b'"%d":0' % n for n in range(50_000)) + b"}",
        "nested": b"[" + b",".join([b"[" + b",".join([b"[[[[]]]]"] * 100) + b"]"] * 900) + b"]",
        "batch": json.dumps([call("chain_head", n) for n in range(5000)]).encode(),
        "digits": b"[" + b"9" * 900_000 + b"]",
        "escapes": b'["' + b"\\u0041" * 150_000 + b'"]',
        "noise": attack.random.randbytes(200_000),
    }
    reader, writer = await opened(attack, writers)
    while True:
        name = attack.random.choice(sorted(choices))
        writer.write(request(choices[name]))
        await writer.drain()
        attack.count(f"{name}: {await status_of(reader)}")


async def too_long(attack, writers):
    """Bodies above the limit: declared, or in chunks without an end."""
    reader, writer = await opened(attack, writers)
    if attack.random.random() < 0.5:
        writer.write(HEAD + b"Content-Length: 1000000000\r\n\r\n")
    else:
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    status = asyncio.ensure_future(status_of(reader))
    try:
        while not status.done():
            writer.write(b"10000\r\n" + b" " * 65536 + b"\r\n")
            await asyncio.wait_for(writer.drain(), 20)
            await asyncio.sleep(0)
    except (ConnectionError, asyncio.TimeoutError):
        pass
    attack.count(f"status {await status}")


async def storm(attack, writers):
    """Connects, asks once and leaves at once."""
    _, writer = await opened(attack, writers)
    writer.write(b"GET /health HTTP/1.1\r\nHost: node\r\n\r\n")


def many(one):
    return lambda attack: attack.hold(one)


KINDS = {
    "rpc-silent": many(silent), "rpc-slow-head": many(slow_head),
    "rpc-slow-body": many(slow_body), "rpc-slow-chunks": many(slow_chunks),
    "rpc-endless-head": many(endless_head), "rpc-slow-reader": many(slow_reader),
    "rpc-pipeline": many(pipeline), "rpc-waits": many(waits), "rpc-bad-bodies": many(bad_bodies),
    "rpc-too-long": many(too_long), "rpc-storm": many(storm),
}
