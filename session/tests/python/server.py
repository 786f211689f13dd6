"""A server of redial.v1 that has nothing in common with redial but docs/protocol.md: python server.py [--port P] [--ttl MS]

It sends back every message; "push N" is answered with "push 1" to "push N" instead. Its sessions are in memory, so what it
received is safe as long as it lives: it commits at once. It says "listening on PORT" when it does.
"""

import argparse
import asyncio
import hashlib
import hmac
import secrets
import signal
from collections import deque

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from frames import DONE, GONE, MIN_DELAY, NEW, OVERFLOW, REPLACED, RESUMED, SPREAD, SUPERSEDED, Refused, decode, encode

GREETING_TIMEOUT = 5  # seconds
ACK_EVERY, ACK_DELAY = 32, 0.05
MOST_PAYLOAD, MOST_WAITING = 1 << 20, 10_000
CLOSE_CODES = {DONE: 1000, SUPERSEDED: 4409, OVERFLOW: 1013, GONE: 4410}


class Close(Exception):
    """The connection is to be closed with this code."""


class Session:
    def __init__(self):
        self.id, secret = secrets.token_bytes(16), secrets.token_bytes(16)
        self.secret, self.hash = secret, hashlib.sha256(secret).digest()
        self.received = 0  # the client's last message
        self.acknowledged = 0  # our last message that the client has
        self.outbox = deque()  # those above it: (name, payload)
        self.connection = None
        self.timer = None

    def last(self):
        return self.acknowledged + len(self.outbox)

    def acknowledge(self, number):
        while self.acknowledged < number:
            self.outbox.popleft()
            self.acknowledged += 1


class Connection:
    def __init__(self, ws, session, sent):
        self.ws, self.session = ws, session
        self.sent = sent  # our last message on this connection
        self.told = session.received  # the last acknowledgement
        self.owed_since = None
        self.missed = False
        self.end = None
        self.wake = asyncio.Event()

    def on_frame(self, frame):
        name, *fields = frame
        session = self.session
        if name in ("text", "binary"):
            sequence, received, payload = fields
            self.on_ack(received)
            if sequence > session.received + 1:
                raise Close(4416)
            if sequence <= session.received:
                self.missed = True  # it came before, and the client doesn't know
            else:
                session.received = sequence
                self.owed_since = self.owed_since or asyncio.get_running_loop().time()
                answer(session, name, payload)
        elif name == "ack":
            self.on_ack(fields[0])
        elif name == "end":
            return False
        elif name not in ("pong", "unknown"):
            raise Close(1002)
        if len(session.outbox) > MOST_WAITING:
            self.finish(OVERFLOW)
        self.wake.set()
        return True

    def on_ack(self, number):
        if number > self.sent:
            raise Close(4416)
        self.session.acknowledge(number)

    def finish(self, reason):
        self.end = reason
        self.wake.set()

    async def write(self):
        """Writes whatever is to be written, until the session or the connection ends."""
        session, now = self.session, asyncio.get_running_loop().time
        while True:
            self.wake.clear()
            while self.sent < session.last() and self.end is None:
                self.sent += 1
                name, payload = session.outbox[self.sent - session.acknowledged - 1]
                self.told, self.owed_since, self.missed = session.received, None, False
                await self.ws.send(encode(name, self.sent, self.told, payload))
            wait = None if self.owed_since is None else max(0, self.owed_since + ACK_DELAY - now())
            if self.missed or wait == 0 or session.received - self.told >= ACK_EVERY:
                self.told, self.owed_since, self.missed = session.received, None, False
                await self.ws.send(encode("ack", self.told))
            elif self.end is not None:
                await self.ws.send(encode("end", self.end))
                return await self.ws.close(CLOSE_CODES[self.end])
            else:
                try:
                    await asyncio.wait_for(self.wake.wait(), wait)
                except asyncio.TimeoutError:
                    pass


def answer(session, name, payload):
    if name == "text" and payload.startswith("push "):
        session.outbox.extend(("text", f"push {n}") for n in range(1, int(payload[5:]) + 1))
    else:
        session.outbox.append((name, payload))


class Server:
    def __init__(self, ttl):
        self.ttl, self.sessions = ttl, {}

    def greet(self, frame):
        """The outcome, the session, its secret, and how far its client has got."""
        if frame[0] == "resume":
            _, id, secret, received = frame
            session = self.sessions.get(id)
            if session and hmac.compare_digest(session.hash, hashlib.sha256(secret).digest()):
                if session.acknowledged <= received <= session.last():
                    session.acknowledge(received)
                    return RESUMED, session, secret, received
                if received > session.last():
                    self.forget(session)
        elif frame[0] != "start":
            raise Close(1002)
        session = Session()
        secret, session.secret = session.secret, None
        self.sessions[session.id] = session
        return REPLACED if frame[0] == "resume" else NEW, session, secret, 0

    def forget(self, session):
        self.sessions.pop(session.id, None)
        if session.connection:
            session.connection.finish(GONE)

    async def handle(self, ws):
        try:
            await (self.converse(ws) if ws.subprotocol else self.echo(ws))
        except Close as close:
            await ws.close(close.args[0])
        except Refused:
            await ws.close(1002)
        except ConnectionClosed:
            pass

    async def echo(self, ws):
        async for message in ws:
            await ws.send(message)

    async def converse(self, ws):
        try:
            first = await asyncio.wait_for(ws.recv(), GREETING_TIMEOUT)
        except asyncio.TimeoutError:
            raise Close(4408) from None
        outcome, session, secret, received = self.greet(read(first))
        if session.connection:
            session.connection.finish(SUPERSEDED)
        if session.timer:
            session.timer.cancel()
        connection = session.connection = Connection(ws, session, received)
        writer = None
        try:
            await ws.send(encode("welcome", outcome, session.id, secret, session.received, self.ttl, MOST_PAYLOAD))
            writer = asyncio.create_task(connection.write())
            async for message in ws:
                frame = read(message)
                if connection.end is not None:
                    continue  # what was on its way when the session went
                if frame[0] == "ping":
                    await ws.send(encode("pong", frame[1]))
                elif not connection.on_frame(frame):
                    self.sessions.pop(session.id, None)
                    await ws.close(1000)
        finally:
            if writer:
                writer.cancel()
            if connection.end in (OVERFLOW, GONE):
                self.sessions.pop(session.id, None)
            if session.connection is connection:
                session.connection = None
                session.timer = asyncio.get_running_loop().call_later(self.ttl / 1000, self.forget, session)

    async def close(self):
        advice = encode("going-away", (MIN_DELAY | SPREAD, 100, 400, None))
        for session in list(self.sessions.values()):
            if session.connection:
                try:
                    await session.connection.ws.send(advice)
                    await session.connection.ws.close(1012)
                except ConnectionClosed:
                    pass


def read(message):
    if isinstance(message, str):
        raise Close(1002)
    return decode(message)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ttl", type=int, default=300_000, help="milliseconds")
    options = parser.parse_args()
    server, stop = Server(options.ttl), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    # A client that speaks no redial.v1 is answered as a plain WebSocket.
    def choose(_, offered):
        return "redial.v1" if "redial.v1" in offered else None
    async with serve(server.handle, "127.0.0.1", options.port, select_subprotocol=choose, max_size=MOST_PAYLOAD + 17) as listener:
        print("listening on", listener.sockets[0].getsockname()[1], flush=True)
        await stop.wait()
        await server.close()


if __name__ == "__main__":
    asyncio.run(main())
