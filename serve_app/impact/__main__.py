"""`python -m serve_app.impact`: the command line."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from serve_app import impact
from serve_app.impact import allow, causes, helm, manifests, report, verdict
from serve_app.impact.errors import ImpactError
from serve_app.impact.verdict import Verdict

STOPPED = 3
"""Exit status of the guard where it stops an upgrade; the chart's Job tries again after any other failure."""
_PLACE = ("--namespace", "--kube-context", "--kubeconfig")


def _arguments(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(prog="python -m serve_app.impact", description=impact.__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    common, place = (argparse.ArgumentParser(add_help=False) for _ in range(2))
    common.add_argument(
        "--allow", action="append", default=[], metavar="rolls,new-cluster:main", help="what may happen"
    )
    common.add_argument("--report", choices=report.FORMS, default="table", help="(%(default)s)")
    place.add_argument("-n", "--namespace", default="")
    place.add_argument("--kube-context", default="")
    place.add_argument("--kubeconfig", default="")

    def command(
        name: str, does: str, *parents: argparse.ArgumentParser, usage: str | None = None
    ) -> argparse.ArgumentParser:
        shared = [common, *parents]
        return commands.add_parser(name, parents=shared, help=does, description=does, usage=usage, allow_abbrev=False)

    compare = command("compare", "two rendered manifests, or with --chart two values files")
    compare.add_argument("--from", dest="old", action="append", required=True, metavar="FILE", help="before")
    compare.add_argument("--to", dest="new", action="append", required=True, metavar="FILE", help="after")
    compare.add_argument(
        "--chart", default="", help="renders the files as values; further arguments are helm template's"
    )
    does = "the release as it is, with what helm upgrade would apply with the same arguments"
    command(
        "upgrade", does, place, usage="helm impact upgrade RELEASE CHART [as helm upgrade] [--allow A] [--report R]"
    )
    rollback = command("rollback", "the release as it is, with one of its revisions", place)
    rollback.add_argument("release")
    rollback.add_argument("revision", type=int)
    following = command("watch", "how far a change has come; ends when it is complete, or has failed", place)
    following.add_argument("release")
    following.add_argument("--timeout", type=float, default=3600, metavar="S", help="seconds in all (%(default)s)")
    following.add_argument(
        "--patience", type=float, default=120, metavar="S", help="seconds that something may be failed (%(default)s)"
    )
    guard = command("guard", "stops an upgrade; the chart's hook runs it in the cluster")
    guard.add_argument("--manifests", type=Path, required=True, help="directory with the new RayServices")
    guard.add_argument("--release", required=True)
    guard.add_argument("--approve", action="append", default=[], metavar="DIGEST")
    arguments, rest = parser.parse_known_args(argv)
    if rest and not (arguments.command == "upgrade" or getattr(arguments, "chart", "")):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return arguments, rest


def _compare(arguments: argparse.Namespace, rest: Sequence[str]) -> Verdict:
    if not arguments.chart:
        old, new = ("\n---\n".join(_read(file) for file in files) for files in (arguments.old, arguments.new))
        return verdict.compare(manifests.load(old), manifests.load(new))
    rendered = []
    for files in (arguments.old, arguments.new):
        release = helm.template(arguments.chart, [*rest, *(word for file in files for word in ("--values", file))])
        rendered.append(manifests.load(release.manifest))
    found = verdict.compare(rendered[0], rendered[1])
    changed = causes.values(*(causes.merged(map(_read, files)) for files in (arguments.old, arguments.new)))
    return Verdict(tuple(causes.named(found.findings, changed)), found.digest)


def _released(arguments: argparse.Namespace, rest: Sequence[str]) -> Verdict:
    place = [word for both in _flags(arguments) for word in both]
    if arguments.command == "rollback":
        new = helm.live(arguments.release, place, arguments.revision)
    else:
        new = helm.upgraded([*rest, *place])
    old = helm.live(new.name, place)
    found = verdict.compare(manifests.load(old.manifest), manifests.load(new.manifest))
    return Verdict(tuple(causes.named(found.findings, causes.values(old.values, new.values))), found.digest)


def _read(file: str) -> str:
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ImpactError(f"{file} cannot be read, correct the path: {error}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: The arguments; those of the process if None.

    Returns:
        0 where everything is allowed, the number of the worst effect that is not, or 1 where there is no verdict.
    """
    arguments, rest = _arguments(argv)
    try:
        allowed = allow.parse(word for text in arguments.allow for word in text.split(",") if word)
        if arguments.command == "guard":
            return _guard(arguments, allowed)
        if arguments.command == "watch":
            return _watch(arguments)
        found = _compare(arguments, rest) if arguments.command == "compare" else _released(arguments, rest)
    except ImpactError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    sys.stdout.write(report.FORMS[arguments.report](found, allowed) + "\n")
    return int(max((each.effect for each in found.beyond(allowed)), default=0))


def _watch(arguments: argparse.Namespace) -> int:
    from serve_app.impact import watch

    # Helm tells its plugins by the environment what it has taken off their arguments.
    arguments.namespace = arguments.namespace or os.environ.get("HELM_NAMESPACE", "")
    arguments.kube_context = arguments.kube_context or os.environ.get("HELM_KUBECONTEXT", "")
    place = [f"{flag.replace('kube-', '')}={value}" for flag, value in _flags(arguments)]
    return watch.follow(
        arguments.release,
        place,
        timeout_seconds=arguments.timeout,
        patience_seconds=arguments.patience,
        say=lambda text: print(text, flush=True),
    )


def _flags(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """The flags that say where a release is, as helm writes them."""
    flags = ((flag, getattr(arguments, flag.strip("-").replace("-", "_"))) for flag in _PLACE)
    return [(flag, value) for flag, value in flags if value]


def _guard(arguments: argparse.Namespace, allowed: allow.Allowed) -> int:
    from serve_app import in_cluster
    from serve_app.impact import guard

    text = "\n---\n".join(_read(str(file)) for file in sorted(arguments.manifests.glob("*.yaml")))

    async def run() -> bool:
        async with in_cluster.session() as (session, namespace):
            return await guard.guard(
                guard.ReleaseApi(session, namespace),
                text,
                release=arguments.release,
                allowed=allowed,
                approved=arguments.approve,
                say=lambda text: print(text, flush=True),
            )

    return 0 if asyncio.run(run()) else STOPPED


if __name__ == "__main__":
    sys.exit(main())
