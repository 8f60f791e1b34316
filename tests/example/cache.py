"""Listens without SO_REUSEADDR; `hang-up` has it close a connection before its peer, which leaves TIME_WAIT."""

import socket
import sys

port = int(sys.argv[1])
server = socket.socket()
try:
    server.bind(("127.0.0.1", port))
except OSError as error:
    print(error, flush=True)
    sys.exit(1)
server.listen()
if "hang-up" in sys.argv:
    client = socket.create_connection(("127.0.0.1", port))
    peer, _ = server.accept()
    peer.close()
    client.recv(1)
    client.close()
print("listens", flush=True)
sys.stdin.read()
