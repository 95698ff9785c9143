"""Writes the figures of run.py as tables."""

import statistics
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from tables import interval, quantile, table, to_json  # noqa: E402

NAMES = {"ours": "ours", "bullmq": "BullMQ (Node)", "bullmq-rust": "bullmq-official (Rust)",
         "celery": "Celery"}
# figure, title, digits, whether more is better
COSTS = (
    ("per_second", "documents/s", 0, True),
    ("redis_cpu_us", "Redis CPU µs/doc", 1, False),
    ("worker_cpu_us", "worker CPU µs/doc", 1, False),
    ("commands", "commands/doc", 1, False),
)


def ratios(rows, system, figure):
    """The system's figure divided by ours of the same round."""
    ours = {row["round"]: row[figure] for row in rows if row["system"] == "ours"}
    return [row[figure] / ours[row["round"]] for row in rows
            if row["system"] == system and ours.get(row["round"])]


def ratio_cell(rows, system, figure):
    found = ratios(rows, system, figure)
    if system == "ours" or not found:
        return "" if system == "ours" else "–"
    low, high = interval(found)
    return f"{statistics.median(found):.2f} [{low:.2f}, {high:.2f}]"


def drain(rows, concurrency):
    cells = [row for row in rows if row["workload"] == "drain" and row["concurrency"] == concurrency]
    lines = []
    for system, name in NAMES.items():
        own = [row for row in cells if row["system"] == system]
        if not own:
            continue
        line = [name, f"{own[0]['count']:,}", str(len(own))]
        for figure, _, digits, _ in COSTS:
            median = statistics.median(row[figure] for row in own)
            line += [f"{median:,.{digits}f}", ratio_cell(cells, system, figure)]
        lines.append(line)
    titles = ["system", "documents", "rounds"]
    for _, title, _, _ in COSTS:
        titles += [title, "ratio to ours"]
    return table(titles, lines)


def waits(rows, workload):
    lines = []
    for system, name in NAMES.items():
        own = [row for row in rows if row["workload"] == workload and row["system"] == system]
        pooled = [wait for row in own for wait in row["waits_ms"]]
        if pooled:
            lines.append([name, f"{own[0]['count']:,}", str(len(pooled)),
                          *(f"{value:,.1f}" for value in
                            (quantile(pooled, 0.5), quantile(pooled, 0.99), max(pooled)))])
    return table(["system", "documents", "samples", "p50 ms", "p99 ms", "max ms"], lines)


def share(rows):
    lines = []
    for system, name in NAMES.items():
        own = [row["jain"] for row in rows if row["workload"] == "share" and row["system"] == system]
        if own:
            lines.append([name, f"{statistics.median(own):.4f}", f"{min(own):.4f}"])
    return table(["system", "median", "least"], lines)


def memory(rows):
    lines = []
    for system, name in NAMES.items():
        for workload, concurrency in (("waiting", 1), ("drain", 100)):
            own = [row for row in rows if (row["workload"], row["concurrency"], row["system"])
                   == (workload, concurrency, system)]
            if own:
                total = statistics.median(row["redis_bytes"] for row in own)
                count = own[0]["count"]
                lines.append([name, f"{count:,}", f"{total:,.0f}", f"{total / count:,.3f}"])
    return table(["system", "documents waiting", "bytes", "bytes/doc"], lines)


def losses(rows):
    """The figures of W2 in which ours is worse than somebody's, with certainty."""
    found = []
    for concurrency in (1, 16, 100):
        cells = [row for row in rows
                 if row["workload"] == "drain" and row["concurrency"] == concurrency]
        for system, name in NAMES.items():
            for figure, title, _, more_is_better in COSTS:
                values = [] if system == "ours" else ratios(cells, system, figure)
                if not values:
                    continue
                low, high = interval(values)
                if low > 1 if more_is_better else high < 1:
                    found.append(f"* {title}, concurrency {concurrency}: {name} has "
                                 f"{statistics.median(values):.2f} of ours")
    return "\n".join(found) + "\n" if found else "None in W2.\n"


def render(about, rows):
    """The whole of RESULTS.md."""
    return f"""# The queue beside BullMQ and Celery

Made by `make bench-queue` (bench/queue/run.py); every cell is in results.json.

{about['cores']} shared cores, load {about['load']} at the start, {about['minutes']} minutes; seed {about['seed']}, \
{about['rounds']} rounds, {about['dropped']} of {about['cells']} cells dropped because the PING rate was more than 15 % \
off its median. Redis {about['redis']} (no AOF, no snapshots, pinned to core 0); drivers on core 1. Ours at commit \
{about['commit']} with {about['rustc']}; bullmq 6.7.0 with ioredis 5.11.1 on Node {about['node']}; bullmq-official 1.4.4; \
celery 5.7.0 on Python {about['python']}, pool of threads, `acks_late`, prefetch 1, no results. BullMQ removes what is \
completed, else defaults. Handlers do nothing. Ours writes one event per document into the job's log; nobody listens here, so those of documents that end together are not published as well; \
BullMQ writes its event stream; Celery has its events off.

Ratios are the system's figure divided by ours in the same round: median and bootstrap 95 % interval. Rounds that lost \
one of the two cells do not count. Commands are those that Redis executed, from inside scripts, too.

## W2: drain documents that wait

### Concurrency 1

{drain(rows, 1)}
### Concurrency 16

{drain(rows, 16)}
### Concurrency 100

{drain(rows, 100)}
Where ours loses:

{losses(rows)}
## W3: idle pick-up

One document at a time, from the call that enqueues it to the start of its handler. With ours that is a whole job: \
submitted, listed by the worker, then its document claimed.

{waits(rows, "pickup")}
## W7: fairness

Jobs of one document, one each 100 ms, behind a running job; a document takes 20 ms, four slots. The others have no \
jobs of documents; they serve in order of arrival, so the wait is their backlog (800 documents here).

{waits(rows, "behind")}
Jain index over twenty equal jobs of 100 documents, submitted one after another, when half of the documents have started:

{share(rows)}
## W1: memory of waiting documents

{memory(rows)}"""
