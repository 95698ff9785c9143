"""Compares our queue with BullMQ (Node and Rust) and Celery, side by side on one machine.

    python3 bench/queue/run.py [--rounds 7] [--seed N] [--systems ours,bullmq] [--out FOLDER]

Every cell (system, workload, concurrency) has a fresh driver process on an emptied redis-server;
within a round the cells come in random order. Redis is pinned to core 0, the drivers to core 1.

A driver is called with `<redis url> <workload> <count> <concurrency>`. It prepares the workload,
prints a line, waits for a line, does the work and prints its result as one line of JSON. What the
work cost is measured here, in the same way for all: the processor time of Redis from INFO, that of
the driver from its entry in /proc, between the two lines.

Before each cell up to one second is waited for a PING rate of 85 % of the best one at the start.
A cell whose PING rate was more than 15 % off the median of all all the same is dropped.
"""

import argparse
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import report

HERE = Path(__file__).resolve().parent
REDIS_CORE, DRIVER_CORE = "0", "1"
CELL_LIMIT_S = 120
TICKS = os.sysconf("SC_CLK_TCK")

SYSTEMS = ("ours", "bullmq", "bullmq-rust", "celery")
# workload, concurrency, documents by system ("" = all others)
CELLS = (
    ("drain", 1, {"": 3000, "celery": 1000}),
    ("drain", 16, {"": 10000, "celery": 1000}),
    ("drain", 100, {"": 10000, "ours": 30000, "celery": 1000}),
    ("pickup", 1, {"": 100}),
    ("behind", 4, {"": 800, "ours": 1_000_000}),
    ("share", 16, {"": 100}),
    ("waiting", 1, {"ours": 1_000_000}),
)


class Redis:
    """A connection that speaks just enough of the protocol."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.reader = self.socket.makefile("rb")

    def call(self, *words):
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        self.socket.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
        return self.reply()

    def reply(self):
        line = self.reader.readline().strip().decode()
        kind, rest = line[:1], line[1:]
        if kind == "-":
            raise RuntimeError(rest)
        if kind == "$":
            return self.reader.read(int(rest) + 2)[:-2].decode() if rest != "-1" else None
        if kind == "*":
            return [self.reply() for _ in range(int(rest))]
        return int(rest) if kind == ":" else rest

    def info(self):
        lines = self.call("INFO").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def wait_for_calm(self, wanted, patience=1):
        """Waits a little for the others on this machine; returns the PING rate then."""
        deadline = time.monotonic() + patience
        while (rate := self.ping_rate()) < wanted and time.monotonic() < deadline:
            pass
        return rate

    def ping_rate(self, seconds=0.3):
        """Round trips per second: how loaded the machine is right now."""
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            self.call("PING")
            count += 1
        return count / (time.perf_counter() - start)


def start_redis():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        ["taskset", "-c", REDIS_CORE, "redis-server", *options], stdout=subprocess.DEVNULL)
    for _ in range(100):
        try:
            return process, port, Redis(port)
        except OSError:
            time.sleep(0.05)
    sys.exit("redis-server did not start")


def prepare(target):
    """Builds and installs the drivers; returns the command of each."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=HERE / "rust",
                   env=environment, check=True)
    subprocess.run(["npm", "install", "--omit=dev", "--omit-lockfile-registry-resolved", "--silent"],
                   cwd=HERE / "node", check=True)
    python = target / "queue-bench-celery" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
    subprocess.run([python, "-m", "pip", "-q", "install", "-r", HERE / "celery/requirements.txt"],
                   check=True)
    programs = target / "release"
    return {
        "ours": [programs / "ours"],
        "bullmq": ["node", HERE / "node/driver.mjs"],
        "bullmq-rust": [programs / "bullmq_rs"],
        "celery": [python, HERE / "celery/driver.py"],
    }


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def redis_cost(info):
    return (float(info["used_cpu_user"]) + float(info["used_cpu_sys"]),
            int(info["total_commands_processed"]))


