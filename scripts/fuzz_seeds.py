"""Lays the first inputs of a fuzz target into a folder: fuzz_seeds.py TARGET FOLDER MAX_LENGTH SOURCE…

They are the files of fuzz/seeds/TARGET (a folder there is a package, and is packed), images made here,
and the files of the source folders whose extension fits. Longer ones are left out, or cut where a part
of a file is as good as the whole.
"""

import io
import struct
import sys
import zipfile
from pathlib import Path

SEEDS = Path(__file__).resolve().parent.parent / "fuzz" / "seeds"

EXTENSIONS = {
    "archive": ["zip", "docx", "xlsx"],
    "csv": ["csv", "tsv"],
    "doc": ["doc"],
    "docx": ["docx"],
    "dwg": ["dwg"],
    "dxf": ["dxf"],
    "estimate": ["gge", "xml"],
    "html": ["html", "htm"],
    "image": ["png", "jpg", "jpeg", "tif", "tiff", "bmp"],
    "ifc": ["ifc"],
    "json": ["json"],
    "letter": ["eml"],
    "markdown": ["md"],
    "odt": ["odt"],
    "pdf": ["pdf"],
    "rtf": ["rtf"],
    "spreadsheet": ["xlsx", "xls", "ods"],
    "text": ["txt"],
}
CUT = {"csv", "dxf", "html", "ifc", "json", "markdown", "rtf", "text"}


def packed(folder):
    """A package of the files of a folder; the type of an OpenDocument stands first."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        files = [path for path in folder.rglob("*") if path.is_file()]
        for path in sorted(files, key=lambda path: (path.name != "mimetype", str(path))):
            package.write(path, str(path.relative_to(folder)))
    return buffer.getvalue()


def page(width=64, height=48):
    """Grey levels with a frame and some «letters»."""
    def dark(x, y):
        return x in (4, 60) or y in (4, 44) or (8 < y % 12 < 11 and x % 5 < 3)

    return bytes(30 if dark(x, y) else 240 for y in range(height) for x in range(width)), width, height


def bitmap():
    pixels, width, height = page()
    palette = b"".join(bytes([level, level, level, 0]) for level in range(256))
    start = 54 + len(palette)
    head = struct.pack("<2sIIIIiiHHIIiiII", b"BM", start + len(pixels), 0, start, 40, width, height,
                       1, 8, 0, len(pixels), 0, 0, 256, 0)
    return head + palette + pixels


def tiff():
    """Two frames that share their pixels."""
    pixels, width, height = page()
    fields = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1),
              (278, height), (279, len(pixels))]
    length = 2 + 12 * len(fields) + 4
    first = 8 + len(pixels)
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields)
    frames = b"".join(struct.pack("<H", len(fields)) + entries + struct.pack("<I", following)
                      for following in (first + length, 0))
    return struct.pack("<2sHI", b"II", 42, first) + pixels + frames


def own(target):
    """What fuzz/seeds has for a target, and what is made here."""
    for path in sorted((SEEDS / target).glob("*")):
        yield path.name, packed(path) if path.is_dir() else path.read_bytes()
    if target == "image":
        yield "page.bmp", bitmap()
        yield "pages.tiff", tiff()
    # These take apart what others read.
    if target == "archive":
        yield from own("docx")
    if target == "pdf_page":
        yield "nothing", b" "


def found(sources, extensions):
    for source in sources:
        for path in sorted(Path(source).rglob("*")):
            if path.is_file() and path.suffix.lower().lstrip(".") in extensions:
                yield path.name, path.read_bytes()


def main():
    target, folder, most, *sources = sys.argv[1:]
    targets = list(EXTENSIONS) if target == "detect" else [target]
    seeds = [seed for name in targets for seed in own(name)]
    extensions = {end for name in targets for end in EXTENSIONS.get(name, [])}
    seeds += found(sources, extensions)
    for number, (name, content) in enumerate(seeds):
        if target in CUT or target == "detect":
            content = content[:int(most)]
        if len(content) <= int(most):
            (Path(folder) / f"{number:03}{Path(name).suffix}").write_bytes(content)


main()
