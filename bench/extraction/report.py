"""The tables of what was measured."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tables import table

READERS = ("ours", "pdftotext", "pdf_oxide", "docling")


def targets(results):
    """Name, value, what is wanted, whether it holds."""
    rows = []

    def at_least(name, value, limit):
        rows.append((name, f"{value:.4f}", f"≥ {limit}", value >= limit))

    def at_most(name, value, limit):
        rows.append((name, f"{value:.4f}", f"≤ {limit}", value <= limit))

    for name, row in results.get("twins", {}).items():
        at_least(f"{name}: precision of words", row["ours_precision"], 0.985)
        at_least(f"{name}: recall of words", row["ours_recall"], 0.99)
        at_least(f"{name}: clause numbers", row["clause_recall"], 0.995)
        if row["cells"]:
            at_least(f"{name}: F1 of table cells", row["cell_f1"], 0.95)
    for name, row in results.get("scans", {}).items():
        if name != "tables":
            limit = 0.02 if name == "clean" else 0.10
            at_most(f"scan, {name}: character error", row["error_0"], limit)
        for turn, value in row.items():
            if turn.startswith("error_") and turn != "error_0":
                # «No worse»: one character in 500 is the noise of turning pixels.
                limit = round(row["error_0"] + 0.002, 4)
                at_most(f"scan, {name}, turned by {turn[6:]}°: character error", value, limit)
    for name, row in results.get("speed", {}).items():
        ratio = row["ours_cpu_s"] / row["pdftotext_cpu_s"]
        at_most(f"{name}: CPU beside pdftotext", ratio, 1.5)
        if name == "1,000 pages":
            at_most(f"{name}: peak memory, MiB", row["ours_peak_mib"], 300)
    return rows


def render(results):
    parts = ["# What is read from PDF files and scans\n",
             "Made by `make bench-extraction` (bench/extraction/run.py). Medians of whole processes; "
             "ours includes its limited child, docling reads the text layer alone, without its models.\n",
             "## Targets\n",
             table(["target", "measured", "wanted", "held"],
                   [[*row[:3], "yes" if row[3] else "**no**"] for row in targets(results)])]
    if "twins" in results:
        parts += ["## PDF files beside their DOCX twins\n", twins(results["twins"])]
    if "scans" in results:
        parts += ["## Scans: share of wrong characters\n", scans(results["scans"])]
    if "speed" in results:
        parts += ["## Speed and memory\n", speed(results["speed"])]
    if "starts" in results:
        parts += ["## A file of one line\n", starts(results["starts"])]
    return "\n".join(parts)


# Stored results may be older than a reader.
def precision_recall(row, reader):
    if f"{reader}_precision" not in row:
        return "–"
    return f"{row[f'{reader}_precision']:.4f} / {row[f'{reader}_recall']:.4f}"


def pages_a_second(row, reader):
    seconds = row.get(f"{reader}_cpu_s")
    return f"{row['pages'] / seconds:.0f}" if seconds else "–"


def peak_mib(row, reader):
    memory = row.get(f"{reader}_peak_mib")
    return f"{memory:.0f}" if memory else "–"


def twins(rows):
    titles = ["file", "pages", *(f"{reader}: precision / recall" for reader in READERS),
              "clause numbers: precision / recall", "cells", "F1 of cells", "F1 of cells in rows",
              "words of the twin that python-docx has and we do not"]
    return table(titles, [
        [name, str(row["pages"]),
         *(precision_recall(row, reader) for reader in READERS),
         f"{row['clause_precision']:.4f} / {row['clause_recall']:.4f} of {row['clauses']}",
         str(row["cells"]),
         *(f"{row[figure]:.3f}" if row["cells"] else "–" for figure in ("cell_f1", "row_f1")),
         f"{1 - row['twin_recall']:.4f}"] for name, row in rows.items()])


def scans(rows):
    turns = [turn for turn in next(iter(rows.values())) if turn.startswith("error_")]
    titles = ["scan", "pages", "CPU s a page", "peak MiB", *(f"{turn[6:]}°" for turn in turns)]
    return table(titles, [
        [name, str(row["pages"]), f"{row['cpu_s'] / row['pages']:.2f}", f"{row['peak_mib']:.0f}",
         *(f"{row[turn]:.4f}" if turn in row else "–" for turn in turns)]
        for name, row in rows.items()])


def starts(row):
    whole, child, beside = (f"{1000 * row[name]:.1f}" for name in ("ours", "child", "pdftotext"))
    return (f"CPU milliseconds: {whole} for reading it with two processes of ours, {child} of them the start of the "
            f"limited child. pdftotext takes {beside} to say its version.\n")


def speed(rows):
    titles = ["file", "pages", *(f"{reader}: pages per CPU second" for reader in READERS),
              *(f"{reader}: peak MiB" for reader in READERS), "CPU, ours by pdftotext"]
    return table(titles, [
        [name, f"{row['pages']:,}",
         *(pages_a_second(row, reader) for reader in READERS),
         *(peak_mib(row, reader) for reader in READERS),
         f"{row['ours_cpu_s'] / row['pdftotext_cpu_s']:.2f}"] for name, row in rows.items()])
