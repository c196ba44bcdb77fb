"""`make bench`: ours as it runs (log, time-outs, two workers) beside a plain Flask application and
bare Flask, as one table. Only the limit on computations is raised, and still asked.

ROWS=1000000 for a larger register; ROUNDS and RUN_SECONDS for shorter trials; WORKS=create,mixed
for some of the works, by any part of their names. The sides take turns within each round, so that
whatever else the machine does affects all of them. Nothing is asserted. Data and files are in
memory where there is space.
"""

import os
import random
import shutil
import sys
from math import nan

from tests.benchmarks.figures import Load, Sample
from tests.benchmarks.machine import memory, settle, usage, with_descendants
from tests.benchmarks.sides import Side, running_sides
from tests.benchmarks.table import LEGEND, Samples, head, lines
from tests.benchmarks.works import CONNECTIONS, Perform, Run, Work, Works

ROWS = int(os.environ.get("ROWS", "100000"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = float(os.environ.get("RUN_SECONDS", "3"))
WORKS = tuple(filter(None, os.environ.get("WORKS", "").split(",")))
WARM_UP_SECONDS = 1


def measure(side: Side | None, perform: Perform, run: Run, database: int) -> list[Sample]:
    """One side in one round: a sample for each part of the work. The next side is not asked before
    this one has finished what nobody waits for any more; that is part of its processor time."""
    web = side.web if side else None
    before = usage(web, database)
    loads = perform(run)
    settle(web, database)
    spent = usage(web, database) - before
    asked = sum(load.done + load.failures for load in loads)
    resident = memory(with_descendants(web) - {web}) if web else 0

    def sample(load: Load) -> Sample:
        web_ms = database_ms = nan
        if web and asked:
            web_ms, database_ms = (1000 * each / asked for each in (spent.web, spent.database))
        return Sample(load, web_ms, database_ms, resident, spent.others, spent.steal_share)

    return [sample(load) for load in loads]


def take(work: Work, number: int, seconds: float, database: int) -> dict[str, list[Sample]]:
    """One round of a work: each side in turn, every other round in reverse order."""
    order = list(work.sides)
    taken = {}
    for label in order if number % 2 else reversed(order):
        side, perform = work.sides[label]
        run = Run(seconds, random.Random(f"{work.name} {number}"))
        taken[label] = measure(side, perform, run, database)
    return {label: taken[label] for label in order}


def progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> None:
    """Start the servers, measure, print the table."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    progress(f"filling the databases with {ROWS:,} cities")
    with running_sides(ROWS) as sides:
        every = Works(sides).all()
        works = [work for work in every if not WORKS or any(name in work.name for name in WORKS)]
        if not works:
            sys.exit(f"WORKS must be parts of these names: {'; '.join(w.name for w in every)}")
        results: dict[tuple[str, str], Samples] = {}
        for number in range(ROUNDS + 1):
            progress(f"round {number} of {ROUNDS}" if number else "once without measuring")
            for work in works:
                seconds = SECONDS if number else WARM_UP_SECONDS
                taken = take(work, number, seconds, sides.database)
                if number:
                    add(results, work, taken)
    print_table(results)


def add(
    results: dict[tuple[str, str], Samples], work: Work, taken: dict[str, list[Sample]]
) -> None:
    """Add the samples of a round to those of the same line."""
    for label, samples in taken.items():
        for part, sample in zip(work.parts, samples, strict=True):
            line = results.setdefault((work.name, part), {})
            line.setdefault(label, []).append(sample)


def print_table(results: dict[tuple[str, str], Samples]) -> None:
    rows = [
        f"{ROWS:,} cities, MariaDB, 2 workers, {CONNECTIONS} connections, {ROUNDS} rounds of "
        f"{SECONDS:g} s\n",
        head(),
    ]
    for (name, part), samples in results.items():
        rows += lines(f"{name}: {part}" if part else name, samples)
    sys.stdout.write("\n".join(rows) + f"\n{LEGEND}")


if __name__ == "__main__":
    main()
