"""How run.py shows what it found: a table, JSON, a plot in SVG."""

import datetime
import json
import math
import os
import pathlib
import platform
from xml.sax.saxutils import escape

from engines import NATIVE


def cpu_name():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def host():
    return {"cpu": cpu_name(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}


# --- table ---------------------------------------------------------------------------------------


def base_cell(judged, primary):
    base = judged["base"]
    if not base:
        return "-"
    result = judged["results"][base]
    spread = (max(result["times"]) - min(result["times"])) / result["median"] * 100
    name = "" if base == primary else f"{base} "
    return f"{name}{result['median']:.3f} s {spread:3.0f}%"


def ratio_cell(result):
    if "ratio" in result:
        return "{:.2f} ({:.2f}-{:.2f})".format(result["ratio"], *result["range"])
    if "median" in result:
        return f"{result['median']:.3f} s"
    return "failed" if "error" in result else "-"


def mean_cell(mean):
    return f"{mean['ratio']:.3f} ≤{mean['worst']:.2f} of {mean['programs']}" if mean else "-"


def print_rows(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())


def print_errors(programs, engines, ours, table):
    """Ours in full; others' in a line each, since many lack proposals."""
    for name in engines:
        errors = {
            p.name: table[p.name]["results"][name]["error"]
            for p in programs
            if "error" in table[p.name]["results"].get(name, {})
        }
        if name in ours:
            for program, error in errors.items():
                print(f"{program}: {name}: {error}")
        elif errors:
            first = next(iter(errors.values()))
            print(f"{name} failed: {', '.join(errors)} ({first[:80]})")


def print_table(programs, engines, ours, primary, table, means):
    order = [name for name in engines if name != primary]
    rows = [["", "set", primary, *order]]
    for program in programs:
        judged = table[program.name]
        cells = [ratio_cell(judged["results"].get(n, {})) for n in order]
        rows.append([program.name, program.set, base_cell(judged, primary), *cells])
    rows.append([""] * len(rows[0]))
    for title, section in means.items():
        cells = [mean_cell(section["engines"].get(n)) for n in order]
        note = "geomean" if section["base"] == primary else f"of {section['base']}"
        rows.append([title, "", note, *cells])
    print_rows(rows)
    print_errors(programs, engines, ours, table)


def print_start_ups(taken_off):
    each = (f"{name} {seconds * 1000:.1f}" for name, seconds in taken_off.items())
    print(f"net of start-up, in ms: {', '.join(each)}")


SLOW = 1.3  # of native time


def print_slow(programs, ours, table):
    """The programs for which native time is much less."""
    for name in ours:
        ratios = {
            p.name: table[p.name]["results"][name]["ratio"]
            for p in programs
            if table[p.name]["base"] == NATIVE and "ratio" in table[p.name]["results"].get(name, {})
        }
        slow = sorted((p for p in ratios if ratios[p] > SLOW), key=lambda p: -ratios[p])
        if slow:
            print(f"{name} over {SLOW}: {', '.join(f'{p} {ratios[p]:.2f}' for p in slow)}")


# --- JSON ----------------------------------------------------------------------------------------


def write_json(path, programs, options, bases, table, means, before, taken_off):
    report = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "host": before,
        "passes": options.passes,
        "scale": options.scale,
        "level": options.level,
        "start-up taken off": taken_off,
        "bases": bases,
        "programs": {
            p.name: {"set": p.set, "group": p.group, "args": p.args, **table[p.name]}
            for p in programs
        },
        "geomeans": means,
    }
    path.write_text(json.dumps(report, indent=1) + "\n")


# --- SVG -----------------------------------------------------------------------------------------

COLOURS = ["#c0392b", "#2471a3", "#1e8449", "#b7950b", "#7d3c98", "#d35400", "#16a085", "#5d6d7e"]
ROW, LEFT, WIDTH, TOP, RIGHT = 18, 120, 620, 60, 30


def text(x, y, content, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {extra}>{escape(content)}</text>'


def plot_axis(place, low, high, base, bottom):
    """Lines and labels at round ratios, the line at 1 stronger."""
    for ratio in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50):
        if low <= ratio <= high:
            x, stroke = place(ratio), "#555" if ratio == 1 else "#ddd"
            yield f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="{stroke}"/>'
            yield text(x, TOP - 10, f"{ratio:g}", 'text-anchor="middle"')
    yield text(LEFT, 18, f"processor time relative to {base}; the further left the faster")


def plot_mark(x, y, result, place, colour):
    low, high = (place(r) for r in result["range"])
    yield f'<line x1="{low:.1f}" y1="{y}" x2="{high:.1f}" y2="{y}" stroke="{colour}"/>'
    yield f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="{colour}" fill-opacity="0.85"/>'


def plot(programs, engines, primary, table, means):
    """The lines of an SVG: a row for each program and set, a dot for each engine's ratio."""
    names = [n for n in engines if n != primary]
    rows = [(p.name, table[p.name]["results"]) for p in programs if table[p.name]["base"] == primary]
    for title in ("tuned", "unseen", "all"):
        if means.get(title, {}).get("base") == primary:
            mean = {n: dict(m, range=[m["ratio"]] * 2) for n, m in means[title]["engines"].items()}
            rows.append((f"geomean, {title}", mean))
    ratios = [r["ratio"] for _, results in rows for n, r in results.items() if "ratio" in r]
    low, high = min([0.5, *ratios]) / 1.1, max([1.5, *ratios]) * 1.1

    def place(ratio):
        return LEFT + math.log(ratio / low) / math.log(high / low) * WIDTH

    height = TOP + ROW * len(rows) + 10
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" height="{height}"'
        ' font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>'
    )
    yield from plot_axis(place, low, high, primary, height - 10)
    for i, name in enumerate(names):
        colour, x = COLOURS[i % len(COLOURS)], LEFT + i * 80
        yield f'<circle cx="{x}" cy="32" r="4" fill="{colour}"/>' + text(x + 8, 36, name)
    for i, (title, results) in enumerate(rows):
        y = TOP + ROW * i + ROW // 2
        yield text(LEFT - 8, y + 4, title, 'text-anchor="end"')
        for k, name in enumerate(names):
            if "ratio" in results.get(name, {}):
                x = place(results[name]["ratio"])
                yield from plot_mark(x, y, results[name], place, COLOURS[k % len(COLOURS)])
    yield "</svg>"


def write_svg(path, programs, engines, primary, table, means):
    path.write_text("\n".join(plot(programs, engines, primary, table, means)) + "\n")
