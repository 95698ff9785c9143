"""Processes of the relay's benchmark: Redis, servers, viewers, publisher; and what they cost."""

import json
import os
import selectors
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER_CORE, OTHERS_CORE = "0", "1"
ANSWER_LIMIT_S = 180
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024


class Machine:
    """The programs, built and installed once."""

    def __init__(self, target):
        self.target = target
        self.commands = {}
        self.lacking = {}

    def prepare(self, systems):
        environment = {**os.environ, "CARGO_TARGET_DIR": str(self.target)}
        cargo = ["cargo", "build", "--release", "--locked"]
        subprocess.run(cargo, cwd=HERE / "rust", env=environment, check=True)
        for system in systems:
            getattr(self, f"_{system}")(cargo, environment)

    def program(self, name):
        return str(self.target / "release" / name)

    def _ours(self, _, environment):
        # As it is handed out: this is what the image does.
        subprocess.run([HERE.parents[1] / "scripts/release.sh"], env=environment, check=True)
        self.commands["ours"] = [self.program("ragtrain-api")]

    def _socketio(self, *_):
        subprocess.run(["npm", "ci", "--omit=dev", "--silent"], cwd=HERE / "node", check=True)
        self.commands["socketio"] = ["node", str(HERE / "node/server.mjs")]

    def _fastapi(self, *_):
        python = self.target / "relay-bench-fastapi" / "bin" / "python"
        if not python.exists():
            subprocess.run(["python3", "-m", "venv", python.parents[1]], check=True)
        requirements = HERE / "fastapi/requirements.txt"
        subprocess.run([python, "-m", "pip", "-q", "install", "-r", requirements], check=True)
        self.commands["fastapi"] = [str(python), str(HERE / "fastapi/server.py")]

    def _centrifuge(self, *_):
        """Go's module proxy is not needed: Debian 12 has golang-go and the library, but its package
        golang-github-centrifugal-centrifuge-dev forgets golang-github-centrifugal-protocol-dev,
        golang-github-fzambia-eagle-dev, golang-github-igm-sockjs-go-dev and
        golang-github-mna-redisc-dev."""
        program = self.target / "relay-bench-centrifuge"
        environment = {**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
        try:
            subprocess.run(["go", "build", "-o", program, "."], cwd=HERE / "centrifuge",
                           env=environment, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.lacking["centrifuge"] = f"it could not be built ({error})"
        else:
            self.commands["centrifuge"] = [str(program)]


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Redis:
    """A server of its own on a free port, without persistence."""

    def __init__(self):
        self.address = free_address()
        port = self.address.split(":")[1]
        self.process = subprocess.Popen(
            ["taskset", "-c", OTHERS_CORE, "redis-server", "--port", port, "--bind", "127.0.0.1",
             "--save", "", "--appendonly", "no", "--maxclients", "15000"],
            stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.socket = socket.create_connection(("127.0.0.1", int(port)), timeout=30)
                break
            except OSError:
                time.sleep(0.02)
        self.reader = self.socket.makefile("rb")

    def call(self, *words):
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        self.socket.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
        line = self.reader.readline().strip().decode()
        if line.startswith("-"):
            raise RuntimeError(line)
        if line.startswith("$") and line != "$-1":
            return self.reader.read(int(line[1:]) + 2)[:-2].decode()
        return line[1:]

    def reads_of_histories(self):
        """Commands that read a stream so far, from inside functions too."""
        calls = 0
        for line in self.call("INFO", "commandstats").splitlines():
            if line.startswith(("cmdstat_xrange:", "cmdstat_xrevrange:", "cmdstat_xread:")):
                calls += int(line.split("calls=")[1].split(",")[0])
        return calls

    def stop(self):
        self.socket.close()
        self.process.kill()
        self.process.wait()


class Talker:
    """A program that answers every line with one line of JSON."""

    def __init__(self, command, first=None):
        self.errors = tempfile.TemporaryFile("w+")
        self.command = command
        self.process = subprocess.Popen(
            ["taskset", "-c", OTHERS_CORE, *command], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.errors, text=True)
        if first is not None:
            self.send(json.dumps(first))

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self):
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if ready.select(ANSWER_LIMIT_S) else ""
        if not line:
            self.process.kill()
            self.errors.seek(0)
            raise SystemExit(f"{' '.join(self.command)} gave no answer: {self.errors.read()[-2000:]}")
        return json.loads(line)

    def ask(self, line):
        self.send(line)
        return self.answer()

    def end(self):
        """Ends it; its exit code."""
        self.process.stdin.close()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.process.stdout.close()
            self.errors.close()


class Server:
    """A relay on one core."""

    def __init__(self, machine, system, redis_address, core=SERVER_CORE):
        self.system, self.redis_address, self.core = system, redis_address, core
        self.command = machine.commands[system]
        self.address = free_address()
        self.folder = tempfile.TemporaryDirectory(prefix="relay-bench-")
        self.start()

    def start(self):
        arguments, environment = [self.address, self.redis_address], dict(os.environ)
        if self.system == "ours":
            arguments = []
            environment |= {
                "REDIS_URL": f"redis://{self.redis_address}/", "RAGTRAIN_LISTEN": self.address,
                "RAGTRAIN_DATA": self.folder.name, "RAGTRAIN_DOCS_ROOT": self.folder.name,
                # All viewers of the benchmark have one address, as behind a balancer.
                "RAGTRAIN_MAX_SOCKETS_PER_ADDRESS": "50000", "RAGTRAIN_LOG": "error",
            }
        self.log = open(Path(self.folder.name) / "log", "a")
        self.process = subprocess.Popen(
            ["taskset", "-c", self.core, *self.command, *arguments],
            stdout=self.log, stderr=self.log, env=environment)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://{self.address}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        raise SystemExit(f"{self.system} is not ready: {Path(self.log.name).read_text()[-2000:]}")

    def cpu_seconds(self):
        """Seconds in the program and seconds in the kernel."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) / TICKS, int(fields[12]) / TICKS

    def memory_kib(self):
        """Resident and proportional set size, and what of it is no copy of a file."""
        wanted = {}
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, value, *_ = line.split()
            wanted[name] = int(value)
        return {"rss": wanted["Rss:"], "pss": wanted["Pss:"], "own": wanted["Anonymous:"]}

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self):
        self.kill()
        self.folder.cleanup()


def wait_for_closed_lines(patience=120):
    """Waits until the kernel has forgotten the lines of earlier cells, which it keeps a minute."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        fields = next(line.split() for line in Path("/proc/net/sockstat").read_text().splitlines()
                      if line.startswith("TCP:"))
        if int(fields[fields.index("tw") + 1]) < 1000:
            return
        time.sleep(0.5)
    raise SystemExit("others keep closing lines on this machine: its memory would tell nothing")


def kernel_kib():
    """Memory of the kernel in slab and socket buffers, both ends of every line."""
    slab = next(int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines()
                if line.startswith("Slab:"))
    buffers = sum(int(line.split()[-1]) for line in Path("/proc/net/sockstat").read_text().splitlines()
                  if line.startswith("TCP:"))
    return slab + buffers * PAGE_KIB


def kib_of_proc():
    """What of it are entries of /proc, an inode, a name and a security label each: a watcher of the
    machine that looks through /proc leaves one for every open file. Only root is told, others get
    0. Names and labels are counted as if no slab had held free places for them."""
    try:
        lines = Path("/proc/slabinfo").read_text().splitlines()[2:]
    except OSError:
        return 0
    caches = {name: [int(field) for field in fields if field.isdigit()]
              for name, *fields in map(str.split, lines)}
    # Of each: objects, places, bytes of one, places and pages of a slab, ..., number of slabs, 0.
    entries, _, _, _, pages, *_, slabs, _ = caches["proc_inode_cache"]
    beside = sum(caches[name][2] for name in ("dentry", "lsm_inode_cache") if name in caches)
    return slabs * pages * PAGE_KIB + entries * beside / 1024


def wait_for_calm(patience=10):
    """Waits until others leave the machine alone; how much of a core they use then."""
    deadline = time.monotonic() + patience
    own = os.sched_getaffinity(0)
    try:
        while True:
            share = max(taken(core) for core in (SERVER_CORE, OTHERS_CORE))
            if share < 0.1 or time.monotonic() > deadline:
                return round(share, 2)
            time.sleep(0.3)
    finally:
        os.sched_setaffinity(0, own)


def taken(core):
    """The share of a core that others take away from a loop on it."""
    os.sched_setaffinity(0, {int(core)})
    start, spent = time.monotonic(), time.process_time()
    while time.monotonic() - start < 0.2:
        pass
    return 1 - (time.process_time() - spent) / (time.monotonic() - start)


def stolen_seconds():
    """Processor time that the host gave to others while this machine wanted it."""
    return int(Path("/proc/stat").read_text().split("\n")[0].split()[8]) / TICKS
