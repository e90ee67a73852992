"""What the cluster tests measure beside what they assert; printed after the run."""

LINES: list[str] = []


def note(line: str) -> None:
    """Keep one line for the end of the run."""
    LINES.append(line)
