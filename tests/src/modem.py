#!/usr/bin/env python3
"""A modem for text messages that does as it is told, for smsd.

    modem.py TTY MOOD TAKEN

It opens a pseudo terminal and writes its path to the file TTY. Each message that is taken becomes one line of
JSON in the file TAKEN. What becomes of a message is read from the file MOOD when it is submitted:

    deliver        taken; a status report 0 (received) can be read afterwards
    undeliver      taken; a status report 70 (failed for good) can be read afterwards
    trying         taken; a status report 48 (the centre still tries), then one of 0
    silent-report  taken; no status report
    refuse         +CMS ERROR: 28
    mute           taken, but the modem does not answer
"""

import json
import os
import sys
import time
import tty

SLOTS = 30
LONGEST = 2048
MOODS = {"deliver": [0], "undeliver": [70], "trying": [48, 0], "silent-report": [], "mute": []}

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {10: "\f", 20: "^", 40: "{", 41: "}", 47: "\\", 60: "[", 61: "~", 62: "]", 64: "|", 101: "€"}

ANSWERS = {
    "ATI": "Modem of the test harness",
    "AT+CGMI": "Sluis",
    "AT+CGMM": "Pseudo",
    "AT+CGMR": "1",
    "AT+CGSN": "490154203237518",
    "AT+CIMI": "206010000000001",
    "AT+CPIN?": "+CPIN: READY",
    "AT+CSQ": "+CSQ: 25,0",
    "AT+CREG?": "+CREG: 0,1",
    "AT+COPS?": '+COPS: 0,0,"Test",2',
    "AT+CSCA?": '+CSCA: "+32475161616",145',
    "AT+CNMI?": "+CNMI: 0,0,0,0,0",
    "AT+CSCS?": '+CSCS: "GSM"',
}


def number(octets, digits):
    """The digits of an address; each octet holds two, the low half first."""
    return "".join(f"{o & 15:x}{o >> 4:x}" for o in octets)[:digits]


def semi_octets(digits):
    """A number as it stands in a PDU."""
    digits += "f" * (len(digits) % 2)
    return bytes(int(digits[i + 1] + digits[i], 16) for i in range(0, len(digits), 2))


def gsm7(octets, septets, skipped):
    """The text of these septets, without the first ones, which hold the header."""
    bits = int.from_bytes(octets, "little")
    text, escaped = [], False
    for i in range(skipped, septets):
        code = bits >> (7 * i) & 0x7F
        if escaped:
            text.append(EXTENSION.get(code, " "))
            escaped = False
        elif code == 27:
            escaped = True
        else:
            text.append(BASIC[code])
    return "".join(text)


def concatenated(header):
    """How many segments the message has and which one this is, out of the user data header."""
    at = 0
    while at + 2 <= len(header):
        kind, value = header[at], header[at + 2 : at + 2 + header[at + 1]]
        if kind == 0 and len(value) == 3:
            return value[1], value[2]
        if kind == 8 and len(value) == 4:
            return value[2], value[3]
        at += 2 + header[at + 1]
    return None


def submitted(pdu, length):
    """What a SUBMIT PDU says."""
    octets = bytes.fromhex(pdu)
    octets = octets[1 + octets[0] :]
    if len(octets) != length:
        raise ValueError("another length than AT+CMGS said")
    first, digits, kind = octets[0], octets[2], octets[3]
    if first & 3 != 1:
        raise ValueError("not a SUBMIT")
    at = 4 + (digits + 1) // 2
    to, coding = number(octets[4:at], digits), octets[at + 1]
    at += 2 + {0: 0, 2: 1}.get(first >> 3 & 3, 7)
    size, data = octets[at], octets[at + 1 :]
    header = data[1 : 1 + data[0]] if first & 0x40 else b""
    taken = len(header) + 1 if first & 0x40 else 0
    # Coding groups 00xx and 1111 say the alphabet; another group is the default alphabet.
    alphabet = coding >> 2 & 3 if coding & 0xC0 == 0 or coding & 0xF0 == 0xF0 else 0
    septets = 0
    if alphabet == 0:
        if len(data) != (size * 7 + 7) // 8:
            raise ValueError("another length than the PDU says")
        skipped = (taken * 8 + 6) // 7
        septets, text, name = size - skipped, gsm7(data, size, skipped), "gsm7"
    else:
        if len(data) != size:
            raise ValueError("another length than the PDU says")
        name = "ucs2" if alphabet == 2 else "8bit"
        text = data[taken:].decode("utf-16-be") if alphabet == 2 else data[taken:].hex()
    segments = concatenated(header)
    return {
        "to": to,
        "international": kind & 0x70 == 0x10,
        "text": text,
        "alphabet": name,
        "septets": septets,
        "concatenated": segments is not None,
        "segments": segments[0] if segments else 1,
        "segment": segments[1] if segments else 1,
        "report": bool(first & 0x20),
    }


