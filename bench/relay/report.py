"""Writes the figures of run.py as tables."""

import math
import statistics
import sys
from pathlib import Path

import faults

sys.path.append(str(Path(__file__).resolve().parents[1]))
from tables import interval, table, to_json  # noqa: E402

NAMES = {"ours": "ours", "socketio": "Socket.IO + redis-adapter", "fastapi": "FastAPI + redis.asyncio",
         "centrifuge": "Centrifuge 0.15"}
FLOWS = {"fan": "1 job × 1,000 viewers, 40 messages a second: 40,000 deliveries a second",
         "many": "500 jobs × 4 viewers, 3,000 messages a second: 12,000 deliveries a second",
         "everything": "200 viewers of all of 20 jobs, 60 messages a second: 12,000 deliveries a second"}
# A publisher that is later than this measures itself.
LATE_US = 1000
# Cells in which somebody else used the machine do not count.
OTHERS = 0.3
STOLEN = 0.05


class Cells:
    """The rows of one cell of the benchmark."""

    def __init__(self, rows, cell):
        self.rows = [row for row in rows if row["cell"] == cell]

    def systems(self):
        return [system for system in NAMES if any(row["system"] == system for row in self.rows)]

    def values(self, system, figure):
        return [row[figure] for row in self.rows if row["system"] == system and figure in row]

    def median(self, system, figure):
        return statistics.median(self.values(system, figure) or [math.nan])

    def ratios(self, system, figure):
        """The system's figure divided by ours of the same round."""
        ours = {row["round"]: row[figure] for row in self.rows if row["system"] == "ours"}
        return [row[figure] / ours[row["round"]] for row in self.rows
                if row["system"] == system and ours.get(row["round"])]

    def shown(self, system, figure, scale=1, digits=1):
        """Median, and least and most."""
        values = [value / scale for value in self.values(system, figure)]
        if not values:
            return "–"
        middle, least, most = statistics.median(values), min(values), max(values)
        return f"{middle:,.{digits}f} ({least:,.{digits}f}–{most:,.{digits}f})"

    def ratio(self, system, figure):
        found = self.ratios(system, figure)
        if system == "ours" or not found:
            return ""
        low, high = interval(found)
        return f"{statistics.median(found):.2f} [{low:.2f}, {high:.2f}]"


def fault_table(rows):
    lines = []
    systems = None
    for name, (title, _) in faults.SCORED.items():
        cells = Cells(rows, name)
        systems = systems or cells.systems()
        line = [title]
        for system in systems:
            counts = [sum(cells.values(system, figure)) for figure in ("lost", "repeated", "reordered")]
            dark = max(cells.values(system, "dark_s"), default=0)
            grown = max(cells.values(system, "grown_mib"), default=None)
            line.append(" / ".join(f"{count:,}" for count in counts) + f" / {dark:.1f}"
                        + (f", {grown:+.0f} MiB" if grown is not None else ""))
        lines.append(line)
    return table(["fault", *(NAMES[system] for system in systems or ())], lines)


def idle(rows):
    cells = Cells(rows, "idle")
    lines = []
    for system in cells.systems():
        both = cells.median(system, "rss_kib") + cells.median(system, "kernel_kib")
        lines.append([NAMES[system], cells.shown(system, "rss_kib"), cells.ratio(system, "rss_kib"),
                      cells.shown(system, "pss_kib"), cells.shown(system, "kernel_kib"),
                      cells.shown(system, "of_proc_kib"),
                      f"{1e9 / 1024 / both:,.0f}", cells.shown(system, "empty_kib", 1024)])
    return table(["system", "RSS KiB a socket", "ratio to ours", "PSS KiB a socket",
                  "kernel KiB a socket", "left out, KiB a socket", "sockets a GB",
                  "RSS MiB without sockets"], lines)


def punctual(rows):
    """Rounds in which the publisher itself was on time."""
    return [row for row in rows if row.get("late_p99_us", 0) <= LATE_US]


def flow(rows, name):
    cells = Cells(rows, name)
    lines = []
    for system in cells.systems():
        timely = Cells(punctual(cells.rows), name)
        lines.append([
            NAMES[system], cells.shown(system, "cpu_us"), cells.ratio(system, "cpu_us"),
            cells.shown(system, "program_us"), cells.shown(system, "kernel_us"),
            *(timely.shown(system, figure, 1000) for figure in ("p50_us", "p99_us", "p999_us")),
            f"{len(timely.values(system, 'p50_us'))} of {len(cells.values(system, 'p50_us'))}",
            cells.shown(system, "rss_mib", digits=0), cells.ratio(system, "rss_mib"),
            cells.shown(system, "own_mib", digits=1), cells.ratio(system, "own_mib")])
    return table(["system", "CPU µs a message", "ratio to ours", "in the program", "in the kernel", "p50 ms", "p99 ms", "p99.9 ms",
                  "punctual rounds", "RSS MiB", "ratio to ours", "without pages of files MiB",
                  "ratio to ours"], lines)


