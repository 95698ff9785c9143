"""What the reports of the side-by-side benchmarks have in common."""

import json
import random
import statistics

RESAMPLES = 4000


def to_json(about, rows, digits):
    """One line per cell, so that the file can be read and compared."""
    def short(row):
        return {name: round(value, digits) if isinstance(value, float) else value
                for name, value in row.items()}
    lines = ",\n".join(json.dumps(short(row)) for row in rows)
    return f'{{"about": {json.dumps(about)},\n"cells": [\n{lines}\n]}}\n'


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def interval(values):
    """Bootstrap 95 % interval of the median."""
    choose = random.Random(1)
    medians = [statistics.median(choose.choices(values, k=len(values))) for _ in range(RESAMPLES)]
    return quantile(medians, 0.025), quantile(medians, 0.975)


def table(titles, lines):
    rule = ["---"] * len(titles)
    return "\n".join("| " + " | ".join(line) + " |" for line in [titles, rule, *lines]) + "\n"
