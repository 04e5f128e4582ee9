#!/usr/bin/env python3
"""Tests the plugin server: answers, hostile plugins, hostile clients, reloading, metrics.

usage: run.py SERVER GUESTS [--soak SECONDS] [--option=OPTION]...

SERVER is the command (`wasmrun serve`, or wasmrun-serve), GUESTS the folder with serve_*.wasm.
--soak runs well-behaved and hostile plugins side by side for so long, two thirds of the requests
good ones, and checks every answer and that the server's memory stays as it is.
"""

import argparse
import http.client
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

OUTCOMES = {  # path of hostile.wasm: status
    "loop": 504, "sleep": 504, "bomb": 500, "flood": 502, "errors": 504, "trap": 500, "stack": 500,
    "exit": 500, "headers": 502, "garbage": 502, "split": 502, "status": 502, "null": 500,
    "nothing": 502,
}
BUSY = 100  # seconds after which it is not the machine that is slow


class Server:
    def __init__(self, command, options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wr-serve-"))
        self.log = tempfile.TemporaryFile()
        self.command = command + ["--listen", "127.0.0.1:0", *options, str(self.folder)]

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline().decode()
        match = re.search(r":(\d+)/$", line.strip())
        if not match:
            sys.exit(f"the server did not start: {line!r}\n{self.read_log()}")
        self.port = int(match.group(1))

    def read_log(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(BUSY)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = "none, it hangs"
        shutil.rmtree(self.folder)
        return status

    def put(self, source, name):
        part = self.folder / f".{name}.part"
        shutil.copyfile(source, part)
        part.rename(self.folder / name)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * BUSY)

    def ask(self, path, method="GET", body=None, headers=None, connection=None):
        c = connection or self.connect()
        c.request(method, path, body, headers or {})
        r = c.getresponse()
        data = r.read()
        if not connection:
            c.close()
        return r, data

    def status(self, path, **more):
        return self.ask(path, **more)[0].status

    def metrics(self):
        text = self.ask("/metrics")[1].decode()
        values = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values

    def resident(self):
        fields = open(f"/proc/{self.process.pid}/statm").read().split()
        return int(fields[1]) * os.sysconf("SC_PAGESIZE")


failures = []


def check(what, actual, wanted):
    if actual != wanted:
        failures.append(what)
        print(f"FAIL {what}: {actual!r}, not {wanted!r}", flush=True)


def checksum(body):
    total = 0
    for byte in body:
        total = (total * 31 + byte) & 0xFFFFFFFF
    return total


def expected(method, name, rest, query, body, test=""):
    parts = "".join("|" + p for p in query.split("&") if p)
    return (f"{method} /{name}|{rest}|{query}|{len(body)} {checksum(body)}|0{parts}|{test}|\n"
            ).encode()


def ask_hello(server, connection=None, number=0):
    body = bytes(random.randrange(256) for _ in range(random.choice([0, 1, 100, 3000])))
    query = f"n={number}&x"
    r, data = server.ask(f"/hello/a%20b/{number}?{query}", "POST", body,
                         {"X-Test": f"t{number}", "Authorization": "secret"}, connection)
    return r.status, data == expected("POST", "hello", f"/a b/{number}", query, body, f"t{number}")


def ask_hello_soon(server):
    """Of a server with short time limits, which a busy machine may exceed now and then."""
    end = time.monotonic() + BUSY
    while True:
        answer = ask_hello(server)
        if answer[0] not in (408, 504) or time.monotonic() > end:
            return answer


def test_answers(server):
    r, data = server.ask("/hello?q=1&r", headers={"X-Test": "v"})
    check("status", r.status, 200)
    check("a header of the plugin", r.getheader("X-Plugin"), "hello")
    check("answer", data, expected("GET", "hello", "", "q=1&r", b"", "v"))
    for i in range(20):
        check(f"answer {i}", ask_hello(server, number=i), (200, True))
    check("index", server.status("/"), 404)
    check("unknown plugin", server.status("/nobody"), 404)
    check("no way out of the folder", server.status("/../hello"), 404)
    check("nor so", server.status("/%2e%2e%2fhello"), 404)
    check("HEAD", server.ask("/hello", "HEAD")[1], b"")
    check("large answer", len(server.ask("/hostile/big")[1]), 4000000)
    c = server.connect()
    for i in range(50):
        check(f"kept connection {i}", ask_hello(server, c, i), (200, True))
    c.close()


def test_hostile(patient, strict):
    for what, status in OUTCOMES.items():
        server = strict if status == 504 else patient
        check(f"hostile/{what}", server.status(f"/hostile/{what}"), status)
        check(f"after hostile/{what}", ask_hello_soon(server), (200, True))
    threads = [threading.Thread(target=strict.status, args=("/hostile/loop",)) for _ in range(8)]
    for t in threads:
        t.start()
    check("while eight loop", ask_hello_soon(strict), (200, True))
    for t in threads:
        t.join()


def test_clients(server):
    with socket.create_connection(("127.0.0.1", server.port)) as s:
        s.sendall(b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
        check("body over the limit", s.recv(100).split(b" ")[1], b"413")
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    for s in idle:
        s.sendall(b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    slow = socket.create_connection(("127.0.0.1", server.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(b"GET /hostile/big HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.3)
    check("beside slow clients", ask_hello_soon(server), (200, True))
    end = time.monotonic() + BUSY
    while live(server, "hostile") and time.monotonic() < end:
        time.sleep(0.05)
    check("a slow reader's instance is gone", live(server, "hostile"), 0)
    for junk in (b"\0" * 1000, b"GET / HTTP/9.9\r\n\r\n", b"GET /hello\r\n" * 50,
                 b"POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                 b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port)) as s:
            s.sendall(junk)
    endless = socket.create_connection(("127.0.0.1", server.port))
    endless.sendall(b"POST /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    try:
        for _ in range(64):
            endless.sendall(b"10000\r\n" + b"e" * 65536 + b"\r\n")
            time.sleep(0.002)
        check("an endless body", "taken", "refused")
    except OSError:
        pass
    check("after junk", ask_hello_soon(server), (200, True))
    for s in [*idle, slow, endless]:
        s.close()


def test_late_clients(server):
    """Who sends something now and then is not idle, but late: with --client-timeout 3s."""
    def connect(start):
        s = socket.create_connection(("127.0.0.1", server.port))
        s.sendall(start)
        return s
    check("before late clients", ask_hello_soon(server), (200, True))
    before = server.metrics().get("wasmrun_late_clients_total")
    start = time.monotonic()
    late = {
        "header": connect(b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Long: "),
        "body": connect(b"POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"),
        "line": connect(b"GET /"),
    }
    ended = {}
    while len(ended) < len(late) and time.monotonic() < start + BUSY:
        time.sleep(0.2)
        for what, s in late.items():
            try:
                s.sendall(b"a")
            except OSError:
                ended.setdefault(what, time.monotonic() - start)
    check("late clients are ended", sorted(ended), sorted(late))
    check("none of them early", min(ended.values()) > 2.9, True)
    check("they are counted", server.metrics().get("wasmrun_late_clients_total") >= before + 3, True)
    check("after late clients", ask_hello_soon(server), (200, True))
    # without the empty line: nothing is left unread, so that the answer is not lost to a reset
    with connect(b"GET /hello HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"y" * 40000) as s:
        check("a header over the limit", s.recv(100).split(b" ")[1:2], [b"431"])
    check("after it", ask_hello_soon(server), (200, True))


def live(server, plugin):
    return server.metrics().get(f'wasmrun_instances{{plugin="{plugin}",state="live"}}')


def wait_for(server, path, wanted, what):
    end = time.monotonic() + BUSY
    while time.monotonic() < end:
        r, data = server.ask(path)
        if (r.status, data) == wanted or (r.status == wanted[0] and wanted[1] is None):
            return
        time.sleep(0.05)
    check(what, (r.status, data), wanted)


def test_reload(server, guests):
    server.put(guests / "serve_hello.wasm", "changing.wasm")
    wait_for(server, "/changing", (200, None), "a new plugin")
    server.put(guests / "serve_second.wasm", "changing.wasm")
    wait_for(server, "/changing", (201, b"second\n"), "a changed plugin")
    (server.folder / "changing.wasm").write_bytes(b"\0asm\1\0\0\0garbage")
    time.sleep(1)
    check("a broken change", server.ask("/changing")[1], b"second\n")
    server.put(guests / "serve_hello.wasm", "changing.wasm")
    wait_for(server, "/changing", (200, None), "a repaired plugin")
    (server.folder / "changing.wasm").unlink()
    wait_for(server, "/changing", (404, None), "a removed plugin")
    server.put(guests / "serve_second.wasm", "changing.wasm")
    wait_for(server, "/changing", (201, b"second\n"), "a plugin that comes back")
    check("an invalid module", server.status("/invalid"), 503)
    check("a module that is no program", server.status("/empty"), 503)


def test_metrics(server):
    r, data = server.ask("/metrics")
    check("type", r.getheader("Content-Type").split(";")[0], "text/plain")
    for line in data.decode().splitlines():
        ok = re.fullmatch(r'# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})? [-+.e\d]+',
                          line)
        check(f"a line of the metrics: {line}", bool(ok), True)
    m = server.metrics()
    total = sum(v for k, v in m.items()
                if k.startswith('wasmrun_requests_total{plugin="hostile"'))
    check("all are counted", m['wasmrun_request_seconds_count{plugin="hostile"}'], total)
    check("loads", m['wasmrun_loads_total{plugin="invalid",result="error"}'], 1)
    check("live instances", live(server, "hello"), 0)


SETTLED = 300  # seconds after which the pools have been full for long, on a busy machine too
# Of two plugins 64 stores each are kept, with at most 1 MiB of memory and some stack; the rest is in use.
BOUND = 2 * 64 * (1 << 20) * 3 // 2 + (64 << 20)


# --- soak ----------------------------------------------------------------------------------------


class Soak:
    def __init__(self, server, seconds):
        self.server, self.end = server, time.monotonic() + seconds
        self.lock, self.good, self.late, self.hostile, self.wrong = threading.Lock(), 0, 0, 0, []

    def note(self, kind, ok, what):
        with self.lock:
            setattr(self, kind, getattr(self, kind) + 1)
            if not ok:
                self.wrong.append(what)

    def good_ones(self):
        c = self.server.connect()
        n = 0
        while time.monotonic() < self.end:
            n += 1
            answer = ask_hello(self.server, c, n)
            kind = "late" if answer[0] == 504 else "good"  # on a busy machine anything may take too long
            self.note(kind, kind == "late" or answer == (200, True), f"hello: {answer}")
            while self.good > 2 * self.hostile + 20 and time.monotonic() < self.end:
                time.sleep(0.002)

    def hostile_ones(self):
        kinds = list(OUTCOMES)
        while time.monotonic() < self.end:
            what = random.choice(kinds)
            status = self.server.status(f"/hostile/{what}")
            ok = status in (OUTCOMES[what], 504)
            self.note("hostile", ok, f"{what}: {status}")
            while 2 * self.hostile > self.good + 20 and time.monotonic() < self.end:
                time.sleep(0.002)

    def run(self, seconds):
        jobs = [self.good_ones] * 3 + [self.hostile_ones] * 6
        threads = [threading.Thread(target=job) for job in jobs]
        for t in threads:
            t.start()
        samples = []
        while time.monotonic() < self.end:
            time.sleep(0.25)
            samples.append(self.server.resident())
        for t in threads:
            t.join()
        # Guests come and go; what leaks is there when few of them are: the lower quartiles tell.
        settled = samples[len(samples) // 5:]  # pools and arenas fill first
        half = len(settled) // 2
        early, late = (sorted(part)[len(part) // 4] for part in (settled[:half], settled[half:]))
        print(f"soak: {seconds:g} s, {self.good} good, {self.hostile} hostile requests, "
              f"{self.late} late, {len(self.wrong)} wrong; resident MiB: {early / 2**20:.1f} in the first half, "
              f"{late / 2**20:.1f} in the second, at most {max(samples) / 2**20:.1f}", flush=True)
        for what in self.wrong[:10]:
            print("   ", what)
        check("wrong answers", len(self.wrong), 0)
        check("most are in time", self.good > 10 * self.late, True)
        if seconds >= SETTLED:
            check("flat memory", late < early * 1.2 + (8 << 20), True)
        check("bounded memory", max(samples) < BOUND, True)
        end = time.monotonic() + BUSY
        while live(self.server, "hostile") and time.monotonic() < end:
            time.sleep(0.05)
        check("nothing is left", live(self.server, "hostile"), 0)


# --- the whole -----------------------------------------------------------------------------------


def start_server(args, timeout, client_timeout):
    server = Server(shlex.split(args.server), ["--timeout", timeout, "--client-timeout", client_timeout,
                                               "--max-memory", "16M", *args.option])
    server.put(args.guests / "serve_hello.wasm", "hello.wasm")
    server.put(args.guests / "serve_hostile.wasm", "hostile.wasm")
    (server.folder / "invalid.wasm").write_bytes(b"\0asm\1\0\0\0\x01\xff\xff\xff\xff\x0f")
    (server.folder / "empty.wasm").write_bytes(b"\0asm\1\0\0\0")
    (server.folder / "not a name.wasm").write_bytes(b"")
    (server.folder / "notes.txt").write_bytes(b"")
    server.start()
    return server


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server")
    parser.add_argument("guests", type=pathlib.Path)
    parser.add_argument("--soak", type=float, default=0)
    parser.add_argument("--option", action="append", default=[])
    args = parser.parse_args()
    # What exceeds time limits has to be sent away soon, and what does not must not be because the machine is busy.
    strict = start_server(args, "2s", f"{BUSY}s" if args.soak else "3s")
    servers = [strict]
    try:
        if args.soak:
            Soak(strict, args.soak).run(args.soak)
        else:
            patient = start_server(args, f"{BUSY}s", f"{BUSY}s")
            servers.append(patient)
            test_answers(patient)
            test_hostile(patient, strict)
            test_late_clients(strict)
            test_clients(strict)
            test_reload(patient, args.guests)
            test_metrics(patient)
    finally:
        for server in servers:
            check("the server's exit status", server.stop(), 0)
    if failures:
        for server in servers:
            print(server.read_log()[-3000:])
        sys.exit(f"{len(failures)} failed")
    print("serve: ok")


main()
