#!/usr/bin/env python3
"""How much 30 hostile clients slow down the others: p99 of tool calls over one WebSocket, quiet and under attack.

    scripts/bench/hostile.py [PROGRAM] [--rounds N] [--seconds N]

Starts PROGRAM (target/release/cwts-ultra) on free ports in a home of its own. The measured client, the attackers and the
server are three processes; the attackers run only where nobody else wants to, since in the field they have computers of their own. Quiet
and hostile phases alternate in one run. Prints the percentiles of each phase and the ratio of the medians of the p99.
"""

import argparse
import base64
import json
import multiprocessing
import os
import pathlib
import re
import select
import signal
import socket
import statistics
import struct
import subprocess
import tempfile
import threading
import time

KINDS = ("slow header", "huge frame", "bad UTF-8", "ping flood", "half close", "TLS garbage")
PER_KIND = 5
# Between two attempts of one attacker: together they try some hundred times a second.
PAUSE = 0.1
TARGET = 2.0


def frame(opcode, payload):
    """A final frame with an empty mask (RFC 6455 section 5.2)."""
    length = len(payload)
    head = struct.pack("!BB", 0x80 | opcode, 0x80 | (length if length < 126 else 126))
    return head + (struct.pack("!H", length) if length >= 126 else b"") + bytes(4) + payload


def connect(port):
    stream = socket.create_connection(("127.0.0.1", port), timeout=10)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def upgrade(port, token):
    stream = connect(port)
    key = base64.b64encode(os.urandom(16)).decode()
    stream.sendall(
        f"GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\n"
        f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += stream.recv(1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return stream


def drain(stream):
    """Reads until the server closes."""
    try:
        while stream.recv(4096):
            pass
    except OSError:
        pass


def attack(kind, port, token):
    if kind == "slow header":
        stream = connect(port)
        for byte in b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 8:
            stream.sendall(bytes([byte]))
            time.sleep(0.02)
    elif kind == "TLS garbage":
        stream = connect(port)
        stream.sendall(bytes.fromhex("1603010200") + os.urandom(512))
        drain(stream)
    elif kind == "half close":
        stream = connect(port)
        stream.sendall(b"GET /mcp HTTP/1.1\r\nHost: localhost\r\n")
        stream.shutdown(socket.SHUT_WR)
        drain(stream)
    else:
        stream = upgrade(port, token)
        if kind == "huge frame":
            stream.sendall(b"\x81\xff" + struct.pack("!Q", 1 << 62) + bytes(4) + b"x" * 4096)
        elif kind == "bad UTF-8":
            stream.sendall(frame(1, b"\xff\xfe"))
        else:
            stream.sendall(frame(9, b"ping") * 1000)
        drain(stream)
    stream.close()


def attacker(kind, port, token, hostile, ended, tries):
    while not ended.is_set():
        if not hostile.wait(0.2):
            continue
        try:
            attack(kind, port, token)
        except OSError:
            pass  # The server cut it off, as it should.
        with tries.get_lock():
            tries.value += 1
        time.sleep(PAUSE)


def attackers(port, token, hostile, ended, tries):
    # Whoever of the others wants the processor has it at once.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kinds = [kind for kind in KINDS for _ in range(PER_KIND)]
    threads = [threading.Thread(target=attacker, args=(kind, port, token, hostile, ended, tries)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Client:
    """One MCP session that waits for each answer."""

    def __init__(self, port, token):
        self.stream = upgrade(port, token)
        self.buffer = b""
        self.id = 0
        info = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        self.request("initialize", info)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.stream.sendall(frame(1, json.dumps(message).encode()))

    def request(self, method, params):
        self.id += 1
        self.send({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params})
        while True:
            opcode, payload = self.next()
            if opcode == 9:
                self.stream.sendall(frame(10, payload))
            elif opcode == 1 and json.loads(payload).get("id") == self.id:
                return json.loads(payload)

    def take(self, count):
        while len(self.buffer) < count:
            part = self.stream.recv(65536)
            assert part, "the server ended the measured connection"
            self.buffer += part
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def next(self):
        head, length = self.take(2)
        if length == 126:
            (length,) = struct.unpack("!H", self.take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.take(8))
        return head & 15, self.take(length)

    def measure(self, seconds):
        """Milliseconds of each call."""
        taken, end = [], time.perf_counter() + seconds
        while (started := time.perf_counter()) < end:
            answer = self.request("tools/call", {"name": "get_account", "arguments": {}})
            taken.append((time.perf_counter() - started) * 1e3)
            assert "result" in answer, answer
        return sorted(taken)


def percentile(taken, part):
    return taken[min(int(len(taken) * part), len(taken) - 1)]


def start(program, home):
    """The server on free ports, and where its WebSocket listens."""
    (home / "config").mkdir()
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    names = ("MCP_SERVER_PORT", "MCP_HTTP_PORT", "PROMETHEUS_PORT", "HEALTH_CHECK_PORT")
    environment = {**os.environ, "CWTS_HOME": str(home), **{name: str(port) for name, port in zip(names, ports)}}
    server = subprocess.Popen([program, "run"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert select.select([server.stdout], [], [], 30)[0], "the server did not start within 30 s"
    line = server.stdout.readline().decode()
    assert re.search(r":\d+/mcp$", line.strip()), f"the server printed {line!r}"
    return server, ports[0]


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="?", default=str(root / "target/release/cwts-ultra"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        server, port = start(options.program, pathlib.Path(home))
        token = (pathlib.Path(home) / "data/default/tokens/trade").read_text().strip()
        hostile, ended, tries = multiprocessing.Event(), multiprocessing.Event(), multiprocessing.Value("L", 0)
        others = multiprocessing.Process(target=attackers, args=(port, token, hostile, ended, tries))
        others.start()
        try:
            client = Client(port, token)
            client.measure(1)
            p99s = {False: [], True: []}
            for number in range(options.rounds):
                for attacked in (False, True):
                    (hostile.set if attacked else hostile.clear)()
                    time.sleep(0.5)
                    before, taken = tries.value, client.measure(options.seconds)
                    rate = (tries.value - before) / options.seconds
                    p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
                    p99s[attacked].append(p99)
                    word = f"{rate:4.0f} attempts/s" if attacked else "quiet"
                    print(f"round {number + 1}  {len(taken):6} calls  p50 {p50:6.3f} ms  p99 {p99:6.3f} ms  {word}", flush=True)
        finally:
            ended.set()
            others.join(15)
            others.kill()
            server.terminate()
            server.wait(15)
    quiet, under = statistics.median(p99s[False]), statistics.median(p99s[True])
    print(f"p99 quiet {quiet:.3f} ms, under attack {under:.3f} ms, ratio {under / quiet:.2f} (target {TARGET})")
    raise SystemExit(0 if under / quiet <= TARGET else 1)


if __name__ == "__main__":
    main()
