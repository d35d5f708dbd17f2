"""openapi - is this answer what services/reporting/openapi.json says it is?

As much of JSON Schema as that document uses; a keyword that it does not know is an error, so that no
schema is believed to be checked when it is not.
"""
import json
import os
import re
import urllib.parse

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
with open(os.path.join(ROOT, "services/reporting/openapi.json"), encoding="utf-8") as f:
    DOCUMENT = json.load(f)

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
SILENT = {"description", "examples", "default", "title"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FORMATS = {"date-time": TIME.fullmatch, "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch,
           "uri-reference": lambda text: not urllib.parse.urlparse(text).netloc}


def is_type(value, name):
    if name in ("number", "integer"):
        return isinstance(value, (int, float) if name == "number" else int) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def errors(value, schema, path="$"):
    """Every way in which value is not what schema says, as sentences."""
    out = []
    for keyword, rule in schema.items():
        if keyword in SILENT or keyword == "required" and not isinstance(value, dict):
            continue
        if keyword == "$ref":
            out += errors(value, DOCUMENT["components"]["schemas"][rule.rsplit("/", 1)[1]], path)
        elif keyword == "type":
            if not any(is_type(value, name) for name in ([rule] if isinstance(rule, str) else rule)):
                return out + ["%s: %r is no %s" % (path, value, rule)]
        elif keyword == "enum":
            out += [] if value in rule else ["%s: %r is not listed" % (path, value)]
        elif keyword in ("anyOf", "oneOf"):
            fits = [not errors(value, one, path) for one in rule]
            if not any(fits) or keyword == "oneOf" and sum(fits) > 1:
                out.append("%s: fits %d of %s" % (path, sum(fits), keyword))
        elif keyword == "properties":
            for name in set(value) & set(rule) if isinstance(value, dict) else ():
                out += errors(value[name], rule[name], path + "." + name)
        elif keyword == "required":
            out += ["%s: has no %s" % (path, name) for name in rule if name not in value]
        elif keyword == "additionalProperties":
            for name in set(value) - set(schema.get("properties", ())) if isinstance(value, dict) else ():
                out += [] if rule is True else errors(value[name], rule, path + "." + name) if rule else [
                    "%s: has %s, which is not described" % (path, name)]
        elif keyword == "items":
            for i, item in enumerate(value if isinstance(value, list) else ()):
                out += errors(item, rule, "%s[%d]" % (path, i))
        elif keyword == "minimum":
            out += [] if value is None or value >= rule else ["%s: %r is too small" % (path, value)]
        elif keyword == "pattern":
            out += [] if re.search(rule, value) else ["%s: %r is not like %s" % (path, value, rule)]
        elif keyword == "format":
            out += [] if value is None or FORMATS[rule](value) else ["%s: %r is no %s" % (path, value, rule)]
        elif keyword == "maxLength":
            out += [] if len(value) <= rule else ["%s: is too long" % path]
        else:
            raise AssertionError("openapi.py does not know the keyword %s at %s" % (keyword, path))
    return out


def answer_errors(method, path, status, answer):
    """The errors of an answer to METHOD /path?query."""
    bare = path.split("?")[0]
    template = next(t for t in sorted(DOCUMENT["paths"], key=lambda t: t.count("{")) if re.fullmatch(
        re.sub(r"{\w+}", "[^/]+", t), bare))
    response = DOCUMENT["paths"][template][method.lower()]["responses"].get(str(status))
    if response is None:
        return ["%s %s: the status %d is not described" % (method, template, status)]
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    if answer is None:
        return [] if "content" not in response else ["%s %s: no body" % (method, template)]
    kind = "application/json" if status < 400 else "application/problem+json"
    return errors(answer, response["content"][kind]["schema"])
