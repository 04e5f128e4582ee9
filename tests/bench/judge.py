"""What run.py's measurements mean: which runs count, ratios, geometric means."""

import collections
import math
import statistics

from engines import NATIVE


def expected_output(program, engines, runs):
    """What the native program printed, else what most engines did; None if nothing ran."""
    outputs = {n: runs[program.name, n][0] for n in engines if runs[program.name, n]}
    good = {n: tuple(run.output) for n, run in outputs.items() if not run.error}
    if NATIVE in good:
        return list(good[NATIVE])
    counts = collections.Counter(good.values()).most_common(1)
    return list(counts[0][0]) if counts else None


def error_of(done, expected):
    """Why an engine's runs of a program do not count, or None."""
    for run in done:
        if run.error:
            return run.error
        if run.output != expected:
            return f"wrong output: {(run.output or ['nothing'])[0]}"
    return None


def compare(result, base_times):
    """Adds to a result "ratio", the median of the passes' ratios, and "range", the extremes."""
    each = [t / b for t, b in zip(result["times"], base_times) if b > 0]
    if each:
        result["ratio"] = statistics.median(each)
        result["range"] = [min(each), max(each)]


def judge_program(program, engines, bases, runs):
    """{"base": the first of `bases` that ran it, or None; "results": engine name -> result}.

    A result is {"times", "median", "rss", "ratio", "range"} or {"error"}; rss in KiB.
    """
    expected = expected_output(program, engines, runs)
    results = {}
    for name in engines:
        done = runs[program.name, name]
        if done and (error := error_of(done, expected)):
            results[name] = {"error": error}
        elif done:
            times = [run.seconds for run in done]
            rss = max(run.rss for run in done)
            results[name] = {"times": times, "median": statistics.median(times), "rss": rss}
    base = next((b for b in bases if "times" in results.get(b, {})), None)
    for result in results.values():
        if base and "times" in result:
            compare(result, results[base]["times"])
    return {"base": base, "results": results}


def geomean(programs, name, table, base):
    """{"ratio", "programs", "worst"} of an engine over the programs judged against `base`."""
    rows = [table[p.name] for p in programs]
    ratios = [row["results"].get(name, {}).get("ratio") for row in rows if row["base"] == base]
    ratios = [r for r in ratios if r]
    if not ratios:
        return None
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    return {"ratio": mean, "programs": len(ratios), "worst": max(ratios)}


def sections(programs, bases, table):
    """[(title, programs, base)] to take geomeans over: groups, then sets, then all.

    A group is judged against the base that most of its programs have; the others against the first
    base that has run anything.
    """
    used = {table[p.name]["base"] for p in programs}
    overall = next((b for b in bases if b in used), None)
    found = []
    for group in dict.fromkeys(p.group for p in programs):
        members = [p for p in programs if p.group == group]
        counts = collections.Counter(table[p.name]["base"] for p in members)
        found.append((group, members, counts.most_common(1)[0][0]))
    for kind in dict.fromkeys(p.set for p in programs):
        members = [p for p in programs if p.set == kind]
        if any(p.group != kind for p in members):
            found.append((kind, members, overall))
    found.append(("all", programs, overall))
    return found


def judge(programs, engines, bases, runs):
    """(program name -> judged program, section title -> {"base", "engines": name -> geomean})."""
    table = {p.name: judge_program(p, engines, bases, runs) for p in programs}
    means = {}
    for title, members, base in sections(programs, bases, table):
        by_engine = {n: geomean(members, n, table, base) for n in engines}
        by_engine = {n: m for n, m in by_engine.items() if m}
        if by_engine:
            means[title] = {"base": base, "engines": by_engine}
    return table, means
