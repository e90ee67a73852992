"""`python -m tests.golden`: writes the golden files, the tables of the docs, and the demo's values in the chart."""

import re
from pathlib import Path

from tests.golden import accelerators, catalogue, edits
from tests.golden.rendering import CHART, ROOT, VALUES, golden, render

for stale in Path(__file__).parent.glob("*.yaml"):
    if stale.name not in {values.name for values in VALUES}:
        stale.unlink()
for values in VALUES:
    golden(values).write_text(render(values))
_, _, demo = (ROOT / "values" / "cpu-demo.yaml").read_text().partition("\n\n")
note = "# What chart-testing installs: values/cpu-demo.yaml without its comments. Made by `make generate`.\n"
(CHART / "ci" / "default-values.yaml").write_text(note + re.sub(r"(?m)^#.*\n| +#.*$", "", demo))
accelerators.DOCS.write_text(accelerators.written(accelerators.DOCS.read_text()))
catalogue.PAGE.write_text(catalogue.page())
edits.DOCS.write_text(edits.written(edits.DOCS.read_text()))
