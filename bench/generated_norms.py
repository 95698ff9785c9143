"""Norms made from a seed: text, markdown and HTML, of varying size, in several folders.

Every revision of a norm has one word that occurs nowhere else, in one clause; no clause occurs
twice. So a search tells whether a revision is there, and whether it is there twice.
"""

import hashlib
import html
import os
import pathlib
import random

LETTERS = "бвгджзклмнпрстфхцчш"
WORKS = (
    "укладка бетонной смеси", "монтаж опалубки", "устройство основания", "сварка стыков",
    "гидроизоляция швов", "погружение свай", "кладка стен", "засыпка траншеи",
)
PROPERTIES = ("толщина слоя", "прочность", "отклонение от отметки", "шаг креплений", "влажность")
UNITS = ("мм", "МПа", "см", "сут", "%")


class Norm:
    """One file and what its newest revision says."""

    def __init__(self, path, number, clauses, seed):
        self.path, self.number, self.clauses, self.seed = pathlib.Path(path), number, clauses, seed
        self.revision = 0
        # revision -> (sha256, its word); index 0 is not used
        self.revisions = [None]

    def word(self):
        """What only its newest revision says; `None` for a file that is not ours."""
        return self.revisions[-1][1]

    def write(self):
        """Writes the next revision; a reader sees the old file or the new one, never a part."""
        revision = self.revision + 1
        chance = random.Random(f"{self.seed}:{self.number}:{revision}")
        word = "".join(chance.choice(LETTERS) for _ in range(14))
        data = self._render(chance, revision, word).encode()
        part = self.path.parent / f".{self.path.name}.part"
        part.write_bytes(data)
        os.replace(part, self.path)
        self.revisions.append((hashlib.sha256(data).hexdigest(), word))
        self.revision = revision

    def _render(self, chance, revision, word):
        marked = chance.randrange(self.clauses)
        title = f"Правила производства работ, выпуск {self.number}, изменение {revision}"
        sections, made = [], 0
        while made < self.clauses:
            section, clauses = len(sections) + 1, []
            for clause in range(1, min(40, self.clauses - made) + 1):
                text = (
                    f"При работах «{chance.choice(WORKS)}» {chance.choice(PROPERTIES)} участка {made + 1} "
                    f"должна быть не менее {chance.randrange(1, 9000)} {chance.choice(UNITS)} по журналу "
                    f"{self.number}-{revision}."
                )
                if made == marked:
                    text += f" Контрольная метка: {word}."
                clauses.append((f"{section}.{clause}", text))
                made += 1
            sections.append((f"{section}", f"Требования к работам {section}", clauses))
        designation = f"СП {100 + self.number}.1325800.2026"
        return getattr(self, self.path.suffix[1:])(designation, title, sections)

    @staticmethod
    def txt(designation, title, sections):
        lines = ["СВОД ПРАВИЛ", "", designation, "", title, ""]
        for number, heading, clauses in sections:
            lines += [f"{number} {heading}", ""]
            for address, text in clauses:
                lines += [f"{address} {text}", ""]
        return "\n".join(lines)

    @staticmethod
    def md(designation, title, sections):
        lines = [f"# {designation} {title}", ""]
        for number, heading, clauses in sections:
            lines += [f"## {number} {heading}", ""]
            for address, text in clauses:
                lines += [f"{address} {text}", ""]
        return "\n".join(lines)

    @staticmethod
    def html(designation, title, sections):
        name = html.escape(f"{designation} {title}")
        lines = [f"<!doctype html><html><head><meta charset='utf-8'><title>{name}</title></head><body>"]
        lines.append(f"<h1>{name}</h1>")
        for number, heading, clauses in sections:
            lines.append(f"<h2>{number} {html.escape(heading)}</h2>")
            lines += [f"<p>{address} {html.escape(text)}</p>" for address, text in clauses]
        return "\n".join(lines + ["</body></html>"])


def generate(root, seed, folders=12, per_folder=25, clauses=(20, 1500)):
    """Folders with their norms; sizes are log-uniform between the two numbers of clauses."""
    chance = random.Random(f"{seed}:corpus")
    made, number = {}, 0
    for folder in range(1, folders + 1):
        place = pathlib.Path(root) / f"раздел {folder:02}"
        place.mkdir(parents=True)
        made[place] = []
        for _ in range(per_folder):
            number += 1
            size = int(clauses[0] * (clauses[1] / clauses[0]) ** chance.random())
            suffix = chance.choice(("txt", "txt", "md", "html"))
            norm = Norm(place / f"норма {number:04}.{suffix}", number, size, seed)
            norm.write()
            made[place].append(norm)
    return made


class Given(Norm):
    """A file of a real corpus: it is read, never written."""

    def __init__(self, path):
        super().__init__(path, 0, 0, 0)
        self.revisions.append((hashlib.sha256(self.path.read_bytes()).hexdigest(), None))
        self.revision = 1

    def write(self):
        pass


def existing(root):
    """A real corpus: the whole, and every folder of it that is not below another one."""
    root = pathlib.Path(root)
    files = [Given(path) for path in sorted(root.rglob("*")) if path.is_file()]
    made = {root: files}
    for file in files:
        top = root / file.path.relative_to(root).parts[0]
        if top != file.path:
            made.setdefault(top, []).append(file)
    return made
