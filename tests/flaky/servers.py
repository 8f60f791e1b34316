"""How the tests start the servers they need."""

import socket
import subprocess
import sys


def free_port():
    """A port that nobody has: the kernel gives one, and takes it back when the socket is closed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(port=None):
    """Starts a server on a free port, or on this one; the process and its port, when it can be talked to."""
    port = port or free_port()
    server = subprocess.Popen([sys.executable, "-S", "server.py", str(port)], stdout=subprocess.PIPE, text=True)
    if server.stdout.readline() != "ready\n":
        raise AssertionError(f"the server did not start: status {server.wait()}")
    return server, port
