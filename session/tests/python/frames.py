"""The frames of redial.v1, from docs/protocol.md alone. A frame is a tuple: its name, then its fields in their order."""

NEW, RESUMED, REPLACED = range(3)
DONE, SUPERSEDED, OVERFLOW, GONE = range(4)
MIN_DELAY, SPREAD, STOP, REDIRECT = 1, 2, 4, 8

NAMES = {1: "start", 2: "resume", 3: "welcome", 4: "text", 5: "binary", 6: "ack", 7: "ping", 8: "pong", 9: "going-away", 10: "end"}
TYPES = {name: byte for byte, name in NAMES.items()}
# n: number, m: number from 1, i: 16 bytes, r: rest, u: rest in UTF-8, o: outcome, e: reason of an end, a: advice
FIELDS = {
    "start": "", "resume": "iin", "welcome": "oiinnn", "text": "mnu", "binary": "mnr",
    "ack": "n", "ping": "n", "pong": "n", "going-away": "a", "end": "e",
}
CHOICES = {"o": 3, "e": 4}


class Refused(Exception):
    """These bytes are no frame; the argument is the word of vectors/frames.txt."""


def number(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def take_number(data):
    value = 0
    for index, byte in enumerate(data[:8]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if (byte == 0 and index > 0) or value >= 1 << 53:
                raise Refused("number")
            return value, data[index + 1:]
    raise Refused("short" if len(data) < 8 else "number")


def utf8(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused("utf8") from None


def encode(name, *fields):
    out = bytes([TYPES[name]])
    for kind, value in zip(FIELDS[name], fields):
        if kind in "nm":
            out += number(value)
        elif kind in "oe":
            out += bytes([value])
        elif kind == "u":
            out += value.encode()
        elif kind == "a":
            flags, min_delay, spread, redirect = value
            out += bytes([flags])
            out += number(min_delay) if flags & MIN_DELAY else b""
            out += number(spread) if flags & SPREAD else b""
            out += redirect.encode() if flags & REDIRECT else b""
        else:
            out += value
    return out


def decode(data):
    if not data:
        raise Refused("empty")
    if data[0] >= 0x80:
        return ("unknown", data[0])
    if data[0] not in NAMES:
        raise Refused("type")
    name, data = NAMES[data[0]], data[1:]
    fields = []
    for kind in FIELDS[name]:
        if kind in "nm":
            value, data = take_number(data)
            if kind == "m" and value == 0:
                raise Refused("zero")
        elif kind == "i":
            if len(data) < 16:
                raise Refused("short")
            value, data = data[:16], data[16:]
        elif kind in "ur":
            value, data = utf8(data) if kind == "u" else data, b""
        else:
            if not data:
                raise Refused("short")
            value, data = data[0], data[1:]
            if kind == "a":
                value, data = take_advice(value, data)
            elif value >= CHOICES[kind]:
                raise Refused("choice")
        fields.append(value)
    if data:
        raise Refused("long")
    return (name, *fields)


def take_advice(flags, data):
    if flags & ~(MIN_DELAY | SPREAD | STOP | REDIRECT):
        raise Refused("choice")
    min_delay, data = take_number(data) if flags & MIN_DELAY else (None, data)
    spread, data = take_number(data) if flags & SPREAD else (None, data)
    redirect, data = (utf8(data), b"") if flags & REDIRECT else (None, data)
    return (flags, min_delay, spread, redirect), data
