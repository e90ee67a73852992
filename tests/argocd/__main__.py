"""`python -m tests.argocd`: prints deploy/argocd/ignore-differences.yaml."""

import sys

from tests.argocd.ignored import written

sys.stdout.write(written())
