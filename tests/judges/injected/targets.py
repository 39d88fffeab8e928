"""What sqlmap is to try: every parameter of every GET of a served document, and every value of the bodies that ask.

    targets.py BASE FOLDER

writes `urls.txt` (filters that go together share an address, the others have one each; `*` marks a segment of a path)
and `bodies.txt` (an address and a JSON body on each line, its values marked by `*`).
"""

import json
import sys
import urllib.parse
import urllib.request
from pathlib import Path

BASE, FOLDER = sys.argv[1], Path(sys.argv[2])
# Filters of one request, at most: fewer than `limits.filters`.
TOGETHER = 15
# Parameters that stand alone: they say what is done with what is found.
ALONE = set("q sort limit cursor page fields include count aggregate group max_affected deleted".split())

with urllib.request.urlopen(f"{BASE}/api/openapi.json") as answer:
    DOCUMENT = json.load(answer)


def whole(part):
    """A part of the document, whatever it refers to."""
    while "$ref" in part:
        found = DOCUMENT
        for step in part["$ref"][2:].split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        part = found
    return part


def sample(schema):
    """A value that the schema takes."""
    schema = whole(schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return sample(schema["items"])
    of_format = {
        "date": "2026-01-01",
        "date-time": "2026-01-01T00:00:00Z",
        "uuid": "00000000-0000-4000-8000-000000000001",
    }
    of_type = {"integer": 1, "number": 1, "boolean": "true"}
    return of_format.get(schema.get("format")) or of_type.get(schema.get("type"), "a")


def pair(parameter):
    name = urllib.parse.quote(parameter["name"], safe="[].")
    return f"{name}={urllib.parse.quote(str(sample(parameter['schema'])))}"


urls, bodies = [], []
for path, operations in DOCUMENT["paths"].items():
    get = operations.get("get")
    # What says of the service itself what it is has no parameters but a segment.
    if get is None or get["tags"] == ["service"] and "tokens" not in path and "/me" not in path:
        continue
    parameters = [whole(one) for one in operations.get("parameters", []) + get.get("parameters", [])]
    address, keys = BASE + path, [one for one in parameters if one["in"] == "path"]
    for key in keys:
        address = address.replace("{" + key["name"] + "}", str(sample(key["schema"])))
    if keys:
        urls.append(address + "*")
    asked = [one for one in parameters if one["in"] == "query"]
    filters = [pair(one) for one in asked if one["name"] not in ALONE]
    urls += [f"{address}?{pair(one)}" for one in asked if one["name"] in ALONE]
    for start in range(0, len(filters), TOGETHER):
        urls.append(f"{address}?{'&'.join(filters[start:start + TOGETHER])}")
    if f"{path}/query" in DOCUMENT["paths"]:
        plain = [one for one in asked if one["name"] not in ALONE and not set(one["name"]) & set("[].")]
        for one in plain:
            body = {"filter": {one["name"]: {"eq": f"{sample(one['schema'])}*"}}}
            bodies.append((f"{address}/query", body))
        bodies.append((f"{address}/query", {"q": "a*", "sort": ["id*"], "fields": ["id*"]}))
bodies.append((f"{BASE}/api/tokens", {"identifier": "susan*", "password": "wrong*", "name": "a*"}))

FOLDER.joinpath("urls.txt").write_text("".join(f"{url}\n" for url in urls))
FOLDER.joinpath("bodies.txt").write_text("".join(f"{url} {json.dumps(body)}\n" for url, body in bodies))
print(f"{len(urls)} addresses, {len(bodies)} bodies")
