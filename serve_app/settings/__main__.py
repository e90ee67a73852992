"""`python -m serve_app.settings VALUES_FILE` prints values.schema.json for the chart's values.yaml."""

import argparse
import json
from pathlib import Path

from serve_app.settings.entries import entries
from serve_app.settings.schema import values_schema


def main() -> None:
    """Prints the schema, or a part of it as a table; always in the same order."""
    parser = argparse.ArgumentParser(prog="python -m serve_app.settings", description=__doc__)
    parser.add_argument("values", type=Path, metavar="VALUES_FILE", help="the chart's values.yaml")
    parser.add_argument("--entries", action="store_true", help="print the end of VALUES.md instead")
    arguments = parser.parse_args()
    schema = values_schema(arguments.values)
    # A line for each item, for reviews, and none of the spaces: Helm keeps the schema in the Secret of each revision.
    print(entries(schema) if arguments.entries else json.dumps(schema, indent=0, ensure_ascii=False))


if __name__ == "__main__":
    main()
