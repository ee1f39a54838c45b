"""What mkdocs cannot do by itself: take pages that stand outside of docs/ into the site, with their links.

On GitHub the README is the home page and links into docs/; in the site it is the index, with the same links.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
# Where each file of the repository stands in the site.
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "flows/runbook.md": "runbook.md",
    "LICENSE": "license.txt",
}
PICTURES = ".github/pictures"
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take the files from outside of docs/ in."""
    pictures = {f"{PICTURES}/{path.name}": f"pictures/{path.name}" for path in (ROOT / PICTURES).glob("*.png")}
    for source, name in (PAGES | pictures).items():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Lead every link to where its file stands in the site."""
    sources = {name: source for source, name in PAGES.items()}
    here = (ROOT / sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")).parent

    def led(link: re.Match[str]) -> str:
        target = (here / link[1]).resolve().relative_to(ROOT).as_posix()
        name = PAGES.get(target) or target.removeprefix("docs/").replace(PICTURES, "pictures")
        return f"]({name}{link[2] or ''})"

    return LINK.sub(led, markdown)
