"""Run every benchmark and print one table a topic, in Markdown."""

import importlib
import sys

from benchmarks.harness import table

TOPICS = (
    "startup",
    "least_squares",
    "classification",
    "convolution",
    "mnist_convolution",
    "label_fit",
    "lotka_volterra",
    "neural_ode",
)


def main() -> None:
    """The tables of the topics named on the command line, or of all."""
    for topic in sys.argv[1:] or TOPICS:
        rows, skipped = importlib.import_module(f"benchmarks.{topic}").measure()
        print(f"## {topic.replace('_', ' ')}\n\n{table(rows, skipped)}\n")


if __name__ == "__main__":
    main()
