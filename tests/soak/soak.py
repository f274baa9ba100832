"""The long form of the proofs, one program each, in order; the last line says how many of what, and what they found."""

import subprocess
import sys
from pathlib import Path

PROOFS = ("many_histories", "many_kills", "three_stores", "bad_line", "much_fuzz")


def main() -> int:
    """Run them all, whatever one of them finds; 0 when all are clean."""
    folder = Path(__file__).parent
    told = []
    failed = False
    for name in PROOFS:
        print(f"--- {name}", flush=True)
        last = ""
        with subprocess.Popen([sys.executable, str(folder / f"{name}.py")], stdout=subprocess.PIPE, text=True) as proof:
            assert proof.stdout is not None
            for line in proof.stdout:
                last = line.strip() or last
                print(line, end="", flush=True)
        failed |= proof.returncode != 0
        told.append(last if proof.returncode == 0 or "FAILED" in last else f"{name}: FAILED ({last})")
    print(f"soak: {'FAILED' if failed else 'ok'} | {' | '.join(told)}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
