#!/usr/bin/env python3
"""A second, independent reader of share lines. Standard library only; the format is in formats.md.

    share_vectors.py                  write share-vectors.json again, always the same
    share_vectors.py --check          combine every set of t shares in share-vectors.json
    share_vectors.py combine CODE     read share lines from standard input, print the age passphrase

`combine` is for the day when nothing of Sluis runs any more: the passphrase opens the envelope with `age -d`.
"""
import json
import sys
from hashlib import sha256
from itertools import combinations
from pathlib import Path

FILE = Path(__file__).with_name("share-vectors.json")
SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# What hands slip into: O, I and L, the digit row of an AZERTY keyboard without Shift; spaces and dashes fall away.
SLIPS = str.maketrans("OoIiLl&é\"'(§è!çà", "0011111234567890", " \t\r\n\xa0-\u2010\u2011\u2013")

# Crockford's base 32: five bits a symbol, first bit first, zero bits at the end.
def text(values):
    return "".join(SYMBOLS[value] for value in values)

def read(typed):
    values = [SYMBOLS.find(symbol) for symbol in typed.translate(SLIPS).upper()]
    if -1 in values:
        raise ValueError(f"symbol {values.index(-1) + 1} is none that a line has")
    return values

def pack(value):
    number = int.from_bytes(value, "big") << 2
    return [number >> shift & 31 for shift in range(125, -1, -5)]

def unpack(values):
    number = sum(value << shift for value, shift in zip(values, range(125, -1, -5)))
    if number & 3:
        raise ValueError("the padding bits of a share are zero")
    return (number >> 2).to_bytes(16, "big")

# GF(256) with x^8 + x^4 + x^3 + x + 1, and Shamir's scheme over it, one polynomial for each byte.
def mul(a, b):
    product = 0
    while b:
        product ^= a * (b & 1)
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product

def div(a, b):
    for _ in range(254):  # b^254 is 1/b
        a = mul(a, b)
    return a

def split(key, coefficients, n):  # coefficients of x, x^2, ...: 16 bytes each, one fewer than the threshold
    shares = {}
    for x in range(1, n + 1):
        y = bytes(16)
        for row in [*reversed(coefficients), key]:
            y = bytes(mul(high, x) ^ low for high, low in zip(y, row))
        shares[x] = y
    return shares

def combine(shares):  # the polynomials' values at 0, through the points x: y
    key = bytes(16)
    for x, y in shares.items():
        weight = 1
        for other in shares.keys() - {x}:
            weight = div(mul(weight, other), other ^ x)
        key = bytes(so_far ^ mul(weight, byte) for so_far, byte in zip(key, y))
    return key

# The line: version, threshold, index, 26 symbols of share, 6 of bech32m (BIP-350) under the transfer code.
def checksum(prefix, values):
    state = 1
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    for value in [*expanded, *values, 0, 0, 0, 0, 0, 0]:
        top, state = state >> 25, (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            state ^= generator * (top >> bit & 1)
    return [(state ^ 0x2BC830A3) >> shift & 31 for shift in range(25, -1, -5)]

def write_line(code, t, x, y):
    body = [1, t, x, *pack(y)]
    line = text(body + checksum(text(read(code)).lower(), body))
    return "-".join(line[at:at + 4] for at in range(0, 35, 4))

def read_line(code, typed):
    values = read(typed)
    body, last = values[:29], values[29:]
    if len(values) != 35 or checksum(text(read(code)).lower(), body) != last:
        raise ValueError("mistyped, or not a line of this transfer")
    version, t, x, *share = body
    if version != 1 or not 2 <= t <= 16 or not 1 <= x <= 16:
        raise ValueError("not a share line of this version")
    return t, x, unpack(share)

def commitment(transfer, t, n, x, y):
    return sha256(b"sluis/share/v1" + transfer + bytes([t, n, x]) + y).hexdigest()

def passphrase(code, lines):
    read_lines = [read_line(code, line) for line in lines]
    shares = {x: y for _, x, y in read_lines}
    if {t for t, _, _ in read_lines} != {len(shares)} or len(shares) != len(read_lines):
        raise ValueError("give as many different lines as the threshold says, no more and no fewer")
    return text(pack(combine(shares)))

def vector(key, code, t, n):
    def derive(what):
        return sha256(f"sluis share vectors: {t} of {n}, {code}, {what}".encode()).digest()[:16]
    key, transfer = key or derive("key"), derive("transfer")
    coefficients = [derive(f"coefficient {power}") for power in range(1, t)]
    shares = split(key, coefficients, n)
    return {"key": key.hex(), "passphrase": text(pack(key)), "transfer": transfer.hex(), "code": code, "t": t,
            "n": n, "coefficients": [row.hex() for row in coefficients], "shares": [{"index": x, "line": write_line(code, t, x, y),
                                "commitment": commitment(transfer, t, n, x, y)} for x, y in shares.items()]}

def generate():
    about = "Known answers for splitting, share lines and commitments: see formats.md and share_vectors.py"
    cases = [(None, "7K3F-9QX", 2, 3), (None, "0000-000", 2, 2), (None, "1111-111", 3, 5), (None, "ZZZZ-ZZZ", 16, 16),
             (bytes(16), "3M5N-7PQ", 2, 3), (b"\xff" * 16, "G0HD-1V2", 3, 4), (None, "W4T3-R8S", 5, 9)]
    FILE.write_text(json.dumps({"about": about, "vectors": [vector(*case) for case in cases]}, indent=1) + "\n")

def check():
    assert checksum("a", []) == [31, 0, 9, 19, 17, 29], "BIP-350: A1LQFN3A"
    vectors, sets = json.loads(FILE.read_text())["vectors"], 0
    for v in vectors:
        key, transfer = bytes.fromhex(v["key"]), bytes.fromhex(v["transfer"])
        assert text(pack(key)) == v["passphrase"] and unpack(read(v["passphrase"])) == key, v["code"]
        parts = split(key, [bytes.fromhex(row) for row in v["coefficients"]], v["n"])
        lines = [write_line(v["code"], v["t"], x, y) for x, y in parts.items()]
        assert len(v["coefficients"]) == v["t"] - 1 and lines == [share["line"] for share in v["shares"]], v["code"]
        for share in v["shares"]:
            t, x, y = read_line(v["code"], share["line"].lower().replace("0", "o").replace("1", "l"))
            assert (t, x, write_line(v["code"], t, x, y)) == (v["t"], share["index"], share["line"]), share
            assert commitment(transfer, t, v["n"], x, y) == share["commitment"], share
        for chosen in combinations([share["line"] for share in v["shares"]], v["t"]):
            assert passphrase(v["code"], chosen) == v["passphrase"], chosen
            sets += 1
    print(f"{len(vectors)} vectors, {sets} sets of shares: all hold")

if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case []:
                generate()
            case ["--check"]:
                check()
            case ["combine", code]:
                print(passphrase(code, filter(str.strip, sys.stdin)))
            case _:
                sys.exit(__doc__)
    except ValueError as error:
        sys.exit(f"share_vectors.py: {error}")
