"""What the pages say that code prints is what it prints."""

import importlib.util
import pathlib
import re

import pytest

import flambeau

ROOT = pathlib.Path(__file__).parents[2]
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))


@pytest.fixture(scope="module")
def refresh():
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "docs" / "refresh.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", PAGES)
def test_page(refresh, name):
    page = (ROOT / "docs" / name).read_text()
    assert refresh.refreshed(page, {"flambeau": flambeau}) == page


def test_what_pytorch_says(refresh, torch):
    if not torch.__version__.startswith("2.13"):
        pytest.skip("the page quotes PyTorch 2.13")
    page = (ROOT / "docs" / "mistakes.md").read_text()
    assert refresh.refreshed(page, {"torch": torch}) == page


def test_same_class_of_error():
    page = (ROOT / "docs" / "mistakes.md").read_text()
    theirs = re.findall(r"^```text torch\n(\w+Error|\S+)", page, re.MULTILINE)
    ours = re.findall(r"^```text flambeau\n(\w+Error|\S+)", page, re.MULTILINE)
    assert len(ours) == 10
    assert ours == theirs


@pytest.mark.parametrize("name", PAGES)
def test_places_exist(name):
    page = (ROOT / "docs" / name).read_text()
    for path in re.findall(r"`((?:flambeau|benchmarks|tests|docs|examples)/[\w/.]*)`", page):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\(([\w./-]+)\)", page):
        assert (ROOT / "docs" / path).exists(), path