def resume(rows, name):
    cells = Cells(rows, name)
    return table(["system", "came back whole", "p50 ms", "p99 ms", "most ms"], [
        [NAMES[system], f"{sum(cells.values(system, 'whole')):,} of {100 * len(cells.values(system, 'whole')):,}",
         *(cells.shown(system, figure, 1000) if any(cells.values(system, "whole")) else "–"
           for figure in ("p50_us", "p99_us", "max_us"))]
        for system in cells.systems()])


def storm(rows):
    cells = Cells(rows, "storm")
    return table(["system", "all connected, s", "all whole, s", "reads of Redis a job",
                  "server CPU s", "ratio to ours", "messages lost"], [
        [NAMES[system], cells.shown(system, "joined_s"),
         cells.shown(system, "whole_s") if min(cells.values(system, "whole")) == 10_000 else "never",
         cells.shown(system, "reads_a_job", digits=2), cells.shown(system, "cpu_s"),
         cells.ratio(system, "cpu_s"), f"{sum(cells.values(system, 'lost')):,}"]
        for system in cells.systems()])


def targets(rows):
    """Each target of the relay beside what was measured: title, measured, wanted, held."""
    lines = []

    def line(title, value, limit, unit):
        lines.append([title, f"{value:,.2f} {unit}".strip(), f"≤ {limit:g} {unit}".strip(),
                      "yes" if value <= limit else "**no**"])

    for name in faults.SCORED:
        cells = Cells(rows, name)
        if cells.rows:
            wrong = sum(sum(cells.values("ours", figure)) for figure in ("lost", "repeated", "reordered"))
            line(f"messages lost, repeated or out of order: {faults.SCORED[name][0]}", wrong, 0, "")

    def versus(cell, figure, title):
        cells = Cells(rows, cell)
        best = min((cells.median(system, figure) for system in cells.systems() if system != "ours"),
                   default=math.nan)
        if not math.isnan(best):
            line(f"{title}, ours by the best of the others", cells.median("ours", figure) / best, 0.7, "")

    have = {row["cell"] for row in rows if row["system"] == "ours"}
    if "idle" in have:
        cells = Cells(rows, "idle")
        line("RSS an idle socket", cells.median("ours", "rss_kib"), 6, "KiB")
        both = cells.median("ours", "rss_kib") + cells.median("ours", "kernel_kib")
        line("the same with the kernel's memory (100,000 a GB)", both, 1e9 / 1024 / 100_000, "KiB")
        versus("idle", "rss_kib", "RSS an idle socket")
    for name, title in (("fan", "40,000 a second to one job"), ("many", "12,000 a second over 500 jobs"),
                        ("everything", "12,000 a second to viewers of all jobs")):
        if name in have:
            cells = Cells(rows, name)
            if name == "fan":
                line("CPU a message at 40,000 a second", cells.median("ours", "cpu_us"), 10, "µs")
            else:
                timely = Cells(punctual(cells.rows), name)
                line(f"p99 at {title}", timely.median("ours", "p99_us") / 1000, 5, "ms")
            versus(name, "cpu_us", f"CPU a message, {title}")
            versus(name, "rss_mib", f"RSS, {title}")
    if "resume" in have:
        line("500 missed messages, p99", Cells(rows, "resume").median("ours", "p99_us") / 1000, 10, "ms")
    if "resume_cold" in have:
        line("the same after the server forgot the job",
             Cells(rows, "resume_cold").median("ours", "p99_us") / 1000, 10, "ms")
    if "storm" in have:
        cells = Cells(rows, "storm")
        line("10,000 come back whole", cells.median("ours", "whole_s"), 10, "s")
        line("reads of Redis a job meanwhile", cells.median("ours", "reads_a_job"), 1, "")
    return lines


def missed(rows):
    """Titles of the targets that do not hold."""
    return [line[0] for line in targets(undisturbed(rows)) if line[3] != "yes"]


def undisturbed(rows):
    """The cells that others left alone."""
    return [row for row in rows if row["others"] <= OTHERS and row["stolen"] <= STOLEN]


