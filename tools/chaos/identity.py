"""What a stranger needs to speak to a node: a key of its own and the certificate of a link.

The certificate's P-256 signature is computed here, so that nothing but PyNaCl is needed and one
seed gives one certificate. None of this is for keys that matter: nothing is constant in time.
"""

import base64
import hashlib
import ssl

import paths  # noqa: F401  # tells where `client` lies
import client as protocol
from nacl.signing import SigningKey

PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)

# Object identifiers, as they stand in DER.
EC_KEY = bytes.fromhex("2a8648ce3d0201")
P256 = bytes.fromhex("2a8648ce3d030107")
ECDSA_SHA256 = bytes.fromhex("2a8648ce3d040302")
COMMON_NAME = bytes.fromhex("550403")
LINK_ARC = 6_109_430_214_127_716_385


def add(one, other):
    """The sum of two points of the curve; None is the neutral one."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % PRIME == 0:
            return None
        slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, PRIME)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, PRIME)
    x = (slope * slope - one[0] - other[0]) % PRIME
    return x, (slope * (one[0] - x) - one[1]) % PRIME


def multiply(number, point):
    result = None
    while number:
        if number & 1:
            result = add(result, point)
        point = add(point, point)
        number >>= 1
    return result


def der(tag, *parts):
    content = b"".join(parts)
    count = len(content)
    if count < 0x80:
        return bytes([tag, count]) + content
    length = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts):
    return der(0x30, *parts)


def integer(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def bits(content):
    return der(3, b"\0", content)


def name(arcs):
    return der(6, arcs)


def base128(value):
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(0x80 | value & 0x7F)
    return bytes(reversed(groups))


def signature(secret, nonce, message):
    """ECDSA over SHA-256."""
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    r = multiply(nonce, BASE)[0] % ORDER
    s = pow(nonce, -1, ORDER) * (digest + r * secret) % ORDER
    return sequence(integer(r), integer(s))


class Stranger:
    """An identity that nobody knows, drawn from `generator`, with a link certificate for `chain`."""

    def __init__(self, generator, chain):
        self.key = SigningKey(generator.randbytes(32))
        self.peer = bytes(self.key.verify_key)
        secret, nonce = (generator.randrange(1, ORDER) for _ in range(2))
        x, y = multiply(secret, BASE)
        point = b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
        public = sequence(sequence(name(EC_KEY), name(P256)), bits(point))
        vouching = self.key.sign(protocol.blake2b("offpeak/link", public + chain)).signature
        algorithm = sequence(name(ECDSA_SHA256))
        whose = sequence(der(0x31, sequence(name(COMMON_NAME), der(0x0C, b"stranger"))))
        times = sequence(der(0x17, b"200101000000Z"), der(0x17, b"490101000000Z"))
        extension = sequence(
            name(bytes([2 * 40 + 25]) + base128(LINK_ARC)), der(1, b"\xff"),
            der(4, self.peer + chain + vouching))
        body = sequence(
            der(0xA0, integer(2)), integer(generator.randrange(1, 1 << 64)), algorithm, whose,
            times, whose, public, der(0xA3, sequence(extension)))
        certificate = sequence(body, algorithm, bits(signature(secret, nonce, body)))
        private = sequence(
            integer(1), der(4, secret.to_bytes(32, "big")), der(0xA0, name(P256)),
            der(0xA1, bits(point)))
        self.pem = armour("EC PRIVATE KEY", private) + armour("CERTIFICATE", certificate)

    def context(self, folder):
        """A TLS context for links; `folder` holds the file that the library wants."""
        path = f"{folder}/{self.peer.hex()[:16]}.pem"
        with open(path, "w", encoding="ascii") as file:
            file.write(self.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(path)
        return context


def armour(kind, content):
    text = base64.encodebytes(content).decode()
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n"
