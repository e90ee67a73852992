"""The hash in an image's tag: of all that the image is made of, or an edit would not build it anew."""

import re
from pathlib import Path

import pytest

from tests.images.conftest import ROOT


def copied(dockerfile: Path) -> set[str]:
    """What a Dockerfile takes from its build context."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile.read_text(), re.MULTILINE)
    return {source for line in lines for source in line.split()}


def hashed(image: str) -> set[str]:
    """What the function of `build.sh` for an image gives to `content_hash`, braces expanded."""
    script = (ROOT / "images/build.sh").read_text()
    function = re.search(rf"^{image}\(\) {{.*?^}}", script, re.MULTILINE | re.DOTALL)
    assert function
    call = re.search(r'content_hash "[^"]+"(.+?)\)\n', function[0].replace("\\\n", " "), re.DOTALL)
    assert call
    paths: set[str] = set()
    for word in call[1].split():
        brace = re.fullmatch(r"(.*)\{(.+)\}(.*)", word)
        paths |= {f"{brace[1]}{each}{brace[3]}" for each in brace[2].split(",")} if brace else {word}
    return paths


@pytest.mark.parametrize("image", ["serve", "gateway", "data"])
def test_all_that_a_dockerfile_copies_is_hashed_and_so_is_the_dockerfile(image: str) -> None:
    dockerfile = ROOT / f"images/{image}/Dockerfile"
    sources = copied(dockerfile) | {str(dockerfile.relative_to(ROOT)), ".dockerignore"}
    covered = hashed(image)
    assert all((ROOT / path).exists() for path in covered)
    missing = [source for source in sources if not any(f"{source}/".startswith(f"{path}/") for path in covered)]
    assert missing == []
