"""Reads ../../vectors with the frames of frames.py: python check_vectors.py"""

import pathlib

from frames import MIN_DELAY, REDIRECT, SPREAD, STOP, Refused, decode, encode

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "vectors"
OUTCOMES = ["new", "resumed", "replaced"]
REASONS = ["done", "superseded", "overflow", "gone"]
KEYS = {
    "resume": ["id", "secret", "received"],
    "welcome": ["outcome", "id", "secret", "received", "ttl", "most_payload"],
    "text": ["number", "received", "payload"], "binary": ["number", "received", "payload"],
    "ack": ["received"], "ping": ["id"], "pong": ["id"], "end": ["reason"],
}


def lines(name):
    for line in (VECTORS / name).read_text(encoding="utf-8").splitlines():
        line = "" if line.startswith("#") else line.split("  #")[0].strip()
        if line:
            yield line


def unhex(text):
    return bytes.fromhex(text.replace("-", ""))


def frame(name, words):
    """The frame that a line of frames.txt describes."""
    values = dict(word.partition("=")[::2] for word in words)
    if name == "going-away":
        flags = {"min_delay": MIN_DELAY, "spread": SPREAD, "stop": STOP, "redirect": REDIRECT}
        spans = [int(values[key]) if key in values else None for key in ("min_delay", "spread")]
        return name, (sum(flags[key] for key in values), *spans, values.get("redirect"))

    def value(key):
        text = values[key]
        if key == "outcome":
            return OUTCOMES.index(text)
        if key == "reason":
            return REASONS.index(text)
        if key in ("secret", "payload") or (key == "id" and len(text) == 32):
            return unhex(text).decode() if name == "text" else unhex(text)
        return int(text)

    return name, *map(value, KEYS.get(name, []))


def check_frames():
    count = 0
    for line in lines("frames.txt"):
        kind, data, *words = line.split()
        data, count = unhex(data), count + 1
        if kind == "frame":
            expected = frame(words[0], words[1:])
            assert decode(data) == expected, (line, decode(data))
            assert encode(*expected) == data, (line, encode(*expected))
        elif kind == "ignored":
            assert decode(data)[0] == "unknown", line
        else:
            try:
                raise AssertionError((line, decode(data)))
            except Refused as why:
                assert str(why) == words[0], (line, why)
    return count


class Side:
    """What one side has sent and received in a session."""

    def __init__(self):
        self.most = self.received = self.next = 0

    def sends(self, frame, peer, line):
        if frame[0] in ("text", "binary"):
            assert frame[1] == self.next, (line, self.next)
            self.next += 1
            self.most = max(self.most, frame[1])
        if frame[0] in ("text", "binary", "ack"):
            received = frame[1 if frame[0] == "ack" else 2]
            assert received <= self.received <= peer.most, (line, self.received)


def check_conversations():
    """The numbers of every conversation follow from what arrived before."""
    count, client, server = 0, Side(), Side()
    for line in lines("conversations.txt"):
        word, _, rest = line.partition(" ")
        if word == "conversation":
            count, client, server = count + 1, Side(), Side()
        if word not in ("c", "c!", "s", "s!", "old") or unhex(rest)[0] > 0x0A:
            continue
        sent = decode(unhex(rest))
        assert encode(*sent) == unhex(rest), line
        side, peer = (client, server) if word[0] == "c" else (server, client)
        if sent[0] == "resume":
            assert sent[3] == client.received, line
        elif sent[0] == "welcome":
            if sent[1] != 1:
                client.__init__(), server.__init__()
            assert sent[4] <= client.most, line
            server.received, client.next, server.next = sent[4], sent[4] + 1, client.received + 1
        elif word != "old":
            side.sends(sent, peer, line)
            if word in ("c", "s") and sent[0] in ("text", "binary") and sent[1] == peer.received + 1:
                peer.received = sent[1]
    return count


if __name__ == "__main__":
    print(f"{check_frames()} frames and {check_conversations()} conversations: as they should be")
