#!/usr/bin/env python3
"""Runs every benchmark, compares Strait with its limits and its peers, and prints a table of ratios.

    python3 bench/run.py                  builds (if need be), runs everything, writes bench/results/<date>-<cpu>.json
    python3 bench/run.py --quick          only checks that everything runs and that the data is right
    python3 bench/run.py --instructions   adds the instructions per message, counted by valgrind
    python3 bench/run.py --table FILE     prints the tables of earlier results again

How figures become ratios: everything runs in rounds, so that what is compared ran within the same minutes. A virtual
machine's processors move about the host, and the distance between them changes every figure severalfold. So each run is
bracketed by two probes (the round trip of a cache line), runs during which the distance changed are repeated or left
out, and only runs at the same distance are compared. Ratios are ratios of medians.
"""

import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent

SPSC = "bare SPSC ring, polling"
MPMC = "bare MPMC ring, polling"
PIPELINE = "memcpy pipelined"
PIPELINE_16 = "memcpy pipelined, 16 messages per hand-over"
LINES = "two-line cache ping-pong"
FUTEXES = "bare futex ping-pong"
BOOST = ["boost message_queue", "boost message_queue, polling"]

# What is compared: title, workload, Strait's subjects, the references, must, aim. Where several names stand, the best counts.
# A trailing "lower" means that less is better, as with round trips.
ROWS = [
    ("W1 one/one, copying, polling : bare SPSC ring", "w1", ["strait one/one, polling"], [SPSC], 0.9, 1.15, "higher"),
    ("W1 many/many, copying, polling : bare SPSC ring", "w1", ["strait many/many, polling"], [SPSC], 0.5, 0.75, "higher"),
    ("W1 many/many, copying, polling : Boost queue", "w1", ["strait many/many, polling"], BOOST, 5, None, "higher"),
    ("W1 many/many, waiting : polling", "w1", ["strait many/many"], ["strait many/many, polling"], 0.7, 0.9, "higher"),
    ("W1 one/one, waiting : polling", "w1", ["strait one/one"], ["strait one/one, polling"], 0.7, 0.9, "higher"),
    ("W2 1 MiB x 20, hot, copying : memcpy pipelined", "w2-1m-hot",
     ["strait many/many", "strait many/many, polling"], [PIPELINE], 0.95, 1.1, "higher"),
    ("W2 1 MiB x 20, random, copying : memcpy pipelined", "w2-1m-random",
     ["strait many/many", "strait many/many, polling"], [PIPELINE], None, None, "higher"),
    ("W2 1 KiB x 256, hot, copying : memcpy pipelined", "w2-1k-hot",
     ["strait many/many", "strait many/many, polling"], [PIPELINE_16], 0.7, 0.9, "higher"),
    ("W2 1 KiB x 256, hot, copying : bare ring of such nodes", "w2-1k-hot",
     ["strait many/many", "strait many/many, polling"], [PIPELINE], None, None, "higher"),
    ("W2 1 MiB x 20, in place : fill + sum pipelined", "w2-1m-in-place",
     ["strait many/many", "strait many/many, polling"], [PIPELINE], 0.95, 1.0, "higher"),
    ("W3 p50, both awake, many/many : two-line ping-pong", "w3",
     ["strait many/many, polling", "strait many/many"], [LINES], 1.5, 1.2, "lower"),
    ("W3 p50, both awake, one/one : two-line ping-pong", "w3",
     ["strait one/one, polling", "strait one/one"], [LINES], 1.5, 1.2, "lower"),
    ("W3 p50, both parked each time : bare futex", "w3-parked", ["strait many/many, parking at once"], [FUTEXES], 1.15, 1.05, "lower"),
    ("W5 2 + 2, one side per processor : bare MPMC ring", "w5", ["strait many/many, polling", "strait many/many"], [MPMC], 1.2, None, "higher"),
    ("W5 2 + 2, both sides on both processors : bare MPMC ring", "w5-mixed",
     ["strait many/many, polling", "strait many/many"], [MPMC], 1.2, None, "higher"),
]

