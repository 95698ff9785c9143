"""A redis-server, an api and workers as processes of their own, for benches that kill them.

Only the standard library. Programs are taken from RAGTRAIN_PROGRAMS, else as `ragtrain_server` does.
"""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

from ragtrain_server import free_port, program

FINAL = {"completed", "completed_with_errors", "failed", "cancelled"}
PREFIX = "{tq:00}:"
OUTCOMES = (
    "completed", "completed_with_warnings", "skipped_duplicate", "too_short",
    "needs_attention", "failed", "cancelled",
)


def find_program(name):
    folder = os.environ.get("RAGTRAIN_PROGRAMS")
    path = str(pathlib.Path(folder) / name) if folder else program(name)
    if not os.access(path, os.X_OK):
        raise SystemExit(f"{path} is missing: make build, or set RAGTRAIN_PROGRAMS")
    return path


class Unreachable(Exception):
    """No answer: the process is down, or died before it answered."""


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text[:300]}")
        self.status = status


class Process:
    """One program that may be killed and started again; its log goes on in one file."""

    def __init__(self, name, command, environment, log):
        self.name, self.command, self.environment, self.log = name, command, environment, log
        self.child = None
        self.starts = 0

    def start(self):
        self.starts += 1
        with open(self.log, "a") as log:
            log.write(f'{{"start":{self.starts},"at":{time.time():.3f}}}\n')
            log.flush()
            # A group of its own: an interrupt at the terminal is handled here, in order.
            self.child = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=self.environment, start_new_session=True
            )

    def signal(self, number):
        self.child.send_signal(number)

    def is_up(self):
        return self.child is not None and self.child.poll() is None

    def end(self, number, limit=60):
        """Sends a signal and waits for the end; `kill -9` when that takes too long."""
        if not self.is_up():
            return
        self.signal(number)
        try:
            self.child.wait(limit)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def tail(self, lines=15):
        return "\n".join(pathlib.Path(self.log).read_text(errors="replace").splitlines()[-lines:])


class Redis:
    """The few commands that a look at the queue needs."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.stream = self.socket.makefile("rb")

    def __call__(self, *words):
        words = [str(word).encode() for word in words]
        parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(parts))
        return self._answer()

    def _answer(self):
        line = self.stream.readline()
        if not line:
            raise Unreachable("redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Refused(0, rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.stream.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return None if rest == b"-1" else [self._answer() for _ in range(int(rest))]
        return rest.decode()

    def scan(self, pattern):
        cursor, found = "0", set()
        while True:
            cursor, keys = self("SCAN", cursor, "MATCH", pattern, "COUNT", 500)
            found.update(keys)
            if cursor == "0":
                return sorted(found)


class System:
    """`with System(folder, roots) as system:` — everything runs; it is all stopped at the end."""

    def __init__(self, folder, roots, workers=3, slots=2, settings=None):
        self.folder = pathlib.Path(folder)
        (self.folder / "redis").mkdir(parents=True)
        (self.folder / "no-model").mkdir()
        self.redis_port, self.port = free_port(), free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RAGTRAIN_")},
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "RAGTRAIN_DATA": str(self.folder / "data"),
            "RAGTRAIN_MODEL": str(self.folder / "no-model"),
            "RAGTRAIN_WORKERS": str(slots),
            "RAGTRAIN_LISTEN": f"127.0.0.1:{self.port}",
            "RAGTRAIN_DOCS_ROOT": ":".join(str(root) for root in roots),
            "RAGTRAIN_LOG": os.environ.get("RAGTRAIN_LOG", "info"),
            **(settings or {}),
        }
        redis = [
            "redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction",
            "--dir", str(self.folder / "redis"),
        ]
        made = lambda name, command: Process(name, command, environment, self.folder / f"{name}.log")
        self.redis = made("redis", redis)
        self.api = made("api", [find_program("ragtrain-api")])
        worker = [find_program("ragtrain-worker")]
        self.workers = [made(f"worker{number}", worker) for number in range(1, workers + 1)]
        # Those that are started at once.
        self.first = self.workers
        self.local = threading.local()

    def processes(self):
        return [self.redis, self.api, *self.workers]

    def __enter__(self):
        try:
            for process in (self.redis, self.api, *self.first):
                process.start()
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for process in reversed(self.processes()):
            if process.is_up():
                process.signal(signal.SIGCONT)
                process.end(signal.SIGKILL)

    def wait_ready(self, limit=60):
        deadline = time.time() + limit
        while time.time() < deadline:
            try:
                self.call("GET", "/readyz", raw=True)
                return
            except (Unreachable, Refused):
                time.sleep(0.05)
        raise SystemExit(f"the system is not ready:\n{self.api.tail()}")

    def connect_redis(self):
        return Redis(self.redis_port)

    def call(self, method, path, body=None, headers=None, raw=False, limit=30):
        """One request; every thread keeps its connection as long as the api lives."""
        connection = getattr(self.local, "connection", None)
        fresh = connection is None
        if fresh:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit)
        self.local.connection = None
        connection.timeout = limit
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, data, {"content-type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            if not fresh and (method == "GET" or path == "/search"):
                # The kept connection was that of an api which is gone.
                return self.call(method, path, body, headers, raw, limit)
            raise Unreachable(str(error)) from error
        self.local.connection = connection
        if answer.status >= 300:
            raise Refused(answer.status, text)
        return text if raw else json.loads(text)

    def listing(self, path, field):
        """All rows of a listing with cursors."""
        rows, cursor = [], None
        while True:
            query = {"limit": 1000, **({"cursor": cursor} if cursor else {})}
            page = self.call("GET", f"{path}?{urllib.parse.urlencode(query)}")
            rows += page[field]
            cursor = page["next_cursor"]
            if not cursor:
                return rows
