#!/usr/bin/env python3
"""Finds the functions of ragtrain-api that run when it starts and serves live events.

usage: order_functions.py [--check] PROGRAM FILE

The kernel brings code into memory in windows of 64 KiB. The functions that a server runs are a sixth
of the program, but they are spread over most of its windows, and all of these stay resident. When
the linker is told their names it puts them side by side. So the program runs here once under
callgrind, is asked for what every server is asked for (live events by WebSocket and by poll), and
the names of what ran go into FILE, for the linker of the next build (api/build.rs). With --check: whether they do lie side by side. Needs
valgrind, redis-server and nm.
"""

import argparse
import base64
import contextlib
import json
import os
import re
import shutil
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
# 5,800 run. Fewer than this mean that it did not come as far as serving, or that valgrind could not
# read the names.
FEWEST_FUNCTIONS = 3000
# Modules that only serving reaches.
SERVING = ["websocket", "firehose"]
WINDOW = 64 * 1024
# Settings of the user are not for this run.
FOREIGN = ("RAGTRAIN_", "BLOBS_", "REDIS_", "VALGRIND_")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Client:
    """What a server is asked for."""

    def __init__(self, port):
        self.port = port
        # A proxy of the environment is not asked for what runs here.
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        with self.opener.open(request, timeout=REQUEST_LIMIT_S) as answer:
            return answer.read()

    def wait_until_ready(self, server):
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and server.poll() is None:
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
        """A job, its pause and its cancellation, seen by viewers of all jobs and of this one."""
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
            answer.close()
            line.close()


def read_until(answer, words, times):
    """Reads until the words came as often."""
    text, deadline = b"", time.monotonic() + REQUEST_LIMIT_S
    while text.count(words) < times:
        chunk = answer.read1(65536)
        if not chunk or time.monotonic() > deadline:
            raise SystemExit(f"a viewer was cut off: {text[-500:]}")
        text += chunk


@contextlib.contextmanager
def running(command, **options):
    """A process that ends with the block, however that ends."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run_under_callgrind(program, folder):
    """Serves under callgrind; the path of what it noted."""
    redis_port, port, noted = free_port(), free_port(), folder / "callgrind"
    redis = ["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", "",
             "--dir", str(folder)]
    # Names as the linker knows them, and each written out wherever it is needed.
    server = ["valgrind", "--command-line-only=yes", "--vgdb=no", "--tool=callgrind",
              "--demangle=no", "--compress-strings=no", f"--callgrind-out-file={noted}", program]
    own = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment = {**own, "REDIS_URL": f"redis://127.0.0.1:{redis_port}/",
                   "RAGTRAIN_LISTEN": f"127.0.0.1:{port}", "RAGTRAIN_DATA": str(folder / "data"),
                   "RAGTRAIN_DOCS_ROOT": str(folder), "RAGTRAIN_MODEL": str(folder / "model"),
                   "RAGTRAIN_LOG": "error"}
    said = folder / "said"
    with said.open("w") as log, running(redis, stdout=log, stderr=log), \
            running(server, env=environment, stdout=log, stderr=log) as process:
        try:
            client = Client(port)
            client.wait_until_ready(process)
            client.work()
            process.send_signal(signal.SIGTERM)
            if process.wait(timeout=REQUEST_LIMIT_S) != 0 or not noted.exists():
                raise SystemExit(f"the server ended with {process.returncode}")
        except BaseException:
            print(said.read_text(errors="replace")[-4000:], file=sys.stderr)
            raise
    return noted


def functions_of(noted, program):
    """Names of the functions of the program that ran."""
    names, object_file = {}, None
    for line in noted.read_text(errors="replace").splitlines():
        if line.startswith("ob="):
            object_file = line[3:]
        # What has no name is told as an address.
        elif line.startswith("fn=") and object_file == program and not line.startswith("fn=0x"):
            # A number behind an apostrophe counts recursions.
            names[re.sub(r"'\d+$", "", line[3:])] = None
    return list(names)


def write_order(program, order):
    for tool in ["valgrind", "redis-server"]:
        if not shutil.which(tool):
            raise SystemExit(f"{tool} is missing: scripts/setup.sh release installs it")
    with tempfile.TemporaryDirectory(prefix="ragtrain-order-") as folder:
        names = functions_of(run_under_callgrind(program, Path(folder)), program)
    unseen = [module for module in SERVING if not any(module in name for name in names)]
    if len(names) < FEWEST_FUNCTIONS or unseen:
        raise SystemExit(f"{len(names)} functions of {program} ran; modules without any: {unseen}")
    Path(order).write_text("\n".join(names) + "\n")
    print(f"{len(names)} functions of {program} -> {order}")


def check_order(program, order):
    """The functions may take twice the windows that they fill; in the order of the build it is five
    times (seen in `ragtrain`, which has them, too)."""
    wanted = set(Path(order).read_text().splitlines())
    listing = subprocess.run(["nm", "--print-size", "--defined-only", program],
                             capture_output=True, text=True, check=True).stdout
    rows = [row for row in map(str.split, listing.splitlines())
            if len(row) == 4 and row[2] in "tTwW" and row[3] in wanted]
    size = sum(int(row[1], 16) for row in rows)
    windows = len({int(row[0], 16) // WINDOW for row in rows})
    print(f"{len(rows)} functions, {size / 1e6:.1f} MB in {windows} windows of {WINDOW // 1024} KiB")
    if len(rows) < FEWEST_FUNCTIONS or windows > 2 * size / WINDOW:
        raise SystemExit(f"the functions of {order} do not lie side by side in {program}")


def main():
    parser = argparse.ArgumentParser(description="Functions of ragtrain-api for the linker.")
    parser.add_argument("--check", action="store_true", help="whether they lie side by side")
    parser.add_argument("program", type=lambda path: str(Path(path).resolve()))
    parser.add_argument("order", help="file of their names")
    options = parser.parse_args()
    # So that a run that is called off leaves no server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    (check_order if options.check else write_order)(options.program, options.order)


if __name__ == "__main__":
    main()
