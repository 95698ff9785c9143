"""Makes samples/: a small corpus of the project's own, in real formats.

Run by `make samples`; the results are committed, so that the demo needs none of this.
"""

import io
import pathlib
import random

import ezdxf
import openpyxl
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt
from openpyxl.styles import Alignment, Border, Font, Side
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

import texts

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "samples"
FONTS = pathlib.Path("/usr/share/fonts/truetype/dejavu")  # Debian: fonts-dejavu-core
AUTHOR = "ragtrain samples"


def word():
    document = Document()
    document.core_properties.author = AUTHOR
    document.styles["Normal"].font.name = "Times New Roman"
    document.styles["Normal"].font.size = Pt(12)
    return document


def centred(document, text, bold=True):
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.add_run(text).bold = bold


def add_table(document, caption, rows):
    document.add_paragraph(caption)
    table = document.add_table(rows=0, cols=len(rows[0]))
    table.style = "Table Grid"
    for row in rows:
        for cell, text in zip(table.add_row().cells, row):
            cell.text = text


def norm_docx():
    document = word()
    centred(document, "СВОД ПРАВИЛ")
    centred(document, texts.NORM_DESIGNATION)
    centred(document, texts.NORM_TITLE.upper())
    document.add_paragraph("Дата введения 2026-07-01")
    for level, number, text in texts.NORM:
        if level:
            document.add_heading(f"{number} {text}", level=1)
            continue
        first, *rest = text.split("\n")
        document.add_paragraph(f"{number} {first}")
        for line in rest:
            document.add_paragraph(line)
        if number == texts.NORM_TABLE_AFTER:
            add_table(document, *texts.NORM_TABLE)
    document.save(OUT / f"{texts.NORM_DESIGNATION} Бетонные работы зимой.docx")


def norm_pdf():
    pdfmetrics.registerFont(TTFont("Body", str(FONTS / "DejaVuSerif.ttf")))
    pdfmetrics.registerFont(TTFont("Bold", str(FONTS / "DejaVuSerif-Bold.ttf")))
    body = ParagraphStyle("body", fontName="Body", fontSize=11, leading=15, firstLineIndent=10 * mm, spaceAfter=4)
    head = ParagraphStyle("head", fontName="Bold", fontSize=13, leading=18, spaceBefore=10, spaceAfter=6)
    title = ParagraphStyle("title", fontName="Bold", fontSize=15, leading=22, alignment=TA_CENTER, spaceAfter=10)
    small = ParagraphStyle("small", fontName="Body", fontSize=9, leading=12)
    story = [
        Paragraph("СВОД ПРАВИЛ", title),
        Paragraph(texts.NORM_DESIGNATION, title),
        Paragraph(texts.NORM_TITLE.upper(), title),
        Paragraph("Дата введения 2026-07-01", body),
        Spacer(1, 8 * mm),
    ]
    for level, number, text in texts.NORM:
        if level:
            story.append(Paragraph(f"{number} {text}", head))
            continue
        for position, line in enumerate(text.split("\n")):
            # The fonts of old machines have no superscript minus; a plain form is read the same.
            line = line.replace("м⁻¹", "1/м")
            story.append(Paragraph(f"{number} {line}" if position == 0 else line, body))
        if number == texts.NORM_TABLE_AFTER:
            caption, rows = texts.NORM_TABLE
            story.append(Paragraph(caption, body))
            cells = [[Paragraph(cell, small) for cell in row] for row in rows]
            table = Table(cells, colWidths=[85 * mm, 30 * mm, 50 * mm], repeatRows=1)
            table.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.7, colors.black), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
            story += [table, Spacer(1, 4 * mm)]

    def furniture(canvas, document):
        canvas.setFont("Body", 9)
        canvas.drawString(25 * mm, 285 * mm, texts.NORM_DESIGNATION)
        canvas.drawCentredString(105 * mm, 10 * mm, str(document.page))

    path = OUT / f"{texts.NORM_DESIGNATION} Бетонные работы зимой.pdf"
    template = SimpleDocTemplate(str(path), pagesize=A4, leftMargin=25 * mm, rightMargin=20 * mm, topMargin=20 * mm,
                                 bottomMargin=20 * mm, author=AUTHOR, title=texts.NORM_TITLE, invariant=1)
    template.build(story, onFirstPage=furniture, onLaterPages=furniture)


def project_docx():
    document = word()
    ppr = texts.PPR
    centred(document, "ПРОЕКТ ПРОИЗВОДСТВА РАБОТ")
    centred(document, ppr["designation"])
    centred(document, ppr["title"])
    document.add_paragraph(ppr["customer"])
    for heading, paragraphs in ppr["sections"]:
        document.add_heading(heading, level=1)
        if paragraphs is None:
            add_table(document, *ppr["table"])
        for paragraph in paragraphs or []:
            document.add_paragraph(paragraph)
    document.save(OUT / f"{ppr['designation']} Каркас склада.docx")


