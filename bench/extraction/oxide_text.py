"""Prints the text of a PDF file as pdf_oxide reads it."""

import sys

from pdf_oxide import PdfDocument

document = PdfDocument(sys.argv[1])
for page in range(document.page_count()):
    print(document.extract_text(page))
