#!/usr/bin/env python3
"""Puts the files of clients/ into docs/clients.md, each after its line `<!-- clients/… -->`. A test compares."""

import pathlib
import re

root = pathlib.Path(__file__).resolve().parents[1]
document = root / "docs" / "clients.md"


def block(found):
    text = (root / found[1]).read_text()
    return f"<!-- {found[1]} -->\n```{found[2]}\n{text}```\n"


shown = re.sub(r"<!-- (clients/\S+) -->\n```(\w+)\n.*?^```\n", block, document.read_text(), flags=re.S | re.M)
document.write_text(shown)
