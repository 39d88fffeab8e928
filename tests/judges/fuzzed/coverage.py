"""What the phase `coverage` is made from: the document, less what multiplies its cases and shows nothing more.

It makes each value that a part of a request sets apart, alone and beside those of others: of a collection with all its
filters that is a hundred thousand cases. What is left out here is made by the other phases, of the whole document.
"""

import json

import hooks  # noqa: F401, for what it registers
import schemathesis

# A text or list as long as a limit, and one beyond it, are made of each limit.
LONGEST = 100

# Each name of a field to sort by, to give or to include is a case.
MOST_NAMES = 3

# The ends of names of what requests are made of: what answers hold stays as exact as it is.
OF_REQUESTS = ("Query", "Filter", "Create", "Replace", "Patch")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    schemas, shared = (raw_schema["components"][part] for part in ("schemas", "parameters"))
    shorten(shared)
    for name, schema in schemas.items():
        if name.endswith("Filter"):
            schema["properties"] = flat(schema["properties"])
        if name.endswith(OF_REQUESTS):
            shorten(schema)
    for path in raw_schema["paths"].values():
        for operation in (value for value in path.values() if isinstance(value, dict)):
            shorten(operation.get("requestBody"))
            shorten(operation.get("parameters"))
            if "parameters" in operation:
                operation["parameters"] = one_of_a_kind(operation["parameters"], shared)


def flat(asked):
    """What a filter asks of its own fields; the filters within it ask of the first alone."""
    own = {name: schema for name, schema in asked.items() if "anyOf" in schema}
    first = next(iter(own))
    within = {"type": "object", "properties": {first: own[first]}, "additionalProperties": False}
    return own | {"not": within, "all": {"type": "array", "items": within, "minItems": 1}}


def one_of_a_kind(parameters, shared):
    """Of the optional parameters of an address that are of one schema, the first."""
    kept = {}
    for number, parameter in enumerate(parameters):
        found = shared[parameter["$ref"].rsplit("/", 1)[1]] if "$ref" in parameter else parameter
        is_like_others = found["in"] == "query" and not found.get("required")
        kept.setdefault(json.dumps(found["schema"]) if is_like_others else number, parameter)
    return list(kept.values())


def shorten(part):
    """Takes long limits and many names out of a schema, and of those within it."""
    if isinstance(part, dict):
        for limit in ("maxLength", "maxItems"):
            if isinstance(part.get(limit), int) and part[limit] > LONGEST:
                del part[limit]
        items = part.get("items")
        if isinstance(items, dict):
            del items.get("enum", [])[MOST_NAMES:]
    for each in part.values() if isinstance(part, dict) else part if isinstance(part, list) else []:
        shorten(each)