# Variations of W1, for what a ring's size costs: title, extra options, subject.
VARIATIONS = [
    (f"{subject}, {what}", options, subject)
    for subject in ("strait many/many, polling", "strait one/one, polling")
    for what, options in (
        ("16 nodes", ["--nodes", "16"]),
        ("1024 nodes", ["--nodes", "1024"]),
        ("65536 nodes", ["--nodes", "65536"]),
    )
]

# What handles cost that are open and do nothing: so small a difference shows only between runs that follow each other at once.
IDLE_HANDLES = (1, 60)
IDLE_HANDLE_PAIRS = 25

TITLES = {
    "w1": "W1: 64-byte messages, 1 writer, 1 reader",
    "w5": "W5: 2 writers on one processor, 2 readers on the other",
    "w5-mixed": "W5: a writer and a reader on each of two processors",
    "w2-1m-hot": "W2: 1 MiB x 20, copied in and out, one source buffer",
    "w2-1m-random": "W2: 1 MiB x 20, copied in and out, 256 source buffers",
    "w2-1m-in-place": "W2: 1 MiB x 20, filled and summed in place",
    "w2-1k-hot": "W2: 1 KiB x 256, copied in and out, one source buffer",
    "w2-1k-random": "W2: 1 KiB x 256, copied in and out, 256 source buffers",
    "w2-1k-in-place": "W2: 1 KiB x 256, filled and summed in place",
    "w3": "W3: 64-byte round trip, p50",
    "w3-parked": "W3: 64-byte round trip, p50, the other side asleep each time",
}


# ---- the machine and the build -------------------------------------------------------------------------------------


def output_of(*command):
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60).stdout.strip()
    except OSError:
        return ""


def cpu_name():
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def describe_machine(program):
    commit = output_of("git", "rev-parse", "--short=12", "HEAD") or "unknown"
    if output_of("git", "status", "--porcelain", "--", "include", "bench"):
        commit += " with changes"
    return {
        "date": datetime.datetime.now().isoformat(timespec="seconds"),
        "cpu": cpu_name(),
        "processors": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()}",
        "commit": commit,
        **json.loads(output_of(str(program), "--about") or "{}"),
    }


def built(build, jobs, as_is):
    """The two programs in the build folder, configured and built as needed."""
    programs = [build / "bench" / name for name in ("strait-bench-two-process", "strait-bench-in-process")]
    if as_is:
        return programs
    if not (build / "CMakeCache.txt").exists():
        subprocess.run(["cmake", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DSTRAIT_BUILD_TESTS=OFF",
                        "-DSTRAIT_BUILD_EXAMPLES=OFF", "-DSTRAIT_BUILD_BENCH=ON"], check=True)
    subprocess.run(["cmake", "--build", build, "--parallel", str(jobs), "--target"] + [p.name for p in programs], check=True)
    return programs


# ---- running -------------------------------------------------------------------------------------------------------


class Failed(Exception):
    pass


