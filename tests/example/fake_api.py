"""Listens until its input ends. Where the port is taken it goes on without, and nobody hears of it."""

import socket
import sys

server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    server.bind(("0.0.0.0", int(sys.argv[1])))
    server.listen()
    print("listens", flush=True)
except OSError as error:
    print(error, flush=True)
sys.stdin.read()
