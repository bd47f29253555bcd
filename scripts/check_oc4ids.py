"""What libcoveoc4ids says of a package, with the schema and the codelists of a directory served on loopback."""

import functools
import http.server
import json
import socket
import sys
import tempfile
import threading

from libcoveoc4ids.api import oc4ids_json_output
from libcoveoc4ids.config import LIB_COVE_OC4IDS_CONFIG_DEFAULT, LibCoveOC4IDSConfig

# What may be found in it only if something is wrong with the package.
FAULTS = (
    "validation_errors",
    "additional_closed_codelist_values",
    "additional_checks",
    "conformance_checks",
    "data_only",
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def stay_here():
    """Refuses every connection that leads out of this machine."""
    connect = socket.socket.connect

    def checked(self, address):
        if address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise OSError(f"the check does without the network, and wanted {address}")
        return connect(self, address)

    socket.socket.connect = checked


def main(directory, package):
    stay_here()
    handler = functools.partial(Quiet, directory=directory)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}/"
    version = LIB_COVE_OC4IDS_CONFIG_DEFAULT["schema_version"]
    config = LibCoveOC4IDSConfig(
        {
            "schema_host": host,
            "schema_version_choices": {version: (version, host)},
            "schema_codelists": {"0.9": f"{host}codelists/"},
        }
    )
    with tempfile.TemporaryDirectory() as scratch:
        said = oc4ids_json_output(scratch, package, lib_cove_oc4ids_config=config)
    found = {name: said[name] for name in FAULTS if said.get(name)}
    if found:
        print(json.dumps(found, indent=2, ensure_ascii=False, default=str))
        sys.exit(1)
    with open(package, encoding="utf-8") as file:
        count = len(json.load(file)["projects"])
    print(f"{count} projects, a package of OC4IDS {version} without a fault")


if __name__ == "__main__":
    main(*sys.argv[1:])
