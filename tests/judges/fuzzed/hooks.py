"""Why a request may be refused though the document has nothing against it: what JSON Schema can't say."""

from urllib.parse import quote

import schemathesis

# An address that is longer is refused by the HTTP library, before there is anything to answer with a problem.
LONGEST_ADDRESS = 60_000

# Problems by their codes.
REASONS = {
    "precondition-failed": "no random tag is that of the item",
    "bad-cursor": "a cursor is made by the service alone",
    "missing-parameter": "a write of all that match needs some filter; `group` needs `aggregate`",
    "conflicting-parameters": "some parameters don't go together",
    "limit-exceeded": "so many filters or relations in all",
    "not-streamable": "a form that streams has no pages, and no items within",
    "unreadable-body": "numbers in bodies have 64 bits",
    "bad-header": "an Idempotency-Key belongs to an account",
    "unknown-parameter": "who may read a field depends on who asks",
    "idempotency-mismatch": "an Idempotency-Key is of one request",
}

# What is wrong in a body or parameter, by its word, where that is the problem.
WORDS = {
    "bad-aggregate": "the same thing is asked for twice",
    "bad-cursor": REASONS["bad-cursor"],
    "bad-group": "the same field is asked for twice",
    "bad-sort": "the same field stands twice",
    "bad-value": "U+0000 is kept nowhere, and years end",
    "conflicting-parameters": REASONS["conflicting-parameters"],
    "immutable": "what the address says already is said again, and differs",
    "limit-exceeded": REASONS["limit-exceeded"],
    "missing-parameter": REASONS["missing-parameter"],
    "not-streamable": REASONS["not-streamable"],
    "nul-character": "U+0000 is kept nowhere",
    "out-of-range": "years end, and a decimal that is sent as a number has any size",
    "readonly": "who may write a field depends on who asks",
    "repeated": "a set is sent as a JSON Patch",
    "required": "who signs in by HTTP needs no body, and who doesn't does",
    "too-precise": "a decimal that is sent as a number has any number of digits",
    "unknown-field": "a path of a JSON Patch names a member",
    "wrong-type": "what a JSON Patch sets is of the member's type",
}


@schemathesis.hook
def filter_query(context, query):
    return len(quote(str(query))) < LONGEST_ADDRESS


@schemathesis.hook
def filter_path_parameters(context, path_parameters):
    return len(quote(str(path_parameters))) < LONGEST_ADDRESS


@schemathesis.hook
def before_call(context, case, kwargs):
    # OpenAPI has no word for an answer that comes without its content where the client wants none.
    if case.headers and "minimal" in str(case.headers.get("Prefer", "")):
        case.headers["Prefer"] = "return=representation"


@schemathesis.check
def refused_for_a_reason(ctx, response, case):
    """What the document allows is done, or refused for what it can't say."""
    is_refused = 400 <= response.status_code < 500
    if case.meta is None or not case.meta.generation.mode.is_positive or not is_refused:
        return
    # Who asks, and what there is, decides.
    if response.status_code in (401, 403, 404, 409, 429) or case.method == "HEAD":
        return
    problem = response.json()
    words = {fault["code"] for fault in problem.get("errors", []) if not ends_a_date(fault)}
    by_code = problem["code"] in REASONS
    by_words = "errors" in problem and words <= WORDS.keys()
    assert by_code or by_words, f"{problem['code']} {sorted(words)}: {problem.get('detail')}"


def ends_a_date(fault):
    """JSON Schema has ends for numbers alone."""
    return fault["code"] in ("too-small", "too-large") and isinstance(fault.get("limit"), str)
