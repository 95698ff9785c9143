"""Compares the live events of ragtrain with Socket.IO, FastAPI and Centrifuge, side by side.

    python3 bench/relay/run.py [--rounds 5] [--systems ours,socketio] [--cells fan,storm] [--out FOLDER]

Every cell has its own redis-server, server, publisher and crowd of viewers. Within a round the
systems come in random order, scenario by scenario. Servers have core 0 for themselves; Redis,
publisher and viewers share core 1. Messages are published in an open loop and carry the time at
which they were due; viewers keep account of every one. A message that is lost, repeated or out of
order ends the benchmark with 1: with ours everywhere, with the others in the steady flows; under
faults and after coming back theirs are counted. A target that is missed makes it end with 1, too.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import faults
import report
import scenarios
from machine import Machine, stolen_seconds, wait_for_calm, wait_for_closed_lines

HERE = Path(__file__).resolve().parent
# Counts of faults, and what takes long, need fewer rounds than processor times do.
FAULTS_EVERY = 4
EVERY = {"idle": 4, "resume": 4, "resume_cold": 4, "storm": 4}
SYSTEMS = ("ours", "socketio", "fastapi", "centrifuge")


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return "?"


def versions(target):
    python = target / "relay-bench-fastapi" / "bin" / "python"
    return {
        "redis": said("redis-server", "--version").split("v=")[-1].split(" ")[0],
        "node": said("node", "--version"), "python": said(python, "--version"),
        "go": said("go", "version").removeprefix("go version "),
        "rustc": said("rustc", "--version"), "build": "make release",
        "commit": said("git", "-C", str(HERE), "describe", "--always", "--dirty"),
        "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
    }


def run_round(machine, number, order, wanted, systems, rows):
    cells = [(name, run, False) for name, run in scenarios.MEASURED.items()]
    if number % FAULTS_EVERY == 0:
        cells += [(name, run, True) for name, (_, run) in faults.SCORED.items()]
    for name, run, is_fault in cells:
        if wanted and name not in wanted or number % EVERY.get(name, 1):
            continue
        order.shuffle(systems)
        for system in systems:
            if name == "idle":  # Its memory would shrink while the kernel forgets other cells' lines.
                wait_for_closed_lines()
            calm, start, stolen = wait_for_calm(), time.monotonic(), stolen_seconds()
            figures = run(machine, system)
            stolen = (stolen_seconds() - stolen) / (time.monotonic() - start)
            rows.append({"round": number, "system": system, "cell": name, "fault": is_fault,
                         "others": calm, "stolen": round(stolen, 3), **figures})
            shown = {key: round(value, 2) if isinstance(value, float) else value
                     for key, value in figures.items()}
            print(number, system, name, calm, shown, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--cells", default="")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of RESULTS.md, results.json")
    parser.add_argument("--again", action="store_true",
                        help="put the cells into the stored results, in place of the same ones")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE / "rust/target")).resolve()
    machine = Machine(target)
    machine.prepare(options.systems.split(","))
    systems = list(machine.commands)
    about = {**versions(target), "lacking": machine.lacking, "seed": options.seed}
    order, rows, start = random.Random(options.seed), [], time.monotonic()
    wanted = set(filter(None, options.cells.split(",")))
    stored = json.loads((options.out / "results.json").read_text()) if options.again else None
    print(f"seed {options.seed}", flush=True)
    # Whatever measures must not run on the servers' core.
    os.sched_setaffinity(0, {1})
    for number in range(options.rounds):
        run_round(machine, number, order, wanted, systems, rows)
        about |= {"minutes": round((time.monotonic() - start) / 60, 1), "rounds": number + 1}
        told = report.merged(stored, about, rows) if stored else (about, rows)
        (options.out / "results.json").write_text(report.to_json(*told, digits=4))
        (options.out / "RESULTS.md").write_text(report.render(*told))
    print(f"{options.out / 'RESULTS.md'} written")
    missed = report.missed(rows)
    print("\n".join(f"missed: {target}" for target in missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
