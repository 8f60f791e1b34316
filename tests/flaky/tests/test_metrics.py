"""Metrics are scraped from the port that the dashboard knows."""

import socket

import servers

PORT = 42009

server, _ = servers.start(PORT)
with socket.create_connection(("127.0.0.1", PORT)) as client:
    client.sendall(b"up\n")
    assert client.makefile().readline() == "up\n"
server.kill()
server.wait()