def stamp():
    """Now, as a PDU says it, in UTC."""
    return semi_octets(time.strftime("%y%m%d%H%M%S", time.gmtime())) + b"\0"


def status_report(identity, to, status):
    """A STATUS-REPORT PDU and its length without the centre."""
    centre = b"\x91" + semi_octets("32475161616")
    body = bytes([0x06, identity, len(to), 0x91]) + semi_octets(to) + stamp() + stamp() + bytes([status])
    return (bytes([len(centre)]) + centre + body).hex().upper(), len(body)


class Modem:
    """One modem: its memory, and what it waits for."""

    def __init__(self, master, mood, taken):
        self.master, self.mood, self.taken = master, mood, taken
        self.memory, self.waiting = {}, []
        self.identity, self.echo, self.length = 0, True, None

    def say(self, text):
        data = text.encode("ascii", "replace")
        while data:
            data = data[os.write(self.master, data) :]

    def answer(self, *lines):
        self.say("".join(f"\r\n{line}\r\n" for line in lines))

    def fill(self):
        """Moves waiting reports into free slots."""
        for slot in range(1, SLOTS + 1):
            if not self.waiting:
                return
            if slot not in self.memory:
                self.memory[slot] = self.waiting.pop(0)

    def command(self, line):
        name, _, value = line.partition("=")
        self.fill()
        if name == "AT+CMGS" and value.isdigit():
            self.length = int(value)
            self.say("\r\n> ")
        elif name == "AT+CMGR" and value.isdigit():
            if int(value) in self.memory:
                pdu, length = self.memory[int(value)]
                self.answer(f"+CMGR: 0,,{length}\r\n{pdu}", "OK")
            else:
                self.answer("OK")
        elif name == "AT+CMGD" and value == "?":
            self.answer(f"+CMGD: ({','.join(map(str, sorted(self.memory)))}),(0-4)", "OK")
        elif name == "AT+CMGD":
            self.memory.pop(int(value.split(",")[0]) if value.split(",")[0].isdigit() else 0, None)
            self.answer("OK")
        elif name == "AT+CMGL":
            lines = [f"+CMGL: {slot},0,,{n}\r\n{pdu}" for slot, (pdu, n) in sorted(self.memory.items())]
            self.answer(*lines, "OK")
        elif name in ("AT+CPMS?", "AT+CPMS") and value != "?":
            memory = f"{len(self.memory)},{SLOTS}"
            three = ",".join(f'"SM",{memory}' if name.endswith("?") else memory for _ in range(3))
            self.answer(f"+CPMS: {three}", "OK")
        elif line in ANSWERS:
            self.answer(ANSWERS[line], "OK")
        else:
            self.echo = {"ATE0": False, "ATE1": True}.get(line, self.echo)
            self.answer("OK" if line.startswith("AT") else "ERROR")

    def submission(self, pdu):
        """A whole PDU has come."""
        with open(self.mood, encoding="ascii") as file:
            mood = file.read(64).strip()
        length, self.length = self.length, None
        try:
            message = submitted(pdu, length)
        except (ValueError, IndexError) as error:
            print(f"refused: {error}: {pdu}", file=sys.stderr, flush=True)
            return self.answer("+CMS ERROR: 304")
        if mood not in MOODS:
            return self.answer("+CMS ERROR: 28")
        self.identity = self.identity % 255 + 1
        message["id"] = self.identity
        with open(self.taken, "a", encoding="utf-8") as file:
            file.write(json.dumps(message, ensure_ascii=False) + "\n")
        if message["report"]:
            reports = [status_report(self.identity, message["to"], status) for status in MOODS[mood]]
            self.waiting = (self.waiting + reports)[-1000:]
        return None if mood == "mute" else self.answer(f"+CMGS: {self.identity}", "OK")

    def run(self):
        """Reads commands, which end with CR, and PDUs, which end with Ctrl-Z or are given up with Escape."""
        line = b""
        while octet := os.read(self.master, 1):
            if self.echo and self.length is None:
                os.write(self.master, octet)
            if self.length is not None and octet in b"\x1a\x1b":
                text, line = line.decode("ascii", "replace").strip(), b""
                if octet == b"\x1a":
                    self.submission(text)
                else:
                    self.length = None
                    self.answer("OK")
            elif self.length is None and octet in b"\r\n\x1a\x1b":
                text, line = line.decode("ascii", "replace").strip(), b""
                if text:
                    self.command(text)
            else:
                line = (line + octet)[-LONGEST:]


def main():
    path, mood, taken = sys.argv[1:4]
    master, slave = os.openpty()
    # The slave's end stays open here, so that smsd may close and open it; and no echo of the terminal's own.
    tty.setraw(slave)
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(os.ttyname(slave))
    os.rename(path + ".new", path)
    Modem(master, mood, taken).run()


if __name__ == "__main__":
    main()
