#!/usr/bin/env python3
"""Kills workers, the api and redis-server at random while jobs train, then looks for what was lost or doubled.

usage: chaos.py [--kills 200] [--seed N] [--corpus FOLDER] [--workers 3] [--out FILE.json] [--keep FOLDER]

The seed decides the norms, the jobs and the faults (kind, target, moment, length). What the
processes do in between is up to the machine. Exit code 1: a job, a document or an event was lost or
doubled, or something was left behind; the folder with all logs is then kept.
"""

import argparse
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import chaos_oracle as oracle
from chaos_faults import KINDS, Faults, schedule
from chaos_jobs import Submitter, is_final
from generated_norms import existing, generate
from own_system import Refused, System, Unreachable

# Without any event for so long, with everything running again, the system is stuck.
STUCK = 120


class Journal:
    """What happened when, for whoever looks for a cause."""

    def __init__(self, path):
        self.file, self.lock = open(path, "w"), threading.Lock()

    def __call__(self, what, **fields):
        with self.lock:
            at = time.time()
            stamp = time.strftime("%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03}"
            self.file.write(json.dumps({"at": stamp, "what": what, **fields}, ensure_ascii=False) + "\n")
            self.file.flush()


def insist(call):
    """A call to a system that is whole, but may still be starting."""
    deadline = time.time() + 60
    while True:
        try:
            return call()
        except (Unreachable, Refused) as error:
            if time.time() > deadline or isinstance(error, Refused) and error.status != 503:
                raise
            time.sleep(0.2)


def wait_for_ends(system, submitter, findings):
    """Until every job has ended, those included whose 202 never arrived."""
    while True:
        recorded = oracle.recorded_jobs(system.folder / "data")
        open_jobs = [job for job in recorded if not insist(lambda: is_final(system, job))]
        watched = [job.id for job in submitter.open()]
        if not open_jobs and not watched:
            return
        for job in open_jobs:
            # The resumption of a paused job may have been lost with Redis.
            if insist(lambda: system.call("GET", f"/jobs/{job}"))["status"] == "paused":
                insist(lambda: system.call("POST", f"/jobs/{job}/resume"))
        if time.time() - submitter.last_move > STUCK:
            findings.lost.append(f"no end after {STUCK} s: jobs {open_jobs}, without a final event {watched}")
            return
        time.sleep(0.5)


def retry_failed(system, submitter, findings):
    """Documents that went down with several workers are failures by design; a retry trains them."""
    retried = [job for job in list(submitter.jobs) if insist(lambda: submitter.retry(job))]
    wait_for_ends(system, submitter, findings)
    return len(retried)


def judge(system, submitter, folders, findings):
    """Everything that the API and Redis tell."""
    recorded = oracle.recorded_jobs(system.folder / "data")
    accepted = {job.id: job for job in submitter.jobs}
    for missing in accepted.keys() - recorded.keys():
        findings.lost.append(f"job {missing} was accepted and has no record")
    figures = {"jobs": len(accepted), "jobs never answered": len(recorded.keys() - accepted.keys())}
    figures |= {"jobs cancelled": 0, "documents": 0, "attempts run again": 0, "documents that took workers down": 0}
    required, by_path = {}, {str(norm.path): norm for norms in folders.values() for norm in norms}
    for job in recorded:
        cancelled = job in accepted and accepted[job].may_be_cancelled
        rows = oracle.check_job(system, job, cancelled, findings)
        figures["jobs cancelled"] += cancelled and any(row["outcome"] is None for row in rows)
        history = oracle.check_history(system, job, rows, findings)
        figures["documents"] += len(rows)
        attempts = {(row["index"], attempt) for row in rows for attempt in range(2, row["attempts"] + 1)}
        seen = accepted[job].watcher.histories if job in accepted else []
        for told in [history, *seen]:
            attempts |= {(index, attempt) for index, attempt in told.attempts if attempt > 1}
        figures["attempts run again"] += len(attempts)
        for row in rows:
            norm = by_path.get(row["path"])
            figures["documents that took workers down"] += row["code"] == "worker_lost"
            if job in accepted and norm and row["outcome"] in oracle.TRAINED:
                required[norm] = max(required.get(norm, 0), accepted[job].revisions[norm])
    figures["searches"] = oracle.check_knowledge(system, folders, required, findings)
    figures["histories begun anew"] = 0
    for job in submitter.jobs:
        findings.gaps += [f"job {job.id}: {problem}" for problem in job.watcher.problems]
        for history in job.watcher.histories:
            findings.gaps += [f"job {job.id}, live: {problem}" for problem in history.problems]
            figures["histories begun anew"] += history.reset is not None
    oracle.check_queue(system.connect_redis(), findings)
    return figures


def storm(arguments, folder, findings):
    """One run; answers its figures."""
    journal = Journal(folder / "journal.jsonl")
    if arguments.corpus:
        root = pathlib.Path(arguments.corpus).resolve()
        folders = existing(root)
    else:
        root = (folder / "documents").resolve()
        folders = generate(root, arguments.seed, arguments.folders, arguments.norms)
    faults = schedule(arguments.seed, arguments.kills)
    started = time.time()
    with System(folder / "system", [root], arguments.workers) as system:
        submitter = Submitter(system, folders, arguments.seed, arguments.open_jobs, journal)
        submitter.start()
        chaos = Faults(system, journal)
        chaos.run(faults)
        submitter.stopping.set()
        submitter.join()
        chaos.wait_whole()
        stormed = time.time() - started
        journal("the storm is over", jobs=len(submitter.jobs))
        wait_for_ends(system, submitter, findings)
        retried = retry_failed(system, submitter, findings)
        figures = judge(system, submitter, folders, findings)
        findings.other += chaos.problems + submitter.problems
        for process in (*system.workers, system.api):
            process.end(signal.SIGTERM)
        stored = oracle.check_database(system.folder / "data" / "knowledge.sqlite", findings)
    return {
        "kills": {kind: chaos.done.get(kind, 0) for kind in KINDS},
        **figures,
        "jobs retried afterwards": retried,
        "chunks": stored["chunks"],
        "lost": len(findings.lost), "doubled": len(findings.doubled),
        "gaps and doubled ends in events": len(findings.gaps),
        "left behind": len(findings.left), "other findings": len(findings.other),
        "longest time without progress, s": round(submitter.longest_silence, 1),
        "storm, s": round(stormed), "total, s": round(time.time() - started),
    }


def print_table(figures):
    rows = [(f"faults: {kind}", count) for kind, count in figures["kills"].items()]
    rows.append(("faults together", sum(figures["kills"].values())))
    rows += [(name, value) for name, value in figures.items() if name != "kills"]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"| {name:{width}} | {value:>8} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--corpus", help="train this folder instead of generated norms")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--folders", type=int, default=6, help="folders of generated norms; fewer make jobs meet more often")
    parser.add_argument("--norms", type=int, default=40, help="generated norms per folder")
    parser.add_argument("--open-jobs", type=int, default=4, help="jobs that run at once")
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--keep", help="folder for data and logs, kept in any case")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(1, 1_000_000)
    print(f"seed {arguments.seed}, {arguments.kills} faults", flush=True)
    folder = pathlib.Path(arguments.keep or tempfile.mkdtemp(prefix="ragtrain-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    findings = oracle.Findings()
    figures = storm(arguments, folder, findings)
    print_table(figures)
    for finding in findings.all():
        print(finding)
    if arguments.out:
        result = {"seed": arguments.seed, **figures, "findings": findings.all()}
        pathlib.Path(arguments.out).write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    if findings.all():
        print(f"data and logs: {folder}")
        sys.exit(1)
    if not arguments.keep:
        shutil.rmtree(folder)
    print("nothing lost, nothing doubled")


if __name__ == "__main__":
    main()
