"""Asks a service everything that its OpenAPI description has, and compares every answer with it.

    python3 client.py ADDRESS TOKEN_OF_WHO_ASKS TOKEN_OF_AN_OPERATOR TOKEN_OF_A_CUSTOMER
"""
import json, re, sys, urllib.error, urllib.request

address, tokens = sys.argv[1].rstrip("/"), sys.argv[2:5]


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


opener = urllib.request.build_opener(Stay)


def send(method, path, body=None, headers=None):
    r = urllib.request.Request(address + path, data=body, method=method, headers=headers or {})
    try:
        a = opener.open(r, timeout=30)
    except urllib.error.HTTPError as e:
        a = e
    return a.status, a.headers, a.read()


api = json.loads(send("GET", "/openapi.json")[2])
faults, seen = [], set()


def check(schema, v, at):
    """A small part of JSON Schema: what the description uses."""
    if "$ref" in schema:
        return check(api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], v, at)
    for s in schema.get("allOf", []):
        check(s, v, at)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "number": (int, float)}
    kind = schema.get("type")
    if kind and (not isinstance(v, kinds[kind]) or kind in ("integer", "number") and isinstance(v, bool)):
        faults.append(f"{at}: {v!r} is no {kind}")
        return
    if "enum" in schema and v not in schema["enum"]:
        faults.append(f"{at}: {v!r} is none of {schema['enum']}")
    if isinstance(v, (int, float)) and not schema.get("minimum", v) <= v <= schema.get("maximum", v):
        faults.append(f"{at}: {v} is out of range")
    if isinstance(v, dict):
        for name in schema.get("required", []):
            if name not in v:
                faults.append(f"{at}: {name} is missing")
        for name, x in v.items():
            if name in schema.get("properties", {}):
                check(schema["properties"][name], x, f"{at}.{name}")
            elif schema.get("additionalProperties") is False:
                faults.append(f"{at}: {name} is not described")
    if isinstance(v, list):
        for x in v:
            check(schema.get("items", {}), x, at + "[]")


def ask(method, path, token=None, body=None, kind=None, headers=None, route=None):
    """Sends, and compares the answer with the description of its operation."""
    h = dict(headers or {})
    if token:
        h["Authorization"] = "Bearer " + token
    if kind:
        h["Content-Type"] = kind
    status, got, text = send(method, path, body.encode() if body is not None else None, h)
    op = api["paths"][route or path][method.lower()]
    at = f"{method} {path}: {status}"
    described = op["responses"].get(str(status))
    seen.add((op["operationId"], status))
    if described is None:
        faults.append(at + " is not described")
        return status, text
    content = described.get("content")
    if content is None:
        if text:
            faults.append(at + " has a body")
        return status, text
    media = got.get_content_type()
    if media not in content:
        faults.append(f"{at}: {media} is not described")
    elif media.endswith("json"):
        check(content[media]["schema"], json.loads(text), at)
    return status, text


asker, operator, person = tokens
J = "application/json"
for route, ops in api["paths"].items():
    for method, op in ops.items():
        path = re.sub(r"\{key\}", "py-1", re.sub(r"\{kind\}", "budget", route))
        body = kind = None
        if "requestBody" in op:
            kind = next(iter(op["requestBody"]["content"]))
            body = {"postRelease": '{"question":"weekdays"}', "putConsent": '{"purpose":"trend","choice":"no"}'}.get(op["operationId"], "purpose=trend&choice=no")
        extra = {p["name"]: "py-1" for p in op.get("parameters", []) if p["in"] == "header"}
        for token in [None, "x" * 52] + tokens:
            ask(method.upper(), path, token, body, kind, extra, route)
            if kind:
                ask(method.upper(), path, token, "", kind, extra, route)
                ask(method.upper(), path, token, body, "text/csv", extra, route)
        for accept in op["responses"].get("200", {}).get("content", {}):
            ask(method.upper(), path, asker, body, kind, {**extra, "Accept": accept}, route)
ask("POST", "/releases", asker, '{"question":"months"}', J, {"Idempotency-Key": "py-1"})
ask("GET", "/releases/nothing", asker, route="/releases/{key}")
ask("GET", "/problems/nothing", route="/problems/{kind}")
ask("PUT", "/consent", person, '{"purpose":"*","choice":"yes"}', J, {"Sec-GPC": "1"})
for needed in [("postRelease", 202), ("postRelease", 400), ("postRelease", 401), ("postRelease", 403), ("postRelease", 409), ("postRelease", 415),
               ("getRelease", 404), ("budget", 200), ("operator", 200), ("operator", 403), ("putConsent", 204), ("putConsent", 409), ("postConsent", 303), ("metrics", 200)]:
    if needed not in seen:
        faults.append(f"{needed} was not seen, of {sorted(seen)}")
print("\n".join(faults) or f"{len(seen)} kinds of answers are as described")
sys.exit(bool(faults))
