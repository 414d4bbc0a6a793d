#!/usr/bin/env python3
"""Puts Swagger UI into static/, as published on npm, fit for a policy that allows no `data:` images:
the pictures of its stylesheet become files, and the lines that name source maps go.

    scripts/vendor-swagger-ui.py 5.35.0
"""

import io
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse

STATIC = pathlib.Path(__file__).resolve().parent.parent / "static"
PICTURE = re.compile(r'url\("data:image/svg\+xml;charset=utf-8,(?P<svg>(?:[^"\\]|\\.)*)"\)|url\(data:[^)]*\)')


def main(version):
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(
            ["npm", "pack", "--silent", f"swagger-ui-dist@{version}"], cwd=folder, check=True, capture_output=True
        )
        archive = pathlib.Path(folder, packed.stdout.decode().strip())
        files = {}
        with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as tar:
            for name in ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE"):
                files[name] = tar.extractfile(f"package/{name}").read().decode()
    for old in STATIC.glob("swagger-picture-*.svg"):
        old.unlink()
    pictures = []

    def as_file(match):
        if not match["svg"]:
            return "none"  # the grids of its debugging classes
        svg = urllib.parse.unquote(match["svg"].replace('\\"', '"'))
        if svg not in pictures:
            pictures.append(svg)
        return f"url(swagger-picture-{pictures.index(svg) + 1}.svg)"

    css = PICTURE.sub(as_file, files["swagger-ui.css"])
    css = re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css).strip() + "\n"
    assert "data:" not in css, "a picture was not found"
    bundle = re.sub(r"\n?//# sourceMappingURL=.*", "", files["swagger-ui-bundle.js"]).strip() + "\n"
    for number, svg in enumerate(pictures, 1):
        (STATIC / f"swagger-picture-{number}.svg").write_text(svg + "\n")
    (STATIC / "swagger-ui.css").write_text(css)
    (STATIC / "swagger-ui-bundle.js").write_text(bundle)
    (STATIC / "Apache-swagger-ui.txt").write_text(files["LICENSE"])


main(*sys.argv[1:])
