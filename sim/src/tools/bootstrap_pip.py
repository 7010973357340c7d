"""Fetch the pinned pip wheel from the Python package index: argv[1] is the file to write.

For machines whose python3 has neither pip nor ensurepip (a bare Debian). The wheel is run from where it
lies; its hash is part of this file.
"""

import hashlib
import json
import sys
import urllib.request

NAME = "pip-25.3-py3-none-any.whl"
SHA256 = "9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd"

index = urllib.request.Request(
    "https://pypi.org/simple/pip/",
    headers={"Accept": "application/vnd.pypi.simple.v1+json"},
)
with urllib.request.urlopen(index, timeout=60) as answer:
    files = json.load(answer)["files"]
url = next(f["url"] for f in files if f["filename"] == NAME)
with urllib.request.urlopen(url, timeout=300) as answer:
    wheel = answer.read()
found = hashlib.sha256(wheel).hexdigest()
if found != SHA256:
    sys.exit(f"{NAME}: expected sha256 {SHA256}, found {found}")
with open(sys.argv[1], "wb") as out:
    out.write(wheel)
