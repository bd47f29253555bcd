#!/usr/bin/env python3
"""A receiver of Taizhang's webhooks: lets in only what is signed, and prints each event once, as a line of JSON.

    receiver.py --port 18099               until it is stopped
    receiver.py --port 18099 --count 2     until two events have come, or --seconds (60) are over

TAIZHANG_WEBHOOK_SECRET is the secret that was shown when the webhook was made. docs/integration.md explains it.
"""

import argparse
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

# No event is larger; whoever sends more is somebody else.
LARGEST = 1024 * 1024


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(length)
        try:
            # Also holds the time at which it was sent against the clock: what is older than five minutes is not taken.
            event = self.server.webhook.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError):
            return self.answer(400)
        with self.server.lock:
            # An event may come again, under the same id: the answer to it may have been lost. A real receiver keeps the ids
            # with its own data, and answers when it has done what the event asks for.
            if event["id"] not in self.server.seen:
                self.server.seen.add(event["id"])
                print(json.dumps(event, ensure_ascii=False), flush=True)
        self.answer(204)
        if self.server.count and len(self.server.seen) >= self.server.count:
            threading.Thread(target=self.server.shutdown).start()

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True, help="where to listen, on 127.0.0.1")
    parser.add_argument("--count", type=int, default=0, help="end when so many events have come")
    parser.add_argument("--seconds", type=float, default=60, help="with --count: end then at the latest")
    arguments = parser.parse_args()
    if not (secret := os.environ.get("TAIZHANG_WEBHOOK_SECRET")):
        parser.error("not set: TAIZHANG_WEBHOOK_SECRET")
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Receiver)
    server.daemon_threads = True
    server.webhook, server.seen, server.lock, server.count = Webhook(secret), set(), threading.Lock(), arguments.count
    if arguments.count:
        limit = threading.Timer(arguments.seconds, server.shutdown)
        limit.daemon = True
        limit.start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 130
    return 0 if len(server.seen) >= arguments.count else 1


if __name__ == "__main__":
    sys.exit(main())
