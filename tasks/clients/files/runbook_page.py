"""The runbook page, which the flows follow: the titles of its sections come from here alone."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_TITLE = re.compile(r"^(?:## |- \*\*)(§\d(?:\.\d)?) ([^*\n]+?)\.?(?:\*\*|$)", re.MULTILINE)


@cache
def section_titles() -> Mapping[str, str]:
    """Read the title of each section, by its number as code and reports write it: `§2.1`."""
    page = files("flows").joinpath("runbook.md").read_text("utf-8")
    return {found[1]: found[2] for found in _TITLE.finditer(page)}
