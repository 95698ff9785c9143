"""Texts, clause numbers and table cells of a PDF file beside those of its DOCX twin."""

import re
from collections import Counter

from docx import Document
from docx.table import Table

CLAUSE = re.compile(r"^((?:[А-ЯA-Z]\.)?\d+(?:\.\d+)+)\.?(?=\s)")
DASHES = re.compile("[‐‑‒–—−]")


def plain(text):
    """Spaces, soft hyphens and kinds of dashes differ between the formats, and mean nothing."""
    text = text.replace("\u00a0", " ").replace("\u00ad", "").replace("\u202f", " ")
    return DASHES.sub("-", " ".join(text.split()))


def words(text):
    return plain(text).lower().split()


def precision_recall(found, expected):
    found, expected = Counter(found), Counter(expected)
    common = sum((found & expected).values())
    return common / max(1, sum(found.values())), common / max(1, sum(expected.values()))


def f1(found, expected):
    precision, recall = precision_recall(found, expected)
    return 2 * precision * recall / max(1e-9, precision + recall)


def is_table(block):
    return isinstance(block["kind"], dict) and "table" in block["kind"]


def blocks(pages):
    """Without tables of contents: their page numbers are not in the twin."""
    return [block for page in pages for block in page["blocks"] if block["kind"] != "contents"]


def text_of(pages):
    return "\n".join(block["text"] for block in blocks(pages))


def clause_numbers(pages):
    texts = (plain(block["text"]) for block in blocks(pages) if not is_table(block))
    return [match.group(1) for match in map(CLAUSE.match, texts) if match]


def table_rows(pages):
    for block in blocks(pages):
        if is_table(block):
            yield from block["kind"]["table"]["rows"]


def cells(pages):
    return [text for row in table_rows(pages) for text in map(plain, row) if text]


def cells_in_rows(pages):
    """A cell counts only beside the first one of its row: values that slipped into the wrong row
    are wrong."""
    for row in table_rows(pages):
        texts = [text for text in map(plain, row) if text]
        yield from ((texts[0], text) for text in texts[1:])


def texts_by_library(path):
    """All words of a DOCX file, as python-docx reads it: without automatic numbers."""
    document = Document(path)
    for element in document.element.body.iterchildren():
        if element.tag.endswith("}p"):
            yield text_of_runs(element)
        elif element.tag.endswith("}tbl"):
            yield from texts_of_table(Table(element, document))


def text_of_runs(paragraph):
    return "".join(
        (node.text or "") if node.tag.endswith("}t") else " "
        for node in paragraph.iter() if node.tag.endswith(("}t", "}tab", "}br")))


def texts_of_table(table):
    seen = set()
    for row in table.rows:
        for cell in row.cells:
            # A merged cell is met once for each place that it spans.
            if cell._tc in seen:
                continue
            seen.add(cell._tc)
            yield from (paragraph.text for paragraph in cell.paragraphs)
            for inner in cell.tables:
                yield from texts_of_table(inner)
