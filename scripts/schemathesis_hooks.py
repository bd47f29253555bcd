"""How Schemathesis signs in, and how it finds what exists: loaded by scripts/schemathesis.

An access token lives ten minutes, so a new one is fetched every four, and at once when a request
that should be allowed is answered 401 (a generated request may have signed this session out).

Ids, codes and ETags that are made up lead to 404 and 412 alone. So every other request is turned to
something that exists, where what was generated there is well-formed; what is malformed stays so.
"""

import itertools
import json
import os
import random
import re
import sys
import urllib.parse
import uuid
from http.client import HTTPConnection

import schemathesis

REFRESH_AFTER_SECONDS = 240

SIGN_IN_PATHS = ["/auth/login", "/auth/refresh", "/oauth/token"]

# Generated sign-ins fail by the dozen and lock "account and source"; from another loopback address
# this one stays open. Only Linux answers on all of 127.0.0.0/8.
SOURCE = ("127.0.0.2", 0) if sys.platform == "linux" else None

BASE = urllib.parse.urlsplit(os.environ["TAIZHANG_BASE_URL"])

# Where the codes are that a body's members refer to.
REFERENCES = {
    "region": "regions",
    "parent": "regions",
    "unit": "units",
    "programme": "programmes",
    "sector": "sectors",
    "chain": "chains",
}

# What has ids of its own; other ids are a project's.
WITH_IDS = {"users", "grants", "service-accounts"}

ETAG = re.compile(r'"[1-9][0-9]*"')

# What has no GET of its own has the version of something else.
VERSION_OF = {
    "/v1/projects/{id}/transitions": "/v1/projects/{id}",
    "/v1/lists/{code}/projects/{id}": "/v1/lists/{code}",
    "/v1/stage-rules/approvals": "/v1/stage-rules",
    "/v1/service-accounts/{id}/keys": "/v1/service-accounts/{id}",
}


def request(method, path, body=None, headers=None):
    connection = HTTPConnection(BASE.hostname, BASE.port, timeout=30, source_address=SOURCE)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.getheader("ETag"), response.read()
    finally:
        connection.close()


# Those who sign in have no token yet, and a 401 to them says nothing about ours.
@schemathesis.auth(refresh_interval=REFRESH_AFTER_SECONDS).skip_for(path=SIGN_IN_PATHS)
class Session:
    """A demo user's access token, in the Authorization header."""

    def get(self, case, context):
        credentials = {
            "username": os.environ["TAIZHANG_USERNAME"],
            "password": os.environ["TAIZHANG_PASSWORD"],
        }
        status, _, body = request(
            "POST", "/auth/login", json.dumps(credentials), {"Content-Type": "application/json"}
        )
        if status != 200:
            raise RuntimeError(f"sign-in answered {status}: {body[:500]!r}")
        aim.token = json.loads(body)["access_token"]
        return aim.token

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


class Aim:
    """What exists, as the one who is signed in sees it."""

    def __init__(self):
        self.token = None
        self.known = {}
        self.turn = itertools.count()
        self.random = random.Random(1949)

    def read(self, path):
        status, etag, body = request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
        return (etag, json.loads(body)) if status == 200 else (None, {})

    def pick(self, what, key):
        if what not in self.known:
            _, page = self.read(f"/v1/{what}?limit=200")
            self.known[what] = [item[key] for item in page.get("items", [])]
        return self.random.choice(self.known[what] or [None])

    def turn_to_known(self, case):
        path, parameters = case.operation.path, case.path_parameters
        kind = path.split("/")[2] if path.startswith("/v1/") else ""
        if is_uuid(parameters.get("id")):
            whose = kind if kind in WITH_IDS else "projects"
            parameters["id"] = self.pick(whose, "id") or parameters["id"]
        if "code" in parameters and kind != "projects":
            parameters["code"] = self.pick(kind, "code") or parameters["code"]
        if isinstance(case.body, dict):
            for member in REFERENCES.keys() & case.body.keys():
                if isinstance(case.body[member], str):
                    case.body[member] = self.pick(REFERENCES[member], "code") or case.body[member]
            self.turn_to_allowed(case.body, is_new=case.method == "POST")
        if ETAG.fullmatch(case.headers.get("If-Match", "")):
            target = VERSION_OF.get(path, path)
            for name, value in parameters.items():
                target = target.replace(f"{{{name}}}", urllib.parse.quote(str(value), safe=""))
            etag, _ = self.read(target)
            case.headers["If-Match"] = etag or case.headers["If-Match"]
            # Both together never hold.
            if "If-None-Match" in case.headers:
                del case.headers["If-None-Match" if etag else "If-Match"]


    def turn_to_allowed(self, body, is_new):
        """Takes out or replaces what would have most projects refused."""
        if is_uuid(body.get("parent_id")):
            body["parent_id"] = None
        if body.get("secret") is True:
            body["secret"] = False
        if is_new and isinstance(body.get("code"), str):
            body["code"] = f"2101-211100-04-01-{self.random.randrange(10**6):06}"
        not_taken = ["commissioned_on", "at_capacity_on"] + ([] if is_new else ["planned_on"])
        for member in not_taken:
            if isinstance(body.get(member), str):
                del body[member]


aim = Aim()


def is_uuid(value):
    try:
        return str(uuid.UUID(value)) == value
    except (AttributeError, TypeError, ValueError):
        return False


def mend(case):
    """Schemathesis 4.32.5 fills an optional header with `0`, whatever its pattern, and calls that
    well-formed; where everything else in the request is, too, it is made what it was said to be."""
    if case.meta.generation.mode.is_positive and "If-Match" in case.headers:
        if not ETAG.fullmatch(case.headers["If-Match"]):
            case.headers["If-Match"] = '"1"'


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None:
        return
    mend(case)
    # The stateful phase follows its own links from one answer to the next request.
    is_stateful = case.meta.phase.name.value == "stateful"
    if aim.token and not is_stateful and next(aim.turn) % 2:
        aim.turn_to_known(case)
