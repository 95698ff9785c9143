#!/usr/bin/env python3
"""Trains a corpus with a manifest and scores what the API returns.

usage: score_corpus.py CORPUS [--out FOLDER] [--keep-data FOLDER]

CORPUS holds files/, manifest.jsonl and score_facts.py. For every trained document of the manifest
(matched by SHA-256) `<id>.txt` and `<id>.json` are written from /documents/{id}/text and
/structure; a document without text counts as all missed (an empty text). Then score_facts.py runs,
and the outcomes of the traps are compared with `expected_outcomes` and `expected_codes`.
"""

import argparse
import hashlib
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import unicodedata

from ragtrain_server import Server

# Formats that end as `unsupported_format` until their readers are built.
UNREAD = set()
FAMILIES = {"rd": "drawings", "unknown": "other"}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def flat(structure):
    """The answer of /structure in the form that score_facts.py reads."""
    family = structure["document_type"]["family"]
    return {
        "doc_type": FAMILIES.get(family, family),
        "designation": structure["designation"] or "",
        "title": structure["title"] or "",
        "clauses": [{"num": c["number"], "text": c["text"]} for c in structure["clauses"]],
        "refs": [reference["text"] for reference in structure["references"]],
        "tables": [{"caption": t["caption"], "rows": t["rows"]} for t in structure["tables"]],
    }


def write_answers(server, corpus, manifest, rows, out):
    """One text and one structure per manifest line; answers the lines without a document."""
    trained = {document["sha256"]: document["id"] for document in server.listing("/documents", "documents")}
    by_path = {unicodedata.normalize("NFC", row["path"]): row for row in rows}
    missing = []
    for fact in manifest:
        path = corpus / fact["file"]
        row = by_path.get(unicodedata.normalize("NFC", str(path.resolve())))
        document = trained.get(sha256(path))
        if document is None:
            missing.append((fact["file"], row and row["outcome"], row and row["code"]))
            (out / f"{fact['id']}.txt").write_text("")
            (out / f"{fact['id']}.json").write_text('{"status": "error", "doc_type": "", "designation": "", "clauses": [], "refs": []}')
            continue
        text = server.call("GET", f"/documents/{document}/text", raw=True)
        structure = server.call("GET", f"/documents/{document}/structure")
        (out / f"{fact['id']}.txt").write_text(text)
        # A file that was read in part is told with a code; other warnings are about what was read.
        is_partial = row is not None and row["code"] == "damaged_file"
        answer = {**flat(structure), "status": "partial" if is_partial else "ok"}
        (out / f"{fact['id']}.json").write_text(json.dumps(answer, ensure_ascii=False))
    return missing


def check_traps(corpus, manifest, rows):
    """Outcomes and codes of the traps; answers how many are wrong."""
    wrong = 0
    for fact in manifest:
        outcomes, codes = fact.get("expected_outcomes"), fact.get("expected_codes")
        if outcomes is None:
            continue
        path = str((corpus / fact["file"]).resolve())
        own = [row for row in rows if unicodedata.normalize("NFC", row["path"]) == unicodedata.normalize("NFC", path)]
        inner = [row for row in rows if row["path"].startswith(path + "!/")]
        if codes == ["not listed"]:
            good, seen = not own, [row["outcome"] for row in own]
        elif outcomes == ["expanded"]:
            good, seen = bool(inner) and not own, [(row["path"].split("!/")[1], row["outcome"]) for row in inner]
        else:
            seen = [(row["outcome"], row["code"], row["duration_ms"]) for row in own]
            good = len(own) == 1 and own[0]["outcome"] in outcomes and own[0]["code"] in codes and own[0]["duration_ms"] <= 30_000
        wrong += not good
        print(f"{'ok ' if good else 'BAD'} {fact['file']}: {seen} expected {outcomes} {codes}")
    return wrong


def score(corpus, manifest, out, *options):
    """Runs the corpus's own scoring."""
    command = [sys.executable, str(corpus / "score_facts.py"), str(manifest), str(out), *options]
    subprocess.run(command, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--keep-data", type=pathlib.Path)
    arguments = parser.parse_args()
    corpus = arguments.corpus.resolve()
    out = arguments.out or pathlib.Path(tempfile.mkdtemp(prefix="ragtrain-score-"))
    out.mkdir(parents=True, exist_ok=True)
    if arguments.keep_data:
        arguments.keep_data.mkdir(parents=True, exist_ok=True)
    manifest = [json.loads(line) for line in (corpus / "manifest.jsonl").read_text().splitlines() if line.strip()]
    files = corpus / "files"
    with Server([files], data=arguments.keep_data) as server:
        job, seconds = server.train([{"path": str(files)}])
        print(f"job: {job['status']} {job['documents']} in {seconds:.1f} s")
        rows = server.listing(f"/jobs/{job['job_id']}/documents", "documents")
        missing = write_answers(server, corpus, manifest, rows, out)
        wrong = check_traps(corpus, manifest, rows)
        for row in rows:
            if row["outcome"] not in ("completed",):
                print(f"  {row['outcome']:24} {row['code'] or '':20} {row['duration_ms']:>6} ms  {row['path'].rsplit('/files/', 1)[-1]}  {(row['message'] or '')[:90]}")
        again, seconds_again = server.train([{"path": str(files)}])
        print(f"again: {again['status']} {again['documents']} in {seconds_again:.1f} s")
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"CPU of all processes: {usage.ru_utime + usage.ru_stime:.1f} s; largest single process: {usage.ru_maxrss / 1024:.0f} MB")
    print(f"answers in {out}; without a trained document: {len(missing)}")
    print("== all documents of the manifest")
    score(corpus, corpus / "manifest.jsonl", out)
    print("== documents of the formats that are read so far")
    readable = [fact for fact in manifest if pathlib.Path(fact["file"]).suffix not in UNREAD]
    scored = out / "manifest.jsonl"
    scored.write_text("".join(json.dumps(fact, ensure_ascii=False) + "\n" for fact in readable))
    (out / "expected").unlink(missing_ok=True)
    (out / "expected").symlink_to(corpus / "expected")
    score(corpus, scored, out, "--miss")
    return wrong


if __name__ == "__main__":
    raise SystemExit(1 if main() else 0)
