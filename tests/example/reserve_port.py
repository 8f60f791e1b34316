"""Binds a port and does not listen: nothing shows it, and nobody else gets it."""

import socket
import sys

reserved = socket.socket()
reserved.bind(("0.0.0.0", int(sys.argv[1])))
print("bound", flush=True)
sys.stdin.read()
