"""How the tests start the servers they need."""

import socket
import subprocess
import sys


def start(port=0):
    """Starts a server on a free port, or on this one; the process and its port, when it can be talked to."""
    listener = socket.create_server(("127.0.0.1", port))
    port = listener.getsockname()[1]
    command = [sys.executable, "-S", "server.py", f"fd:{listener.fileno()}"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[listener.fileno()])
    listener.close()
    if server.stdout.readline() != "ready\n":
        raise AssertionError(f"the server did not start: status {server.wait()}")
    return server, port
