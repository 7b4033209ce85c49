"""What a user waits for before anything happens, beside the bare interpreter."""

import subprocess
import sys

from benchmarks.harness import Row, compare


def measure() -> tuple[list[Row], list[str]]:
    """Processes started in turn with `python -c pass`; the ratio tells what occore adds."""

    def python(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603

    call = "from occore.cli import main\ntry: main({})\nexcept SystemExit: pass"
    case = "['run', 'cases/02_least_squares/ill_conditioned.toml', '-o', '/dev/null/x']"
    works = {
        "occore --help": "['--help']",
        "occore run: case read, problem not yet built": case,
    }
    rows = [
        compare(
            name,
            "python -c pass",
            lambda arguments=arguments: python(call.format(arguments)),
            lambda: python("pass"),
            "exit status",
        )
        for name, arguments in works.items()
    ]
    return rows, []
