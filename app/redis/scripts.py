"""Lua scripts that Redis runs in one trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from app.redis.client import redis_store

# Runs scripts one after the other; returns what they returned, nil for nothing. ARGV: first how
# many keys and how many arguments each has.
TOGETHER = """
local scripts, results, key, arg = {%s}, {}, 1, %s
for index, script in ipairs(scripts) do
  local last_key, last_arg = key + ARGV[2 * index - 1] - 1, arg + ARGV[2 * index] - 1
  results[index] = script({unpack(KEYS, key, last_key)}, {unpack(ARGV, arg, last_arg)}) or false
  key, arg = last_key + 1, last_arg + 1
end
return results
"""


@dataclass(frozen=True)
class Call:
    """A script with its keys and arguments."""

    text: str
    keys: Sequence[str]
    args: Sequence[str | bytes | int]

    def run(self) -> Any:
        """Run it alone."""
        return redis_store.script(self.text)(keys=self.keys, args=self.args)


def run_together(*calls: Call) -> list[Any]:
    """Run scripts in one trip; returns what each returned. If one fails, those before it have
    run."""
    if len(calls) < 2:
        return [call.run() for call in calls]
    counts = [len(each) for call in calls for each in (call.keys, call.args)]
    script = redis_store.script(together(tuple(call.text for call in calls)))
    return list(
        script(
            keys=[key for call in calls for key in call.keys],
            args=[*counts, *(arg for call in calls for arg in call.args)],
        )
    )


@cache
def together(texts: Sequence[str]) -> str:
    """The script that runs these."""
    functions = (f"function(KEYS, ARGV)\n{text}\nend" for text in texts)
    return TOGETHER % (", ".join(functions), 2 * len(texts) + 1)