def run_cell(redis, port, calm, command, workload, concurrency, count):
    """Runs one cell and returns its figures."""
    redis.call("FLUSHALL")
    redis.call("FUNCTION", "FLUSH")
    ping = redis.wait_for_calm(calm)
    empty = int(redis.info()["used_memory"])
    arguments = [f"redis://127.0.0.1:{port}", workload, str(count), str(concurrency)]
    with tempfile.TemporaryFile("w+") as errors:
        driver = subprocess.Popen(
            ["taskset", "-c", DRIVER_CORE, *map(str, command), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True)
        limit = threading.Timer(CELL_LIMIT_S, driver.kill)
        limit.start()

        def line():
            text = driver.stdout.readline()
            if not text:
                errors.seek(0)
                sys.exit(f"{command} {arguments} ended: {errors.read()[-2000:]}")
            return json.loads(text)

        line()
        before, worker_before = redis.info(), cpu_seconds(driver.pid)
        driver.stdin.write("\n")
        driver.stdin.flush()
        result = line()
        after = redis.info()
        _, status, usage = os.wait4(driver.pid, 0)
        limit.cancel()
        driver.returncode = os.waitstatus_to_exitcode(status)
    redis_before, commands_before = redis_cost(before)
    redis_after, commands_after = redis_cost(after)
    figures = {
        "ping": round(ping),
        "redis_bytes": int(before["used_memory"]) - empty,
        "redis_cpu_us": (redis_after - redis_before) * 1e6 / count,
        "worker_cpu_us": (usage.ru_utime + usage.ru_stime - worker_before) * 1e6 / count,
        "commands": (commands_after - commands_before) / count,
    }
    if "seconds" in result:
        figures["per_second"] = count / result["seconds"]
    if "shares" in result:
        total, squares = sum(result["shares"]), sum(n * n for n in result["shares"])
        figures["jain"] = total * total / (len(result["shares"]) * squares)
    if "waits_ms" in result:
        figures["waits_ms"] = [round(wait, 2) for wait in result["waits_ms"]]
    return figures


def cells_of(systems):
    for workload, concurrency, counts in CELLS:
        for system in systems:
            count = counts.get(system, counts.get(""))
            if count:
                yield system, workload, concurrency, count


def drop_disturbed(rows):
    """Drops the cells that ran while the machine was much slower or faster than usual."""
    median = statistics.median(row["ping"] for row in rows)
    kept = [row for row in rows if abs(row["ping"] / median - 1) <= 0.15]
    return kept, len(rows) - len(kept)


def versions(redis):
    def said(*command):
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return {
        "redis": redis.info()["redis_version"], "node": said("node", "--version"),
        "python": sys.version.split()[0], "rustc": said("rustc", "--version"),
        "commit": said("git", "-C", str(HERE), "rev-parse", "--short", "HEAD"),
        "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=60, help="begin no round after this time")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--workloads", default="drain,pickup,behind,share,waiting")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of RESULTS.md, results.json")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "rust/target")).resolve()
    commands = prepare(target)
    # PING is measured over the same way that the drivers' calls take: from core to core.
    os.sched_setaffinity(0, {int(DRIVER_CORE)})
    process, port, redis = start_redis()
    print(f"seed {options.seed}", flush=True)
    order, rows, start = random.Random(options.seed), [], time.monotonic()
    try:
        about = versions(redis)
        calm = 0.85 * max(redis.ping_rate() for _ in range(10))
        for number in range(options.rounds):
            if time.monotonic() - start > 60 * options.minutes:
                break
            cells = [cell for cell in cells_of(options.systems.split(","))
                     if cell[1] in options.workloads.split(",")]
            order.shuffle(cells)
            for system, workload, concurrency, count in cells:
                figures = run_cell(redis, port, calm, commands[system], workload, concurrency, count)
                rows.append({"round": number, "system": system, "workload": workload,
                             "concurrency": concurrency, "count": count, **figures})
                shown = {name: round(value, 2) for name, value in figures.items()
                         if not isinstance(value, list)}
                print(number, system, workload, concurrency, shown, flush=True)
    finally:
        process.terminate()
        process.wait()
    kept, dropped = drop_disturbed(rows)
    about |= {"seed": options.seed, "rounds": rows[-1]["round"] + 1, "cells": len(rows),
              "dropped": dropped, "minutes": round((time.monotonic() - start) / 60, 1)}
    (options.out / "results.json").write_text(report.to_json(about, rows, digits=3))
    (options.out / "RESULTS.md").write_text(report.render(about, kept))
    print(f"{options.out / 'RESULTS.md'} written; {dropped} of {len(rows)} cells dropped")


if __name__ == "__main__":
    main()
