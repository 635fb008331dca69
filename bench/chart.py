#!/usr/bin/env python3
"""Draws the charts of the README from raw results: throughput.svg and latency.svg, bars against peers and limits.

    python3 bench/chart.py bench/results/<file>.json [--folder bench/results]

Of the distances between the processors that the results hold (see run.py) the one with most runs is drawn.
"""

import argparse
import html
import json
import math
import pathlib
import sys

sys.dont_write_bytecode = True
import run  # noqa: E402

COLOURS = {"strait": "#2a6fbb", "peer": "#9a9a9a", "limit": "#d9a441"}
WIDTH, LABELS, VALUES, BAR, GAP = 900, 330, 110, 18, 6

STYLE = """
  text { font: 13px sans-serif; fill: #24292f; }
  .title { font-size: 15px; font-weight: bold; }
  .note { font-size: 11px; fill: #6e7781; }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .note { fill: #9198a1; } }
"""


def panel(title, bars, unit, logarithmic, top):
    """One titled group of horizontal bars: (elements, height)."""
    parts = [f'<text class="title" x="8" y="{top + 16}">{html.escape(title)}</text>']
    top += 28
    most = max(value for _, _, value, _, _ in bars)
    least = min(value for _, _, value, _, _ in bars)
    room = WIDTH - LABELS - VALUES

    def length(value):
        if not logarithmic:
            return room * value / most
        floor = math.log10(least) - 0.3
        return room * (math.log10(max(value, least)) - floor) / max(math.log10(most) - floor, 1e-9)

    for name, kind, value, low, high in bars:
        width = max(length(value), 1)
        parts.append(f'<text x="{LABELS - 8}" y="{top + 14}" text-anchor="end">{html.escape(name)}</text>')
        parts.append(f'<rect x="{LABELS}" y="{top}" width="{width:.1f}" height="{BAR}" rx="2" fill="{COLOURS[kind]}"/>')
        parts.append(f'<line x1="{LABELS + length(low):.1f}" x2="{LABELS + length(min(high, most)):.1f}" y1="{top + BAR / 2}" y2="{top + BAR / 2}" '
                     'stroke="#000" stroke-opacity="0.45" stroke-width="1.5"/>')
        parts.append(f'<text x="{LABELS + max(width, length(min(high, most))) + 6:.1f}" y="{top + 14}">{run.short(value)} {unit}</text>')
        top += BAR + GAP
    return parts, top + 14


def chart(machine, panels, note):
    parts, top = [], 8
    for title, bars, unit, logarithmic in panels:
        if bars:
            drawn, top = panel(title, bars, unit, logarithmic, top)
            parts += drawn
    for line in (note, f"{machine['cpu']}, {machine['kernel']}, {machine.get('compiler', '')}, {machine['date'][:10]}"):
        parts.append(f'<text class="note" x="8" y="{top + 4}">{html.escape(line)}</text>')
        top += 16
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}">\n<style>{STYLE}</style>\n'
            + "\n".join(parts) + "\n</svg>\n")


def bars_of(found, workload, lower_is_better):
    bars = [(subject, f["kind"], f["median"], f["min"], f["max"]) for (w, subject), f in found.items() if w == workload]
    return sorted(bars, key=lambda bar: bar[2], reverse=not lower_is_better)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=pathlib.Path)
    parser.add_argument("--folder", type=pathlib.Path, default=run.HERE / "results")
    options = parser.parse_args()
    results = json.loads(options.results.read_text())
    groups = run.distances(results["runs"]) or [[0, math.inf]]
    group = max(groups, key=lambda g: len(run.at_distance(results["runs"], g)))
    found = run.figures(run.at_distance(results["runs"], group))

    note = "Blue: Strait. Grey: what one would otherwise use. Yellow: bare limits without crash safety. Line: slowest to fastest phase."
    def panels(workloads, unit, lower):
        return [(run.TITLES[w], bars_of(found, w, lower), unit, lower) for w in workloads]
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "throughput.svg").write_text(chart(
        results["machine"],
        panels(["w1", "w5"], "M/s", False) + panels(["w2-1m-hot", "w2-1m-in-place", "w2-1k-hot"], "GB/s", False), note))
    (options.folder / "latency.svg").write_text(chart(
        results["machine"], panels(["w3", "w3-parked"], "ns", True), note + " The scale is logarithmic."))


if __name__ == "__main__":
    main()
