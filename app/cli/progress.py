"""How far the work of a command is, on stderr."""

import time

import click

SECONDS = 2.0  # between two lines


class Progress:
    """Prints a line now and then while work is going on, and one at the end of what was printed
    before: short work prints nothing."""

    def __init__(self) -> None:
        self.printed_at = time.monotonic()
        self.printed = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        if not total:
            return
        is_end = done >= total and what == self.printed
        if is_end or time.monotonic() - self.printed_at >= SECONDS:
            click.echo(f"{what}: {done:,} of {total:,} ({done * 100 // total} %)", err=True)
            self.printed_at = time.monotonic()
            self.printed = "" if is_end else what