def chart_docx():
    document = word()
    chart = texts.CHART
    centred(document, "ТЕХНОЛОГИЧЕСКАЯ КАРТА")
    centred(document, chart["designation"])
    centred(document, chart["title"])
    for part in ("intro", "table", "outro"):
        if part == "table":
            add_table(document, *chart["table"])
            continue
        for line in chart[part]:
            if "." in line.split()[0]:
                document.add_paragraph(line)
            else:
                document.add_heading(line, level=1)
    document.save(OUT / f"{chart['designation']} Фундаментная плита.docx")


def estimate_xlsx():
    book = openpyxl.Workbook()
    book.properties.creator = AUTHOR
    sheet = book.active
    sheet.title = "ЛСР 02-01-01"
    bold, thin = Font(bold=True), Side(style="thin")
    sheet.append(["Локальный сметный расчет (смета) № 02-01-01"])
    sheet.append(["на устройство фундаментной плиты склада"])
    sheet.append(["Основание: рабочая документация 05-2026-КЖ"])
    sheet.append([])
    sheet.append(["№ п/п", "Обоснование", "Наименование работ и затрат", "Ед. изм.", "Количество", "Цена за ед., руб.", "Всего, руб."])
    for cell in sheet[sheet.max_row]:
        cell.font, cell.alignment = bold, Alignment(wrap_text=True)
        cell.border = Border(left=thin, right=thin, top=thin, bottom=thin)
    grand = 0.0
    for section, positions in texts.ESTIMATE:
        sheet.append([section])
        sheet.merge_cells(start_row=sheet.max_row, start_column=1, end_row=sheet.max_row, end_column=7)
        total = 0.0
        for number, code, name, unit, quantity, price in positions:
            cost = round(quantity * price, 2)
            total += cost
            sheet.append([int(number), code, name, unit, quantity, price, cost])
        total = round(total, 2)
        grand += total
        sheet.append(["", "", f"Итого по разделу {section.split()[1].rstrip('.')}", "", "", "", total])
    sheet.append(["", "", "Всего по смете", "", "", "", round(grand, 2)])
    for column, width in zip("ABCDEFG", (8, 22, 60, 10, 12, 16, 16)):
        sheet.column_dimensions[column].width = width
    book.save(OUT / "Смета 02-01-01 Фундаментная плита.xlsx")


def scan_pdf():
    """A page as an office scanner makes it: grey, a little turned, with specks."""
    width, height = 1240, 1754  # A4 at 150 dpi
    page = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(str(FONTS / "DejaVuSans.ttf"), 26)
    y = 140
    for line in texts.SCAN.splitlines():
        draw.text((130, y), line, font=font, fill=20)
        y += 46
    page = page.rotate(0.6, resample=Image.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.6))
    dots = random.Random(7)
    pixels = page.load()
    for _ in range(900):
        pixels[dots.randrange(width), dots.randrange(height)] = dots.randrange(60, 200)
    jpeg = io.BytesIO()
    page.save(jpeg, "JPEG", quality=60)
    page.save(OUT / "Акт 7 скрытые работы (скан).pdf", "PDF", resolution=150, quality=60)


def drawing_dxf():
    drawing = ezdxf.new("R2010", setup=True)
    drawing.header["$DWGCODEPAGE"] = "ANSI_1251"
    space = drawing.modelspace()
    space.add_lwpolyline([(60, 80), (200, 80), (200, 200), (60, 200), (60, 80)], dxfattribs={"layer": "ПЛИТА"})
    for position, name in enumerate("1234"):
        x = 60 + position * 140 / 3
        space.add_line((x, 70), (x, 210), dxfattribs={"layer": "ОСИ"})
        space.add_text(name, height=5, dxfattribs={"layer": "ОСИ"}).set_placement((x, 215))
    for x, y, height, text in texts.DRAWING:
        space.add_text(text, height=height, dxfattribs={"layer": "ТЕКСТ"}).set_placement((x, y))
    for x, y, text in texts.STAMP:
        space.add_mtext(text, dxfattribs={"layer": "ШТАМП", "char_height": 3.5}).set_location((x, y))
    drawing.saveas(OUT / "05-2026-КЖ лист 4 Фундаментная плита.dxf")


def broken_pdf():
    """A download that broke off: a person must be told, and nothing else may suffer."""
    (OUT / "Обрыв загрузки.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Ty")


def main():
    OUT.mkdir(exist_ok=True)
    for make in (norm_docx, norm_pdf, project_docx, chart_docx, estimate_xlsx, scan_pdf, drawing_dxf, broken_pdf):
        make()
    sizes = sum(path.stat().st_size for path in OUT.iterdir())
    print(f"{len(list(OUT.iterdir()))} files, {sizes / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
