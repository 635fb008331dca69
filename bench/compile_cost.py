#!/usr/bin/env python3
"""What it costs to include each public header: python3 bench/compile_cost.py [--compiler g++] [--repeats 5]

Each header alone in a file, compiled without optimization: processor time of the compiler (user and system, the least of several runs) and
the lines that are left after the preprocessor. A header of the standard library is there for comparison."""

import argparse
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parent / "include"
FOR_COMPARISON = ["<string>", "<chrono>", "<functional>"]


def processor_time(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, timeout=300)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("headers", nargs="*", help="by default all public ones")
    options = parser.parse_args()
    # A compiler's cache would be measured instead of the compiler.
    found = [path for folder in ("/usr/bin", "/usr/local/bin") if (path := shutil.which(options.compiler, path=folder))]
    compiler = found[0] if found else options.compiler

    names = options.headers or [
        str(path.relative_to(INCLUDE)) for pattern in ("strait/*.hpp", "strait/dotnet/*.hpp") for path in sorted(INCLUDE.glob(pattern))
    ]
    included = [f"<{name}>" for name in names] + ([] if options.headers else FOR_COMPARISON)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "alone.cpp")
        command = [compiler, "-std=c++20", f"-I{INCLUDE}", str(source)]
        for header in included:
            source.write_text(f"#include {header}\n")
            text = subprocess.run(command + ["-E", "-P"], check=True, capture_output=True, timeout=300).stdout
            times = [processor_time(command + ["-O0", "-c", "-o", str(pathlib.Path(folder, "alone.o"))]) for _ in range(options.repeats)]
            rows.append((min(times), text.count(b"\n"), header))
            print(f"{min(times):.2f} s  {header}", file=sys.stderr, flush=True)

    rows.sort(reverse=True)
    print("| header | seconds | lines |\n|---|---|---|")
    for seconds, lines, header in rows:
        print(f"| `{header.strip('<>') if header.startswith('<strait') else header}` | {seconds:.2f} | {lines:,} |")


if __name__ == "__main__":
    main()
