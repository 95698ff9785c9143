"""Starts `ragtrain up` with a data folder of its own for a measurement, and speaks its HTTP API.

Only the standard library: a bench must run on a fresh machine.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
FINAL = {"completed", "completed_with_errors", "failed", "cancelled"}


def program(name):
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return str(target / "release" / name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`with Server([folder]) as server:` — a running system, removed with its data at the end."""

    def __init__(self, docs_roots, environment=None, data=None):
        self.data = pathlib.Path(data or tempfile.mkdtemp(prefix="ragtrain-bench-"))
        self.keep = data is not None
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [program("ragtrain"), "up", "--data", str(self.data), "--listen", f"127.0.0.1:{port}"]
        for root in docs_roots:
            command += ["--docs-root", str(root)]
        self.log = open(self.data / "up.log", "w")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )

    def __enter__(self):
        deadline = time.time() + 60
        while time.time() < deadline:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended: {(self.data / 'up.log').read_text()[-2000:]}")
            try:
                if urllib.request.urlopen(self.url + "/readyz", timeout=2).status == 200:
                    return self
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"the server is not ready: {(self.data / 'up.log').read_text()[-2000:]}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        if not self.keep:
            shutil.rmtree(self.data, ignore_errors=True)

    def call(self, method, path, body=None, raw=False):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read().decode()
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

    def train(self, sources, **options):
        """Runs a job to its end; answers (job, seconds)."""
        started = time.time()
        job = self.call("POST", "/train", {"sources": sources, **options})["job_id"]
        while True:
            view = self.call("GET", f"/jobs/{job}")
            if view["status"] in FINAL:
                return view, time.time() - started
            time.sleep(0.2)
