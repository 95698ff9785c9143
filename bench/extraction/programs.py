"""The programs that read a file, each in a process of its own, and what that cost."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Programs:
    """Commands that print the text of a file."""

    def __init__(self, target, python):
        self.extract = str(target / "release/examples/extract")
        self.python = str(python)
        self.texts = {
            "ours": [self.extract, "--text"],
            "pdftotext": ["pdftotext", "-q"],
            "pdf_oxide": [self.python, str(HERE / "oxide_text.py")],
        }

    def text(self, name, path):
        """The text, CPU seconds (children included) and peak memory in MiB."""
        return run([*self.texts[name], str(path), *(["-"] if name == "pdftotext" else [])])

    def pages(self, path):
        """What ours reads, with its blocks."""
        answer, _, _ = run([self.extract, "--json", str(path)])
        return json.loads(answer)["pages"]


def run(command):
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        output.seek(0)
        text = output.read().decode(errors="replace")
    return text, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def environment(target):
    """A Python with the libraries of the benchmark."""
    python = target / "extraction-bench" / "bin" / "python"
    if not python.exists():
        subprocess.run(["python3", "-m", "venv", python.parents[1]], check=True)
    requirements = HERE / "requirements.txt"
    subprocess.run([python, "-m", "pip", "-q", "install", "-r", requirements], check=True)
    return python
