"""``python -m sync.domain.example --size small``: how many records of each kind, and who works there."""

import argparse
import sys
from collections import Counter

from sync.domain.example import SIZES, TODAY, community, people


def main(arguments: list[str] | None = None) -> int:
    """Make the community and print its counts."""
    parser = argparse.ArgumentParser(prog="python -m sync.domain.example")
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--today", default=TODAY, help="the day on which the history ends, YYYY-MM-DD")
    chosen = parser.parse_args(arguments)
    counts = Counter(operation.kind for operation in community(chosen.size, today=chosen.today))
    lines = [f"{kind:20}{count:>9,}" for kind, count in counts.items()]
    lines += [f"{'all':20}{sum(counts.values()):>9,}", ""]
    lines += [f"{person.name}\t{person.title}\t{person.pin}" for person in people(chosen.size) if person.pin]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
