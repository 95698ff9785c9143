#!/usr/bin/env python3
"""Compares what is read from PDF files with the text of their DOCX twins.

  cargo build --release -p extractor --example pdf_pages
  python3 bench/pdf_twins.py target/release/examples/pdf_pages a.pdf a.docx [b.pdf b.docx …]

For each pair: precision and recall of words (as bags; running headers are not in the twin, so they
count as wrong when they get into the body), the same for `pdftotext`, and how many paragraphs of the
twin are exactly one block of ours. Needs python-docx and poppler's pdftotext."""
import re
import subprocess
import sys
from collections import Counter

from docx import Document
from docx.table import Table


def run_text(paragraph):
    return "".join(
        (node.text or "") if node.tag.endswith("}t") else " "
        for node in paragraph.iter()
        if node.tag.endswith(("}t", "}tab", "}br"))
    )


def table_texts(table):
    seen = []
    for row in table.rows:
        for cell in row.cells:
            if cell._tc in seen:  # a merged cell is met once for each place it spans
                continue
            seen.append(cell._tc)
            yield from (paragraph.text for paragraph in cell.paragraphs)
            for inner in cell.tables:
                yield from table_texts(inner)


def twin(path):
    document = Document(path)
    paragraphs, cells = [], []
    for element in document.element.body.iterchildren():
        if element.tag.endswith("}p"):
            paragraphs.append(run_text(element))
        elif element.tag.endswith("}tbl"):
            cells.extend(table_texts(Table(element, document)))
    return paragraphs, cells


def words(text):
    text = text.replace("\u00a0", " ").replace("\u00ad", "").lower()
    return re.sub("[‐‑‒–—−]", "-", text).split()


def scores(found, expected):
    common = sum((Counter(found) & Counter(expected)).values())
    return common / max(1, len(found)), common / max(1, len(expected))


def plain(text):
    return " ".join(text.replace("\u00a0", " ").split())


def main():
    reader, *files = sys.argv[1:]
    for pdf, docx in zip(files[::2], files[1::2]):
        paragraphs, cells = twin(docx)
        expected = words("\n".join(paragraphs + cells))
        ours = subprocess.run([reader, pdf, "--text"], capture_output=True, text=True).stdout
        theirs = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True).stdout
        blocks = {plain(line) for line in ours.split("\n")}
        wanted = [plain(text) for text in paragraphs if plain(text)]
        exact = sum(text in blocks for text in wanted)
        print(pdf)
        for name, text in (("ours", ours), ("pdftotext", theirs)):
            precision, recall = scores(words(text), expected)
            print(f"  {name:10s} precision {precision:.4f} recall {recall:.4f}")
        print(f"  paragraphs {exact} of {len(wanted)} exact")


main()
