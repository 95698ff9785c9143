#!/usr/bin/env python3
"""Finds the functions of ragtrain-api that run when it starts and serves live events.

usage: order_functions.py PROGRAM FILE

The kernel brings code into memory in windows of 64 KiB. The functions that a server runs are a tenth
of the program, but they are spread over two thirds of its windows, and all of these stay resident.
When the linker is told their names it puts them side by side. So the program runs here once under
callgrind, is asked for what every server is asked for, and the names of what ran go into FILE, for
the linker of the next build (api/build.rs). Needs valgrind, redis-server and a linker that takes
--symbol-ordering-file (that of Rust on x86_64 does).
"""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

START_LIMIT_S = 120
REQUEST_LIMIT_S = 60
# Fewer means that the program did not come as far as serving.
FEWEST_FUNCTIONS = 1000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """What a server is asked for."""

    def __init__(self, port):
        self.port = port

    def ask(self, path, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=REQUEST_LIMIT_S) as answer:
            return answer.read()

    def until_ready(self, process):
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                return self.ask("/readyz")
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise SystemExit("the server did not become ready")

    def watch(self, path):
        """An open WebSocket."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout=REQUEST_LIMIT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nUpgrade: websocket\r\n"
                     f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     f"Sec-WebSocket-Key: {key}\r\n\r\n".encode())
        answer = line.makefile("rb")
        if b" 101 " not in answer.readline():
            raise SystemExit(f"{path} is not upgraded")
        return line, answer

    def work(self):
        """A job, its pause and its cancellation, seen by viewers of every kind."""
        for path in ["/", "/jobs", "/documents", "/status", "/metrics"]:
            self.ask(path)
        everything = [self.watch("/ws") for _ in range(2)]
        job = json.loads(self.ask("/train", {}))["job_id"]
        viewers = everything + [self.watch(f"/ws/{job}") for _ in range(2)]
        for change in ["pause", "resume", "cancel"]:
            self.ask(f"/jobs/{job}/{change}", {})
        self.ask(f"/jobs/{job}/events?format=json&wait=0")
        for line, answer in viewers:
            # Queued, paused, resumed, cancelled. No worker is here to end the job.
            read_until(answer, b'"type":"job"', 4)
            line.close()


def read_until(answer, words, times):
    """Reads until the words came as often."""
    text, deadline = b"", time.monotonic() + REQUEST_LIMIT_S
    while text.count(words) < times:
        chunk = answer.read1(65536)
        if not chunk or time.monotonic() > deadline:
            raise SystemExit(f"a viewer was cut off: {text[-500:]}")
        text += chunk


def run_under_callgrind(program, folder):
    """Serves under callgrind; the path of what it noted."""
    redis_port, port, noted = free_port(), free_port(), folder / "callgrind"
    redis = subprocess.Popen(["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1",
                              "--save", "", "--dir", folder], stdout=subprocess.DEVNULL)
    environment = {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{redis_port}/",
                   "RAGTRAIN_LISTEN": f"127.0.0.1:{port}", "RAGTRAIN_DATA": str(folder / "data"),
                   "RAGTRAIN_DOCS_ROOT": str(folder), "RAGTRAIN_MODEL": str(folder / "model"),
                   "RAGTRAIN_LOG": "error"}
    server = subprocess.Popen(
        ["valgrind", "--tool=callgrind", "--demangle=no", "--compress-strings=no",
         f"--callgrind-out-file={noted}", program],
        env=environment, stderr=subprocess.PIPE, text=True)
    try:
        client = Client(port)
        client.until_ready(server)
        client.work()
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=REQUEST_LIMIT_S)
    finally:
        for process in (server, redis):
            process.kill()
            process.wait()
    return noted


def functions_of(noted, program):
    """Names of the functions of the program that ran, as the linker knows them."""
    names, object_file = {}, None
    for line in noted.read_text(errors="replace").splitlines():
        if line.startswith("ob="):
            object_file = line[3:]
        elif line.startswith("fn=") and object_file == program:
            # A number behind an apostrophe counts recursions.
            names[re.sub(r"'\d+$", "", line[3:])] = None
    return list(names)


def main(program, order):
    program = str(Path(program).resolve())
    with tempfile.TemporaryDirectory(prefix="ragtrain-order-") as folder:
        names = functions_of(run_under_callgrind(program, Path(folder)), program)
    if len(names) < FEWEST_FUNCTIONS:
        raise SystemExit(f"only {len(names)} functions of {program} ran")
    Path(order).write_text("\n".join(names) + "\n")
    print(f"{len(names)} functions of {program} -> {order}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
