"""`python -m serve_app.settings VALUES_FILE` prints values.schema.json for the chart's values.yaml."""

import argparse
import json
from pathlib import Path

from serve_app.settings.schema import values_schema


def main() -> None:
    """Prints the schema, always in the same order."""
    parser = argparse.ArgumentParser(prog="python -m serve_app.settings", description=__doc__)
    parser.add_argument("values", type=Path, metavar="VALUES_FILE", help="the chart's values.yaml")
    print(json.dumps(values_schema(parser.parse_args().values), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
