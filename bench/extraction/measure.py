"""The measurements of run.py, inside the Python that has the libraries."""

import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

import twins
from programs import Programs
from pypdf import PdfReader, PdfWriter, Transformation
from rapidfuzz.distance import Levenshtein

import report

TWINS = ("СН РК 2.03-01-2011", "СП РК 2.04-103-2013 Молниезащита", "СП РК 3.02-108-2013")
SCANS = {
    "clean": ("СН РК 2.03-01-2011 скан 200dpi.pdf", "scan-sn-2.03-clean.truth.txt"),
    "noisy": ("СН РК 2.03-01-2011 скан шум.pdf", "scan-sn-2.03-noisy.truth.txt"),
    "tables": ("СП РК 3.02-108 таблицы скан.pdf", "scan-sp-3.02-108-table.truth.txt"),
}


def twin(programs, files, name):
    pages, expected = (programs.pages(files / f"{name}.{kind}") for kind in ("pdf", "docx"))
    wanted = twins.words(twins.text_of(expected))
    library = twins.words("\n".join(twins.texts_by_library(files / f"{name}.docx")))
    figures = {"pages": len(pages)}
    # The twin as we read it has the automatic numbers; that it lacks no word, the library tells.
    whole = twins.words("\n".join(block["text"] for page in expected for block in page["blocks"]))
    figures["twin_recall"] = twins.precision_recall(whole, library)[1]
    for reader in programs.texts:
        text, _, _ = programs.text(reader, files / f"{name}.pdf")
        if reader == "ours":
            text = twins.text_of(pages)
        precision, recall = twins.precision_recall(twins.words(text), wanted)
        figures |= {f"{reader}_precision": precision, f"{reader}_recall": recall}
    found, labels = twins.clause_numbers(pages), twins.clause_numbers(expected)
    precision, recall = twins.precision_recall(found, labels)
    figures |= {"clauses": len(labels), "clause_precision": precision, "clause_recall": recall}
    figures["cells"] = len(twins.cells(expected))
    figures["cell_f1"] = twins.f1(twins.cells(pages), twins.cells(expected))
    figures["row_f1"] = twins.f1(twins.cells_in_rows(pages), twins.cells_in_rows(expected))
    return figures


def character_error(found, truth):
    found, truth = (" ".join(twins.plain(text).lower().split()) for text in (found, truth))
    return Levenshtein.distance(found, truth) / len(truth)


def turned(source, folder, degrees):
    """The file with its pages turned: by right angles as a flag of the page, else as drawn."""
    writer = PdfWriter(clone_from=source)
    for page in writer.pages:
        if degrees % 90 == 0:
            page.rotate(degrees)
        else:
            around = (float(page.mediabox.width) / 2, float(page.mediabox.height) / 2)
            move = Transformation().translate(-around[0], -around[1]).rotate(degrees)
            page.add_transformation(move.translate(*around))
    path = folder / f"{degrees}.pdf"
    writer.write(path)
    return path


def scan(programs, corpus, folder, name):
    file, truth = SCANS[name]
    file = corpus / "files/сканы" / file
    truth = (corpus / "expected" / truth).read_text()
    figures = {}
    turns = (0, 90, 180, 270, 2, -3) if name == "clean" else (0,)
    for degrees in turns:
        path = turned(file, folder, degrees) if degrees else file
        text, seconds, memory = programs.text("ours", path)
        figures[f"error_{degrees}"] = character_error(text, truth)
        if degrees == 0:
            figures |= {"pages": len(PdfReader(file).pages), "cpu_s": seconds, "peak_mib": memory}
    return figures


def thousand(files, folder):
    """A file of 1,000 pages, made of the twins."""
    writer = PdfWriter()
    while len(writer.pages) < 1000:
        for name in TWINS:
            writer.append(files / f"{name}.pdf")
    while len(writer.pages) > 1000:
        writer.remove_page(1000)
    path = folder / "thousand.pdf"
    writer.write(path)
    return path


def speed(programs, files, folder, rounds):
    paths = {name: files / f"{name}.pdf" for name in TWINS} | {"1,000 pages": thousand(files, folder)}
    order, rows = random.Random(1), {}
    for _ in range(rounds):
        for name, path in paths.items():
            readers = list(programs.texts)
            order.shuffle(readers)
            for reader in readers:
                _, seconds, memory = programs.text(reader, path)
                rows.setdefault((name, reader), []).append((seconds, memory))
    figures = {}
    for (name, reader), runs in rows.items():
        pages = len(PdfReader(paths[name]).pages)
        row = figures.setdefault(name, {"pages": pages})
        row[f"{reader}_cpu_s"] = statistics.median(seconds for seconds, _ in runs)
        row[f"{reader}_peak_mib"] = max(memory for _, memory in runs)
    return figures


def starts(programs, folder, rounds):
    """What a small file costs, most of which is the start of processes: medians in CPU seconds."""
    path = folder / "small.txt"
    path.write_text("Акт скрытых работ № 7\n")
    runs = [programs.starts(path) for _ in range(20 * rounds)]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def main():
    corpus, target, out, rounds, only = sys.argv[1:]
    corpus, out = Path(corpus), Path(out)
    programs = Programs(Path(target), sys.executable)
    files, results = corpus / "files", {}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        if "twins" in only:
            results["twins"] = {name: twin(programs, files, name) for name in TWINS}
        if "scans" in only:
            results["scans"] = {name: scan(programs, corpus, folder, name) for name in SCANS}
        if "speed" in only:
            results["speed"] = speed(programs, files, folder, int(rounds))
            results["starts"] = starts(programs, folder, int(rounds))
    (out / "results.json").write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    (out / "RESULTS.md").write_text(report.render(results))
    missed = [row for row in report.targets(results) if not row[3]]
    print("\n".join(f"missed: {name}: {value} ({wanted})" for name, value, wanted, _ in missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