def losses(rows):
    """The figures in which ours is worse than somebody's, with certainty."""
    figures = [("idle", "rss_kib", "RSS an idle socket"), ("idle", "empty_kib", "RSS without sockets"),
               ("idle", "kernel_kib", "kernel memory a socket"),
               ("resume", "p99_us", "p99 of coming back"),
               ("resume_cold", "p99_us", "p99 of coming back to a forgotten job"), ("storm", "joined_s", "time until 10,000 are connected"),
               ("storm", "reads_a_job", "reads of Redis in the storm"), ("storm", "cpu_s", "CPU in the storm")]
    figures += [(name, figure, f"{title} ({name})") for name in FLOWS for figure, title in (
        ("cpu_us", "CPU a message"), ("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p99.9"), ("rss_mib", "RSS"))]
    found = []
    for cell, figure, title in figures:
        cells = Cells(punctual(rows) if figure.startswith("p") else rows, cell)
        for system in cells.systems():
            values = [] if system == "ours" else cells.ratios(system, figure)
            if cell.startswith("resume") and not all(cells.values(system, "whole")):
                continue
            if values and interval(values)[1] < 1:
                found.append(f"* {title}: {NAMES[system]} has {statistics.median(values):.2f} of ours")
    return "\n".join(found) + "\n" if found else "None.\n"


def merged(stored, about, rows):
    """Stored results in which the cells that were measured again stand in place of the old ones."""
    again = {(row["system"], row["cell"]) for row in rows}
    kept = [row for row in stored["cells"] if (row["system"], row["cell"]) not in again]
    told = f"Measured again, by themselves, at commit {about['commit']} ({about['build']}): " + ", ".join(
        f"{cell} of {NAMES[system]}" for system, cell in sorted(again)) + "."
    before = stored["about"].get("again", "")
    return {**stored["about"], "again": f"{before} {told}".strip()}, kept + rows


def render(about, rows):
    """The whole of RESULTS.md."""
    quiet = undisturbed(rows)
    lacking = "".join(f" {NAMES[system]}: {why}." for system, why in about["lacking"].items())
    flows = "\n".join(f"### {title}\n\n{flow(quiet, name)}" for name, title in FLOWS.items())
    return f"""# Live events beside Socket.IO, FastAPI and Centrifuge

Made by `make bench-relay` (bench/relay/run.py); every cell is in results.json.

{about['cores']} shared cores, load {about['load']} at the start, {about['minutes']} minutes; seed {about['seed']}, \
{about['rounds']} rounds (the first and every fourth after it for idle sockets, for coming back and for faults), {len(rows) - len(quiet)} of {len(rows)} cells dropped because others used more than {OTHERS} of a \
core just before or the host took more than {STOLEN} away. The server has core 0; Redis {about['redis']} (no persistence), publisher and viewers share core 1. Ours: \
`ragtrain-api` at commit {about['commit']} ({about.get('build', 'make build')}), {about['rustc']}. Socket.IO 4.8.4 with redis-adapter 8.3.0 on Node {about['node']}; \
FastAPI 0.165 on uvicorn 0.54 with uvloop, httptools and websockets, redis 8.1 with hiredis, on {about['python']}, one \
subscription for all viewers; Centrifuge is Debian's library of 2021 with Redis streams, on {about['go']}, and its messages \
are published by a second process of it beside Redis. All messages are JSON of the same length (about 600 bytes); nobody \
compresses.{lacking} {about.get('again', '')}

Ratios are the system's figure divided by ours in the same round: median and bootstrap 95 % interval. Other figures are \
medians with the least and the most.

## Faults

100 viewers of one job, 50 messages a second for eight seconds. In each field, over all rounds: messages **lost / repeated / \
out of order / the longest silence of any viewer in seconds** while messages were published. A round has about 45,000 deliveries. \
Viewers that lose their line come back after 0.1 to 0.5 s; they say where they were as the system's own client does.

{fault_table(rows)}
This adapter of Socket.IO (its redis-streams-adapter can replay) and a plain subscription keep no history: what is \
published meanwhile is gone, and so is what was published before a viewer came. Centrifuge keeps one.

## Targets

{table(["target", "measured", "wanted", "held"], targets(quiet))}
## Idle sockets

10,000 viewers of 100 jobs, half a minute after the last one came. The kernel's memory is that of slab and socket buffers, \
halved, because both ends are on this machine. Entries of /proc are left out: a watcher of the machine that looks through it \
leaves one for every open file. Only root is told their size. The names and labels among it, 224 bytes an entry here, may have \
filled places that were free before; so much too little is told then.

{idle(quiet)}
## Steady flow

Every message arrived, once and in order, or the run would have ended. Latency is from due to received, by a generator on \
core 1 that has all viewers to itself and so adds to it; rounds in which the publisher itself was more than 1 ms late (p99) \
have none.

{flows}
## Coming back

100 viewers of one job miss 500 messages of it and come back one after another; from the begin of the connection to the \
last message. Of 100 values the p99 is the largest.

{resume(quiet, "resume")}
The same with a job for each viewer, away for more than five seconds, so that the server has to read each history again.

{resume(quiet, "resume_cold")}
10,000 viewers of 100 jobs lose their server, miss five messages and come back at once to one that has just started. The \
generator opens at most 256 connections at a time.

{storm(quiet)}
## Where ours loses

{losses(quiet)}"""
