#!/usr/bin/env python3
"""A client of Taizhang for another office's system: follows what happens there, and sends what the office knows.

    taizhang.py follow --state cursor.txt          prints each event as a line of JSON, and goes on
    taizhang.py follow --state cursor.txt --once   the same, and ends when nothing happens for five seconds
    taizhang.py push projects.csv                  makes and amends projects, known by the column "key"

TAIZHANG_URL, TAIZHANG_CLIENT_ID and TAIZHANG_CLIENT_SECRET say where and as whom. docs/integration.md explains it.
"""

import argparse
import csv
import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import quote

import httpx

# A batch has at most so many.
BATCH = 1000
# How often a request is tried that may succeed later.
TRIES = 5


class Refused(Exception):
    """What the service answered, if not what was asked for."""

    def __init__(self, response):
        problem = response.json() if "json" in response.headers.get("content-type", "") else {}
        self.status = response.status_code
        self.code = problem.get("code", "")
        self.problem = problem
        super().__init__(f"{self.status} {self.code}: {problem.get('detail') or problem.get('title') or response.text}")


class Taizhang:
    """The service, as one system is let use it."""

    def __init__(self, url, client_id, client_secret):
        # Longer than an answer waits for an event.
        self.http = httpx.Client(base_url=url, timeout=60, headers={"Accept-Language": "en"})
        self.credentials = (client_id, client_secret)
        self.token, self.valid_until = None, 0.0

    def sign_in(self):
        answer = self.http.post("/oauth/token", auth=self.credentials, data={"grant_type": "client_credentials"})
        if answer.status_code != 200:
            raise Refused(answer)
        granted = answer.json()
        self.token = granted["access_token"]
        self.valid_until = time.monotonic() + granted["expires_in"] - 30

    def request(self, method, path, **what):
        """Sends a request; again where the answer says that it may succeed later."""
        for attempt in range(1, TRIES + 1):
            if time.monotonic() >= self.valid_until:
                self.sign_in()
            answer = self.http.request(method, path, headers={"Authorization": f"Bearer {self.token}"}, **what)
            if answer.is_success:
                return answer
            refused = Refused(answer)
            if attempt == TRIES or not (answer.status_code in (401, 429, 503) or refused.code == "concurrent_change"):
                raise refused
            if answer.status_code == 401:
                # The key that signed the token was changed, or the token has been ended.
                self.valid_until = 0.0
            time.sleep(float(answer.headers.get("Retry-After", attempt)))

    def events(self, after, wait=20):
        """Pages of events for ever: the events, the cursor after them, and whether that is the end for now."""
        while True:
            page = self.request("GET", "/v1/events", params={"after": after, "wait": wait, "limit": 200}).json()
            after = page["next_cursor"]
            yield page["items"], after, page["is_end"]

    def version(self, system, key):
        """The version at which a project stands that the system knows by a key; none if there is no such project."""
        try:
            path = f"/v1/external-refs/{quote(system, safe='')}/{quote(key, safe='')}"
            return self.request("GET", path).json()["version"]
        except Refused as refused:
            if refused.status == 404:
                return None
            raise

    def push(self, system, projects):
        """Makes and amends projects: pairs of a key and fields. What is refused is told, the rest is done."""
        for start in range(0, len(projects), BATCH):
            some = projects[start : start + BATCH]
            items = [
                {"external_ref": {"system": system, "key": key}, "version": self.version(system, key), "fields": fields}
                for key, fields in some
            ]
            report = self.request("POST", "/v1/batches/projects", json={"mode": "partial", "items": items}).json()
            yield from zip((key for key, _ in some), report["items"], strict=True)


def follow(service, arguments):
    state = Path(arguments.state)
    cursor = state.read_text().strip() if state.exists() else "0"
    for events, cursor, is_end in service.events(cursor, wait=5 if arguments.once else 20):
        for event in events:
            print(json.dumps(event, ensure_ascii=False), flush=True)
        # After what was done with the events, and whole or not at all: who is cut off before it meets them again, by the
        # same ids.
        fresh = state.with_name(state.name + ".new")
        fresh.write_text(cursor)
        fresh.replace(state)
        # An answer without events has waited for some.
        if arguments.once and is_end and not events:
            return 0
    return 0


def push(service, arguments):
    with open(arguments.file, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    projects = []
    for row in rows:
        key, fields = row.pop("key"), {name: value for name, value in row.items() if value}
        if amount := fields.pop("total_investment", None):
            fields["total_investment"] = {"exact": amount}
        projects.append((key, fields))
    counts = {"created": 0, "changed": 0, "unchanged": 0, "refused": 0}
    for key, result in service.push(arguments.system, projects):
        counts[result["outcome"]] += 1
        if problem := result["problem"]:
            print(f"{key}: {problem['code']}: {problem.get('detail') or problem['title']}", file=sys.stderr)
            for error in problem.get("errors", []):
                print(f"  {error.get('pointer', '')}: {error['detail']}", file=sys.stderr)
    print(json.dumps(counts))
    return 1 if counts["refused"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    following = commands.add_parser("follow", help="print what happens")
    following.add_argument("--state", required=True, help="the file that keeps how far it has come")
    following.add_argument("--once", action="store_true", help="end when nothing happens for five seconds")
    following.set_defaults(run=follow)
    pushing = commands.add_parser("push", help="make and amend projects")
    pushing.add_argument("file", help="CSV with the column key and columns named as the fields of a project; amounts in 元")
    pushing.add_argument("--system", default="oa", help="whose keys they are")
    pushing.set_defaults(run=push)
    arguments = parser.parse_args()
    names = ("TAIZHANG_URL", "TAIZHANG_CLIENT_ID", "TAIZHANG_CLIENT_SECRET")
    if missing := [name for name in names if not os.environ.get(name)]:
        parser.error(f"not set: {', '.join(missing)}")
    try:
        return arguments.run(Taizhang(*(os.environ[name] for name in names)), arguments)
    except (Refused, httpx.TransportError) as error:
        print(f"taizhang: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