def run_lines(command, timeout):
    """Runs a command that prints JSON lines. Data that is not right, or a run that fails, ends everything."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(map(str, command))} did not end within {timeout} s")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for line in lines:
        if "failed" in line:
            raise Failed(f"{line['workload']} / {line['subject']}: {line['failed']}")
        if "unavailable" not in line and line.get("verified") is not True:
            raise Failed(f"{line['workload']} / {line['subject']}: the data was not verified")
    if done.returncode != 0:
        raise Failed(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return lines


def moved(line):
    before, after = line.get("line_ns", (1, 1))
    return max(before, after) > 1.3 * min(before, after)


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_rounds(program, options, runs, keep):
    """Adds to `runs` all entries, `options.rounds` times over, and the variations of W1; calls keep() after each round."""
    listing = [line.split("\t") for line in output_of(program, "--list").splitlines()]
    entries = [(w, s) for w, kind, s in listing
               if w != "alone" and (not options.only or w in options.only) and (not options.kinds or kind in options.kinds)]
    common = ["--repeats", options.repeats, "--phase-ms", options.phase_ms, "--probe"]
    if options.realtime:
        common.append("--realtime")
    if options.cpus:
        common += ["--cpus", options.cpus]
    gone = set()
    for number in range(options.rounds):
        for workload, subject in entries:
            if (workload, subject) in gone:
                continue
            for _ in range(3):
                line = run_lines([program, "--workload", workload, "--subject", subject] + common, 180)[0]
                line["round"] = number
                runs.append(line)
                if "unavailable" in line:
                    gone.add((workload, subject))
                    say(f"{workload} / {subject}: not available, {line['unavailable']}")
                if "unavailable" in line or not moved(line):
                    break
        if (not options.only or "w1-variation" in options.only) and (not options.kinds or "strait" in options.kinds):
            for title, extra, subject in VARIATIONS:
                line = run_lines([program, "--workload", "w1", "--subject", subject] + extra + common, 180)[0]
                line.update(round=number, workload="w1-variation", title=title)
                runs.append(line)
        keep()
        say(f"round {number + 1} of {options.rounds} done")


def run_idle_handles(program, options):
    """Runs of W1 by turns with one and with 60 idle handles; the ratios of those pairs during which the distance did not change."""
    common = ["--repeats", "3", "--phase-ms", min(options.phase_ms, 50), "--probe"] + (["--realtime"] if options.realtime else [])
    ratios = {}
    for subject in ("strait many/many, polling", "strait one/one, polling"):
        ratios[subject] = []
        for number in range(IDLE_HANDLE_PAIRS):
            pair = {}
            for handles in IDLE_HANDLES if number % 2 == 0 else reversed(IDLE_HANDLES):
                pair[handles] = run_lines([program, "--workload", "w1", "--subject", subject, "--idle-handles", str(handles)] + common, 180)[0]
            distances_met = [ns for line in pair.values() for ns in line.get("line_ns", (1,))]
            if max(distances_met) <= 1.3 * min(distances_met):
                few, many = (pair[handles]["median"] for handles in IDLE_HANDLES)
                ratios[subject].append(many / few)
    return ratios


def run_in_process(program, quick):
    command = [str(program), "--benchmark_format=json", f"--benchmark_min_time={0.001 if quick else 0.3}"]
    if not quick:
        command += ["--benchmark_repetitions=5", "--benchmark_enable_random_interleaving=true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise Failed(f"{program.name} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    found = {}
    for entry in json.loads(done.stdout)["benchmarks"]:
        if entry.get("error_occurred"):
            raise Failed(f"{entry['name']}: {entry.get('error_message')}")
        if entry.get("run_type") == "iteration":
            # manual time is the real time; "each" is in seconds per operation of a batch
            ns = entry["each"] * 1e9 if "each" in entry else entry["real_time" if "manual_time" in entry["name"] else "cpu_time"]
            found.setdefault(entry.get("run_name", entry["name"]).replace("/manual_time", ""), []).append(ns)
    return {name: {"median": statistics.median(times), "min": min(times), "max": max(times), "unit": "ns"} for name, times in found.items()}


def instructions_per_message(program):
    """One process writes and reads by turns; the difference of two lengths leaves only the messages."""
    if not shutil.which("valgrind"):
        say("valgrind is not installed: no instructions per message")
        return {}
    subjects = [line.split("\t")[2] for line in output_of(program, "--list").splitlines() if line.startswith("alone\t")]
    counts = {}
    cases = [(subject, subject, []) for subject in subjects]
    cases += [(f"{subject}, {IDLE_HANDLES[1]} idle handles", subject, ["--idle-handles", str(IDLE_HANDLES[1])])
              for subject in subjects if subject.startswith("strait") and subject.endswith("polling")]
    for title, subject, extra in cases:
        totals = []
        for messages in (2_000, 12_000):
            done = subprocess.run(
                ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=no", str(program), "--workload", "alone",
                 "--subject", subject, "--repeats", "1", "--count", str(messages)] + extra, capture_output=True, text=True, timeout=300)
            if done.returncode != 0:
                raise Failed(f"valgrind on {subject}: {done.stderr.strip()[-500:]}")
            # the parent's count and the child's; each phase ran twice, once to warm up
            totals.append(sum(int(found) for found in re.findall(r"Collected : (\d+)", done.stderr)))
        counts[title] = (totals[1] - totals[0]) / 20_000
        say(f"{counts[title]:8.1f} instructions per message: {title}")
    return counts


# ---- from runs to figures --------------------------------------------------------------------------------------------


def distances(runs):
    """Groups of distances between the processors: sorted, a gap of more than 30 % begins a new one."""
    values = sorted(v for run in runs for v in run.get("line_ns", ()))
    groups = []
    for value in values:
        if groups and value <= 1.3 * groups[-1][1]:
            groups[-1][1] = value
        else:
            groups.append([value, value])
    return groups


def at_distance(runs, group):
    low, high = group
    return [r for r in runs if "median" in r and not moved(r) and ("line_ns" not in r or low <= min(r["line_ns"]) <= max(r["line_ns"]) <= high)]


def figures(runs):
    """(workload or variation, subject) -> {median, min, max, n, unit, p99}"""
    gathered = {}
    for run in runs:
        key = (run["workload"], run.get("title", run["subject"]))
        entry = gathered.setdefault(key, {"samples": [], "p99": [], "p99_9": [], "unit": run["unit"], "kind": run["kind"]})
        entry["samples"] += run["samples"]
        entry["p99"] += run.get("p99", [])
        entry["p99_9"] += run.get("p99_9", [])
    for entry in gathered.values():
        samples = entry.pop("samples")
        entry.update(median=statistics.median(samples), min=min(samples), max=max(samples), n=len(samples))
        for key in ("p99", "p99_9"):
            entry[key] = statistics.median(entry[key]) if entry[key] else None
    return gathered


def ratio_rows(found):
    rows = []
    for title, workload, ours, references, must, aim, better in ROWS:
        best = max if better == "higher" else min
        mine = [found[workload, s]["median"] for s in ours if (workload, s) in found]
        theirs = [found[workload, s]["median"] for s in references if (workload, s) in found]
        if not mine or not theirs:
            rows.append({"title": title, "must": must, "aim": aim, "better": better})
            continue
        value, reference = best(mine), best(theirs)
        ratio = value / reference if reference else math.nan
        reaches = (lambda bound: ratio >= bound) if better == "higher" else (lambda bound: ratio <= bound)
        verdict = "" if must is None else "aim" if aim is not None and reaches(aim) else "must" if reaches(must) else "MISSED"
        rows.append({"title": title, "value": value, "reference": reference, "unit": found[workload, ours[0]]["unit"] if (workload, ours[0]) in found else "",
                     "ratio": ratio, "must": must, "aim": aim, "better": better, "verdict": verdict})
    return rows


# ---- printing --------------------------------------------------------------------------------------------------------


def short(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def print_tables(results):
    runs = results["runs"]
    groups = distances(runs) or [[0, math.inf]]
    # Only distances at which all kinds were met say anything.
    groups = [g for g in groups if len({r["subject"] for r in at_distance(runs, g)}) > 5] or groups[:1]
    machine = results["machine"]
    print(f"{machine['cpu']}, {machine['processors']} processors, {machine['kernel']}, {machine.get('compiler', '?')}, commit {machine['commit']}, {machine['date']}")
    if not machine.get("optimised", True):
        print("NOT OPTIMISED: these figures mean nothing")
    for group in groups:
        found = figures(at_distance(runs, group))
        where = f"processors {group[0]:.0f} to {group[1]:.0f} ns apart (round trip of a cache line)" if group[1] < math.inf else "distance not measured"
        print(f"\n== {where}\n")
        print(f"{'what : against what':58} {'Strait':>8} {'limit':>8} {'':5} {'ratio':>6} {'must':>7} {'aim':>7}")
        for row in ratio_rows(found):
            sign = ">=" if row["better"] == "higher" else "<="
            bound = lambda b: f"{sign} {b:g}" if b is not None else "-"
            if "ratio" in row:
                print(f"{row['title']:58} {short(row['value']):>8} {short(row['reference']):>8} {row['unit']:5} {row['ratio']:6.2f} {bound(row['must']):>7} {bound(row['aim']):>7}  {row['verdict']}")
            else:
                print(f"{row['title']:58} {'-':>8} {'-':>8} {'':5} {'-':>6} {bound(row['must']):>7} {bound(row['aim']):>7}  not measured at this distance")
        for workload, title in TITLES.items():
            entries = sorted(((f["median"], s, f) for (w, s), f in found.items() if w == workload), reverse=not workload.startswith("w3"))
            if entries:
                print(f"\n{title}")
            for middle, subject, f in entries:
                tail = f", p99 {short(f['p99'])}, p99.9 {short(f['p99_9'])}" if workload.startswith("w3") else ""
                print(f"  {subject:45} {short(middle):>8} {f['unit']:5} ({short(f['min'])} .. {short(f['max'])}, {f['n']} phases{tail})")
        entries = [(s, f) for (w, s), f in found.items() if w == "w1-variation"]
        if entries:
            print("\nW1, what size costs")
        for title, f in entries:
            print(f"  {title:45} {short(f['median']):>8} {f['unit']:5} ({short(f['min'])} .. {short(f['max'])}, {f['n']} phases)")
    for subject, ratios in results.get("idle_handles", {}).items():
        if len(ratios) < 4:
            continue
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(f"\nW1 with {IDLE_HANDLES[1]} idle handles : with {IDLE_HANDLES[0]}, {subject}: {middle:.3f} (half of {len(ratios)} pairs from {low:.3f} to {high:.3f})")
    if results.get("instructions"):
        print("\nInstructions per message (one write and one read, nobody in the way)")
        for subject, count in results["instructions"].items():
            print(f"  {subject:45} {count:8.1f}")
    if results.get("in_process"):
        print("\nOne operation in one process, ns")
        for name, f in results["in_process"].items():
            print(f"  {name:45} {short(f['median']):>8} ({short(f['min'])} .. {short(f['max'])})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short phase of everything; only the data is checked")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "bench", help="build folder")
    parser.add_argument("--as-is", action="store_true", help="run what is in the build folder, build nothing")
    parser.add_argument("--jobs", type=int, default=2, help="compile so many files at a time")
    parser.add_argument("--rounds", type=int, default=5, help="how often everything runs")
    parser.add_argument("--repeats", type=int, default=3, help="timed phases per run, after the warm-up")
    parser.add_argument("--phase-ms", type=int, default=150, help="length of a timed phase")
    parser.add_argument("--cpus", help="the two processors to use, A,B")
    parser.add_argument("--realtime", action="store_true", help="above all ordinary processes, for a machine that is not idle (root)")
    parser.add_argument("--only", nargs="*", help="only these workloads: " + " ".join(TITLES) + " w1-variation idle-handles")
    parser.add_argument("--kinds", nargs="*", choices=["limit", "peer", "strait"], help="only these kinds of subjects")
    parser.add_argument("--instructions", action="store_true", help="also count instructions per message (valgrind)")
    parser.add_argument("--output", type=pathlib.Path, help="where the raw results go")
    parser.add_argument("--table", type=pathlib.Path, help="print the tables of these results and do nothing else")
    options = parser.parse_args()

    if options.table:
        print_tables(json.loads(options.table.read_text()))
        return 0

    two_process, in_process = built(options.build.resolve(), options.jobs, options.as_is)
    slug = re.sub(r"[^a-z0-9]+", "-", cpu_name().lower()).strip("-")
    output = options.output or (None if options.quick else HERE / "results" / f"{datetime.date.today()}-{slug}.json")
    results = {"machine": describe_machine(two_process), "settings": {}, "runs": []}

    def keep():
        if output:
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(json.dumps(results) + "\n")

    if options.quick:
        results["runs"] = run_lines([two_process, "--quick"], 500)
        results["in_process"] = run_in_process(in_process, True)
    else:
        results["settings"] = {"rounds": options.rounds, "repeats": options.repeats, "phase_ms": options.phase_ms, "realtime": options.realtime}
        try:
            run_rounds(two_process, options, results["runs"], keep)
            if not options.only and not options.kinds:
                results["in_process"] = run_in_process(in_process, False)
            if (not options.only or "idle-handles" in options.only) and (not options.kinds or "strait" in options.kinds):
                results["idle_handles"] = run_idle_handles(two_process, options)
        except KeyboardInterrupt:
            say("interrupted: what was measured so far follows")
    if options.instructions:
        results["instructions"] = instructions_per_message(two_process)
    keep()
    if options.quick:
        verified = sum("verified" in run for run in results["runs"])
        print(f"{verified} runs between processes, {len(results['in_process'])} benchmarks in one process: the data is right")
    else:
        print_tables(results)
    if output:
        say(f"raw results: {output}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"FAILED: {failure}")
    except subprocess.CalledProcessError as failure:
        sys.exit(f"FAILED: {failure}")
