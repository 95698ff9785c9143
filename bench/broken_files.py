#!/usr/bin/env python3
"""Reads files as they are and broken at random, each in the limited child as the worker does it.

usage: broken_files.py [--count 2000] [--seed N] [--keep FOLDER] FILE_OR_FOLDER…   (default: samples/)

Every file has to end with an outcome: read, or a stable code. Exit code 1 when one does not, takes
longer than 60 s or more than 2 GB; what did so is kept. The seed decides the mutations.
"""

import argparse
import collections
import io
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
SECONDS, BYTES = 60, 2 << 30


def flipped(data, choose):
    """Single bytes are others."""
    data = bytearray(data)
    for _ in range(choose.choice((1, 1, 4, 16, 64))):
        data[choose.randrange(len(data))] = choose.randrange(256)
    return bytes(data)


def cut(data, choose):
    """The end is missing."""
    return data[:choose.randrange(1, len(data))]


def holed(data, choose):
    """A stretch is zeros, as after a broken download."""
    start = choose.randrange(len(data))
    length = min(choose.choice((16, 512, 4096)), len(data) - start)
    return data[:start] + bytes(length) + data[start + length:]


def doubled(data, choose):
    """A stretch stands twice."""
    start = choose.randrange(len(data))
    piece = data[start:start + choose.choice((8, 256, 4096))]
    return data[:start] + piece + data[start:]


def numbers(data, choose):
    """Numbers of the text are larger than anybody expects."""
    places = [place for place in range(len(data)) if data[place:place + 1].isdigit()]
    if not places:
        return flipped(data, choose)
    place = choose.choice(places)
    return data[:place] + choose.choice((b"99999999999", b"-1", b"4294967295", b"0")) + data[place + 1:]


PLAIN = (flipped, flipped, cut, holed, doubled, numbers)


def inside(data, choose):
    """A part of a zip is broken, and packed again as if nothing was wrong."""
    source = zipfile.ZipFile(io.BytesIO(data))
    parts = [(info.filename, source.read(info)) for info in source.infolist()]
    victims = [index for index, (_, part) in enumerate(parts) if len(part) > 1]
    if not victims:
        return flipped(data, choose)
    victim = choose.choice(victims)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for index, (name, part) in enumerate(parts):
            target.writestr(name, choose.choice(PLAIN)(part, choose) if index == victim else part)
    return packed.getvalue()


def mutated(data, choose):
    kind = inside if zipfile.is_zipfile(io.BytesIO(data)) and choose.random() < 0.7 else choose.choice(PLAIN)
    return kind.__name__, kind(data, choose)


def files_of(sources):
    for source in map(pathlib.Path, sources):
        found = sorted(source.rglob("*")) if source.is_dir() else [source]
        yield from (path for path in found if path.is_file() and 1 < path.stat().st_size < 20 << 20)


def read(path):
    """Outcome, seconds and the largest process of one run."""
    program = TARGET / "release/examples/extract"
    with tempfile.TemporaryFile("w+") as output:
        started = time.monotonic()
        process = subprocess.Popen([program, "--outcome", path], stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - started
        output.seek(0)
        text = output.read()
    try:
        outcome = json.loads(text)["outcome"] if process.returncode == 0 else None
    except (ValueError, KeyError):
        outcome = None
    return outcome, seconds, usage.ru_maxrss * 1024, text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sources", nargs="*", default=[ROOT / "samples"])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "ragtrain-broken-files")
    options = parser.parse_args()
    subprocess.run(["cargo", "build", "--release", "--locked", "--workspace", "--examples"], cwd=ROOT, check=True)
    choose, paths = random.Random(options.seed), list(files_of(options.sources))
    outcomes, bad = collections.Counter(), []
    slowest, largest = (0, ""), (0, "")
    print(f"seed {options.seed}, {len(paths)} files", flush=True)
    with tempfile.TemporaryDirectory(prefix="ragtrain-broken-files-") as folder:
        whole = [(source, "as it is", source.read_bytes()) for source in paths]
        broken = (choose.choice(paths) for _ in range(options.count))
        broken = ((source, *mutated(source.read_bytes(), choose)) for source in broken)
        for number, (source, kind, data) in enumerate(itertools.chain(whole, broken)):
            path = pathlib.Path(folder) / f"{number}{source.suffix}"
            path.write_bytes(data)
            outcome, seconds, peak, text = read(path)
            outcomes[source.suffix.lower(), outcome] += 1
            slowest, largest = max(slowest, (seconds, path.name)), max(largest, (peak, path.name))
            if outcome is None or seconds > SECONDS or peak > BYTES:
                options.keep.mkdir(parents=True, exist_ok=True)
                kept = options.keep / path.name
                kept.write_bytes(data)
                bad.append(f"{kept} ({source.name}, {kind}): {outcome}, {seconds:.1f} s, {peak >> 20} MB: {text[-300:]}")
            path.unlink()
    for (suffix, outcome), count in sorted(outcomes.items(), key=str):
        print(f"{suffix:6} {outcome or 'NO OUTCOME':24} {count:6}")
    print(f"slowest {slowest[0]:.1f} s ({slowest[1]}), largest process {largest[0] >> 20} MB ({largest[1]})")
    print("\n".join(bad) or f"all {len(paths)} files and {options.count} mutations ended with an outcome")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
