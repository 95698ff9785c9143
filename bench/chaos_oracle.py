"""After the storm: nothing lost, nothing doubled, nothing left behind. Every finding is a sentence."""

import json
import re
import sqlite3

from chaos_jobs import History, read_events, take_page
from own_system import OUTCOMES, PREFIX, Refused

TRAINED = {"completed", "completed_with_warnings", "skipped_duplicate"}
# What stays in Redis for ever: small, and no part of a job.
LASTING = {"marks", "exp", "wake", "jobs", "hist", "workers", "stats"} | {
    f"jobs:{state}" for state in ("completed", "completed_with_errors", "failed", "cancelled")
}


class Findings:
    def __init__(self):
        self.lost, self.doubled, self.gaps, self.left = [], [], [], []
        self.other = []

    def all(self):
        named = (
            ("lost", self.lost), ("doubled", self.doubled), ("events", self.gaps),
            ("left behind", self.left), ("other", self.other),
        )
        return [f"{name}: {text}" for name, texts in named for text in texts]


def check_job(system, job, may_be_cancelled, findings):
    """The end of one job: status, rows, counters, report. Answers its rows.

    Documents of a cancelled job that nobody had begun are counted without an outcome of their
    own, and those listed after the cancel are not even counted.
    """
    view = system.call("GET", f"/jobs/{job}")
    counts = view["documents"]
    ended = sum(counts[outcome] for outcome in OUTCOMES)
    cancelled = may_be_cancelled and view["status"] == "cancelled"
    if view["status"] not in ("completed", "completed_with_errors") and not cancelled:
        findings.lost.append(f"job {job} ended as {view['status']}: {view['error']}")
    if ended != counts["total"]:
        findings.lost.append(f"job {job}: {counts['total']} documents, {ended} counted")
    rows = system.listing(f"/jobs/{job}/documents", "documents")
    if len(rows) != counts["total"] and not cancelled:
        findings.lost.append(f"job {job}: {counts['total']} documents, {len(rows)} rows")
    for field in ("index", "id"):
        if len({row[field] for row in rows}) != len(rows):
            findings.doubled.append(f"job {job}: a document has two rows with the same {field}")
    by_outcome = {}
    for row in rows:
        by_outcome[row["outcome"]] = by_outcome.get(row["outcome"], 0) + 1
        if row["outcome"] is None and not cancelled:
            findings.lost.append(f"job {job}: {row['name']} has not ended")
    for outcome in OUTCOMES:
        if by_outcome.get(outcome, 0) != counts[outcome] and not (cancelled and outcome == "cancelled"):
            findings.doubled.append(
                f"job {job}: {outcome} is counted {counts[outcome]} times, has {by_outcome.get(outcome, 0)} rows"
            )
    try:
        report = system.call("GET", f"/jobs/{job}/report")
    except Refused as refused:
        findings.lost.append(f"job {job} has no report: {refused}")
        return rows
    for outcome in OUTCOMES:
        if report["documents"][outcome] != counts[outcome]:
            findings.other.append(f"job {job}: report and counters differ in {outcome}: {report['documents']}")
    return rows


def check_history(system, job, rows, findings):
    """The history that a client reads now, from its beginning. Answers it."""
    histories = [History(None, 0)]
    while True:
        before = histories[-1].last
        page = read_events(system, job, histories[-1])
        take_page(histories, page)
        if page["ended"] or not page["events"] and histories[-1].last == before:
            break
    history = histories[-1]
    findings.gaps += [f"job {job}: {problem}" for problem in history.problems]
    if history.finals != 1:
        findings.gaps.append(f"job {job}: {history.finals} final events in epoch {history.epoch}")
    # Of a job that Redis has forgotten only its end is told.
    if history.after == 0 and history.epoch != "record":
        for row in rows:
            ends = history.ends.get(row["index"], 0)
            if ends != 1 and row["outcome"] is not None or ends > 1:
                findings.gaps.append(f"job {job}: {row['name']} has {ends} ends in epoch {history.epoch}")
    return history


