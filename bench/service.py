"""The service as the measurements of this folder use it: a release binary, a database of its own, a demo's manager."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Nothing that is waited for takes that long.
PATIENCE = 900
PASSWORD = "Taizhang-demo-2025"


def with_postgres(script):
    """Runs the script again beside a private PostgreSQL that keeps what it says it keeps, unless it runs beside one."""
    if "TEST_DATABASE_URL" not in os.environ:
        os.environ["WITH_POSTGRES_DURABLE"] = "1"
        os.execv(str(ROOT / "scripts/with-postgres"), ["with-postgres", sys.executable, script])


def release_binary():
    """TAIZHANG_BIN, or the release binary, built now."""
    named = os.environ.get("TAIZHANG_BIN")
    if not named:
        subprocess.run(["cargo", "build", "--release", "-q", "-p", "taizhang"], cwd=ROOT, check=True)
        named = ROOT / "target/release/taizhang"
    return str(pathlib.Path(named).resolve())


def psql(url, *commands):
    arguments = [part for command in commands for part in ("-c", command)]
    done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", url, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def new_database(name):
    """The address of a database of that name, which is made, on the private PostgreSQL."""
    server = os.environ["TEST_DATABASE_URL"]
    psql(server, f"CREATE DATABASE {name}")
    return f"{server.rsplit('/', 1)[0]}/{name}"


def environment(database, directory):
    """What a process of the service finds: none of the settings that this script was started with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAIZHANG_")}
    return kept | {
        "TAIZHANG_DATABASE_URL": database,
        "TAIZHANG_DATA_DIR": str(directory),
        "TAIZHANG_LOG": "warn",
        "TAIZHANG_RATE_LIMIT_PER_ADDRESS": "0",
        "TAIZHANG_RATE_LIMIT_PER_PRINCIPAL": "0",
    }


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(is_so, what):
    until = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > until:
            sys.exit(f"waited in vain: {what}")
        time.sleep(0.1)


class Service:
    """A service with the demo's library, in a process of its own, and its manager who asks."""

    def __init__(self, binary, database, directory):
        self.port = free_port()
        command = [binary, "serve", "--demo", "--listen", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, env=environment(database, directory), stdout=subprocess.DEVNULL)
        wait_until(self.is_ready, "the service is ready")
        self.token = self.ask("POST", "/auth/login", {"username": "manager", "password": PASSWORD})["access_token"]

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status == 200
        except OSError:
            return False

    def read(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("Content-Type", "application/json")
        if path != "/auth/login":
            request.add_header("Authorization", f"Bearer {self.token}")
        return urllib.request.urlopen(request, json.dumps(body).encode() if body else None, timeout=300).read()

    def ask(self, method, path, body=None):
        return json.loads(self.read(method, path, body))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
