"""What was measured beside what was wanted."""

import statistics

median = statistics.median


class Table:
    def __init__(self):
        self.rows, self.skipped = [], []

    def add(self, where, what, value, unit="", most=None, least=None):
        """A goal is at most or at least so much; without one the row only informs."""
        goal, verdict = "", ""
        if most is not None:
            goal, verdict = f"<= {most:g}", "met" if value <= most else "MISSED"
        if least is not None:
            goal, verdict = f">= {least:g}", "met" if value >= least else "MISSED"
        shown = f"{value:.0f}" if value >= 100 else f"{value:.3g}" if value < 1 else f"{value:.2f}"
        row = (where, what, f"{shown} {unit}".strip(), goal, verdict)
        self.rows.append(row)
        print("  " + line(row[1:]), flush=True)

    def skip(self, where, what, why):
        self.skipped.append(f"{where}: {what}")
        print(f"  SKIPPED: {what}: {why}", flush=True)

    def show(self):
        """All rows, the databases beside each other."""
        places = list(dict.fromkeys(row[0] for row in self.rows))
        cells = {}
        for where, what, value, goal, verdict in self.rows:
            cells.setdefault((what, goal), {})[where] = f"{value} {'(missed)' if verdict == 'MISSED' else ''}".strip()
        print("\n| | goal | " + " | ".join(places) + " |\n|---|---|" + "---|" * len(places))
        for (what, goal), found in cells.items():
            print(f"| {what.strip()} | {goal} | " + " | ".join(found.get(where, "") for where in places) + " |")
        missed = [f"{row[0]}: {row[1]}" for row in self.rows if row[4] == "MISSED"]
        met = sum(row[4] == "met" for row in self.rows)
        print(f"\n{met} met, {len(missed)} missed, {len(self.skipped)} skipped")
        for name in missed:
            print(f"  missed   {name}")
        for name in self.skipped:
            print(f"  SKIPPED  {name}")
        return not missed


def line(cells):
    what, value, goal, verdict = cells
    return f"{what:<64}{value:>12}{goal:>10}  {verdict}".rstrip()