def check_knowledge(system, folders, required, findings):
    """Every norm is there once, as it lies in its folder, and is found once."""
    trained = {}
    for document in system.listing("/documents", "documents"):
        trained.setdefault(document["path"], []).append(document)
    hashes = {document["sha256"] for found in trained.values() for document in found}
    searched = 0
    for norm in {norm.path: norm for norms in folders.values() for norm in norms}.values():
        found = trained.get(str(norm.path), [])
        if len(found) > 1:
            findings.doubled.append(f"{norm.path.name} is trained {len(found)} times")
        needed = required.get(norm)
        if needed is None:
            continue
        fresh = {sha256 for sha256, _ in norm.revisions[needed:]}
        if norm.word() is None:
            if not fresh & hashes:
                findings.lost.append(f"{norm.path.name} is not trained")
            continue
        if not found:
            findings.lost.append(f"{norm.path.name} is not trained, revision {needed} should be")
            continue
        if found[0]["sha256"] not in fresh:
            known = [sha256 for sha256, _ in norm.revisions[1:]]
            stands = known.index(found[0]["sha256"]) + 1 if found[0]["sha256"] in known else "unknown"
            findings.lost.append(
                f"{norm.path.name}: revision {stands} is searchable, {needed} was trained after it"
                f" (document {found[0]['id']})"
            )
            continue
        standing = [sha256 for sha256, _ in norm.revisions[1:]].index(found[0]["sha256"]) + 1
        for revision in range(max(1, standing - 2), norm.revision + 1):
            word = norm.revisions[revision][1]
            hits = system.call("POST", "/search", {"query": word, "k": 10, "mode": "bm25"})["results"]
            hits = [hit for hit in hits if word in hit["text"]]
            searched += 1
            expected = 1 if revision == standing else 0
            if len(hits) > expected:
                findings.doubled.append(f"{norm.path.name}: revision {revision} is found {len(hits)} times, not {expected}")
            elif len(hits) < expected:
                findings.lost.append(f"{norm.path.name}: revision {revision} is not found")
    return searched


def check_queue(redis, findings):
    """No lease, no retry, no key of a job that would stay."""
    for name in ("exp", "ready", "due"):
        # One long name without a lease keeps the expiries a skip list (docs/queue.md).
        left = [entry for entry in redis("ZRANGE", PREFIX + name, 0, 9) if not entry.startswith("no lease")]
        if left:
            findings.left.append(f"{name} still has entries: {left}")
    for key in redis.scan(f"{PREFIX}*"):
        name = key.removeprefix(PREFIX)
        if name not in LASTING and redis("PTTL", key) == -1:
            findings.left.append(f"{key} would stay in Redis for ever")


def check_database(path, findings):
    """The file of the knowledge base, read when every process has ended."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    number = lambda query: database.execute(query).fetchone()[0]
    for label, query in (
        ("staged versions", "SELECT count(*) FROM versions WHERE state = 'staged'"),
        ("fences of ended jobs", "SELECT count(*) FROM fences"),
        ("documents without a version", "SELECT count(*) FROM documents WHERE document_id NOT IN (SELECT document_id FROM versions)"),
        ("chunks of no version", "SELECT count(*) FROM chunks WHERE version_row NOT IN (SELECT version_row FROM versions)"),
        ("artifacts of no version", "SELECT count(*) FROM artifacts WHERE version_row NOT IN (SELECT version_row FROM versions)"),
    ):
        if number(query):
            findings.left.append(f"{number(query)} {label}")
    chunks = number("SELECT count(*) FROM chunks")
    distinct = number("SELECT count(*) FROM (SELECT DISTINCT version_row, address, first_page, text FROM chunks)")
    indexed = number("SELECT count(*) FROM words_docsize")
    if chunks != distinct:
        findings.doubled.append(f"{chunks - distinct} chunks are there twice in their version")
    if chunks != indexed:
        findings.doubled.append(f"{chunks} chunks, {indexed} rows in the word index")
    twice = number("SELECT count(*) FROM (SELECT 1 FROM versions WHERE state = 'current' GROUP BY document_id HAVING count(*) > 1)")
    if twice:
        findings.doubled.append(f"{twice} documents have two current versions")
    for (problem,) in database.execute("PRAGMA integrity_check").fetchall():
        # Some versions of SQLite see NULL in tables without a rowid whose key is not in front.
        null = re.fullmatch(r"NULL value in (\w+)\.(\w+)", problem)
        if problem != "ok" and not (null and number("SELECT count(*) FROM {0} WHERE {1} IS NULL".format(*null.groups())) == 0):
            findings.other.append(f"the database is damaged: {problem}")
    rows = database.execute("SELECT lower(hex(job_id)), count(*) FROM job_documents GROUP BY job_id").fetchall()
    database.close()
    return {"chunks": chunks, "rows": sum(count for _, count in rows)}


def recorded_jobs(data):
    """Jobs with a durable record, accepted or never answered."""
    jobs = {}
    for record in (data / "blobs" / "jobs").glob("*/job.json"):
        jobs[record.parent.name] = json.loads(record.read_text())
    return jobs
