"""Measures what is read from PDF files and scans: `make bench-extraction CORPUS=…`.

    python3 bench/extraction/run.py CORPUS [--rounds 5] [--out FOLDER]

Three PDF files have a DOCX twin; scans have their text. Speed and memory are those of whole
processes, interleaved, with those of pdftotext, pdf_oxide and docling (its text layer alone, without
models), on the twins and on a file of a thousand pages that is made of them. Ends with 1 when a
target is missed.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="twins,scans,speed")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of RESULTS.md, results.json")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target")).resolve()
    import programs

    python = programs.environment(target)
    programs.build_docling(target)
    build = ["cargo", "build", "--release", "--workspace", "--locked", "--examples", "--bins"]
    subprocess.run(build, cwd=HERE.parents[1], check=True)
    arguments = [options.corpus, target, options.out, str(options.rounds), options.only]
    return subprocess.run([python, HERE / "measure.py", *map(str, arguments)]).returncode


if __name__ == "__main__":
    sys.exit(main())
