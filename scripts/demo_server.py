"""A demo server of one's own, for scripts that work with it."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
# No server takes that long to end; one that does has a fault, which would hold a script for ever.
SECONDS_TO_END = 30


@contextlib.contextmanager
def demo_server():
    """Starts one on a fresh library and gives its port; TAIZHANG_BIN names the binary, by default target/debug/taizhang."""
    binary = os.environ.get("TAIZHANG_BIN", str(ROOT / "target/debug/taizhang"))
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        server = subprocess.Popen(
            [binary, "serve", "--demo", "--listen", f"127.0.0.1:{port}", "--data-dir", directory, "--log", "error"],
            stdout=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith("TAIZHANG_")},
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", server)
            yield port
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                server.kill()
                sys.exit(f"the server did not end within {SECONDS_TO_END} s")


def wait_for(url, server):
    for _ in range(240):
        if server.poll() is not None:
            sys.exit("the server did not start")
        try:
            urllib.request.urlopen(url, timeout=10).read()
            return
        except OSError:
            time.sleep(0.25)
    sys.exit("the server did not become ready")
