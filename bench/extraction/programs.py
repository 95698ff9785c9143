"""The programs that read a file, each in a process of its own, and what that cost."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Programs:
    """Commands that print the text of a file."""

    def __init__(self, target, python):
        self.extract = str(target / "release/examples/extract")
        # Without a request the child ends before it reads anything.
        self.child = str(target / "release/ragtrain-extractor")
        self.python = str(python)
        self.texts = {
            "ours": [self.extract, "--text"],
            "pdftotext": ["pdftotext", "-q"],
            "pdf_oxide": [self.python, str(HERE / "oxide_text.py")],
            "docling": [str(docling_target(target) / "release/docling-text")],
        }

    def text(self, name, path):
        """The text, CPU seconds (children included) and peak memory in MiB."""
        return run([*self.texts[name], str(path), *(["-"] if name == "pdftotext" else [])])

    def starts(self, path):
        """CPU seconds: reading a small text, and the start of the child alone."""
        _, whole, _ = run([*self.texts["ours"], str(path)])
        _, child, _ = run([self.child], expected=1)
        _, beside, _ = run(["pdftotext", "-v"])
        return {"ours": whole, "child": child, "pdftotext": beside}

    def pages(self, path):
        """What ours reads, with its blocks."""
        answer, _, _ = run([self.extract, "--json", str(path)])
        return json.loads(answer)["pages"]


def run(command, expected=0):
    with tempfile.NamedTemporaryFile() as output:
        runner = [sys.executable, "-S", str(HERE / "runner.py"), output.name, *command]
        usage = json.loads(subprocess.run(runner, stdout=subprocess.PIPE, check=True).stdout)
        if usage["code"] != expected:
            raise SystemExit(f"{' '.join(command)} ended with {usage['code']}")
        text = Path(output.name).read_text(errors="replace")
    return text, usage["cpu_s"], usage["peak_mib"]


def environment(target):
    """A Python with the libraries of the benchmark."""
    python = target / "extraction-bench" / "bin" / "python"
    if not python.exists():
        subprocess.run(["python3", "-m", "venv", python.parents[1]], check=True)
    requirements = HERE / "requirements.txt"
    subprocess.run([python, "-m", "pip", "-q", "install", "-r", requirements], check=True)
    return python


def docling_target(target):
    return target / "extraction-bench" / "docling"


def build_docling(target):
    """The reader of docling, apart from the workspace: its libraries are none of the product's."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(docling_target(target))}
    cargo = ["cargo", "build", "--release", "--locked"]
    subprocess.run(cargo, cwd=HERE / "docling", env=environment, check=True)
