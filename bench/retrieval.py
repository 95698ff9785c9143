#!/usr/bin/env python3
"""nDCG@10 of clause search on a retrieval set in BEIR layout, per search mode.

usage: retrieval.py CORPUS

Trains the documents that the set's clauses come from (DOCX files of CORPUS/files whose designation
is a title of the set) into a collection of their own, asks every answerable question and maps hits
by designation and address; tables by their caption.
"""

import argparse
import json
import math
import pathlib
import re
import time
from collections import defaultdict

from ragtrain_server import Server


def squeeze(text):
    """Captions are compared without spaces, dashes and case."""
    return re.sub(r"[\s\-–—−.]+", "", text or "").lower()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def relevant(root):
    answers = defaultdict(dict)
    for row in (root / "qrels.tsv").read_text().splitlines()[1:]:
        query, target, score = row.split("\t")
        answers[query][target] = int(score)
    return answers


def matches(hit, target):
    """Whether a hit is the clause or table that a judgement names."""
    designation, address = target.split("#", 1)
    if squeeze(hit["document"]["designation"]) != squeeze(designation):
        return False
    if address.startswith("T:"):
        caption = squeeze(address[2:])
        shown = [hit.get("caption"), hit["text"].splitlines()[0], *hit["path"]]
        return hit["table"] is not None and any(squeeze(text).startswith(caption) for text in shown if text)
    return hit["table"] is None and hit["address"] == address


def ndcg(hits, judged, cut=10):
    found, gain = set(), 0.0
    for position, hit in enumerate(hits[:cut]):
        for target in judged:
            if target not in found and matches(hit, target):
                found.add(target)
                gain += judged[target] / math.log2(position + 2)
    ideal = sum(score / math.log2(i + 2) for i, score in enumerate(sorted(judged.values(), reverse=True)[:cut]))
    return gain / ideal, found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    corpus = arguments.corpus.resolve()
    root = corpus / "retrieval" / "norms_clause_dev"
    titles = {squeeze(row["doc"]) for row in lines(root / "corpus.jsonl")}
    facts = lines(corpus / "manifest.jsonl")
    wanted = {
        fact["file"]
        for fact in facts
        if fact["file"].endswith(".docx") and squeeze(fact.get("designation")) in titles and "/dup/" not in fact["file"]
    }
    queries = [query for query in lines(root / "queries.jsonl") if not query.get("out_of_corpus")]
    judged = relevant(root)
    with Server([corpus / "files"]) as server:
        sources = [{"path": str(corpus / file)} for file in sorted(wanted)]
        job, seconds = server.train(sources, collection="norms")
        print(f"trained {job['documents']['completed'] + job['documents']['completed_with_warnings']} of {len(wanted)} documents in {seconds:.1f} s")
        modes = ("bm25", "dense", "hybrid")
        totals, times = defaultdict(float), defaultdict(float)
        for query in queries:
            for mode in modes:  # interleaved: each mode sees the same state of the machine
                started = time.perf_counter()
                body = {"query": query["text"], "k": 10, "mode": mode, "filters": {"collection": "norms"}}
                answer = server.call("POST", "/search", body)
                times[mode] += time.perf_counter() - started
                value, found = ndcg(answer["results"], judged[query["_id"]])
                totals[mode] += value
                if arguments.verbose and value < 1:
                    seen = [(hit["document"]["designation"], hit["address"]) for hit in answer["results"][:4]]
                    print(f"  {query['_id']} {mode:6} {value:.3f} want {list(judged[query['_id']])} got {seen}")
        print(f"questions: {len(queries)}")
        for mode in modes:
            print(f"{mode:7} nDCG@10 {totals[mode] / len(queries):.3f}   {1000 * times[mode] / len(queries):.1f} ms a question")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
