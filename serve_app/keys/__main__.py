"""`python -m serve_app.keys`: the command line."""

import argparse
import re
import sys
from typing import get_args

from serve_app import keys
from serve_app.keys import commands
from serve_app.keys.secret import KeysError
from serve_app.settings.gateway import Priority


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = 0
    if not 0 < amount <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount above 0")
    return amount


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is no list such as a,b")
    return names


def _parents() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser, argparse.ArgumentParser]:
    """What commands have in common: which key, which Secret, what the key may do."""
    key, place, policy = (argparse.ArgumentParser(add_help=False) for _ in range(3))
    key.add_argument("name", metavar="NAME", help="of the key; clients never see it, metrics and logs show it")
    place.add_argument("--secret", required=True, help="as the chart's notes name it: ..." + commands.ISSUED)
    place.add_argument("-n", "--namespace", default="", help="of the gateway; kubectl's own if not set")
    place.add_argument("--context", default="", help="of the kubeconfig; kubectl's own if not set")
    policy.add_argument("--team", metavar="T", help="one of the gateway's teams, whose limits hold as well")
    policy.add_argument("--models", type=_names, metavar="A,B", help="models and routes that it may ask for; else all")
    policy.add_argument("--priority", choices=get_args(Priority), help="whose turn comes first where requests wait")
    for field, unit in commands.COUNTS.items():
        flag = re.sub("[A-Z]", lambda letter: f"-{letter[0].lower()}", field)
        policy.add_argument(f"--{flag}", dest=field, type=_count, metavar="N", help=f"at most N {unit}")
    policy.add_argument(
        "--monthly-cost", dest="monthlyCost", type=_amount, metavar="N", help="at most N a month, in metering.currency"
    )
    policy.add_argument("--expires", metavar="TIME", help="2027-01-31 (its start, UTC) or 2027-01-31T12:00:00Z")
    return key, place, policy


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serve_app.keys", description=keys.__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    key, place, policy = _parents()
    parents = {
        "make": (commands.make, [key, place, policy]),
        "rotate": (commands.rotate, [key, place]),
        "list": (commands.list_keys, [place]),
        "revoke": (commands.revoke, [key, place]),
        "hash": (commands.hash_key, [key, policy]),
    }
    added = {}
    for name, (run, shared) in parents.items():
        added[name] = subparsers.add_parser(name, parents=shared, help=run.__doc__, description=run.__doc__)
        added[name].set_defaults(run=run)
    added["make"].add_argument("--replace", action="store_true", help="end the key that has the name")
    added["make"].add_argument(
        "--dry-run", action="store_true", help="print the Secret with this entry only, to be sealed; the key to stderr"
    )
    added["rotate"].add_argument("--finish", action="store_true", help="end the old text, once nobody sends it")
    added["list"].add_argument("-o", "--output", choices=("table", "json"), default="table", help="(%(default)s)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        The exit status: 0, or 1 where nothing was done.
    """
    arguments = _arguments(argv)
    try:
        arguments.run(arguments)
    except KeysError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
