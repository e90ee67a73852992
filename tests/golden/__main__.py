"""`python -m tests.golden`: writes the golden files anew, and removes those without a values file."""

from pathlib import Path

from tests.golden.rendering import VALUES, golden, render

for stale in Path(__file__).parent.glob("*.yaml"):
    if stale.name not in {values.name for values in VALUES}:
        stale.unlink()
for values in VALUES:
    golden(values).write_text(render(values))
