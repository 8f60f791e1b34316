"""Orders are taken by a server that is started for the test."""

import socket

import servers

server, port = servers.start()
with socket.create_connection(("127.0.0.1", port)) as client:
    client.sendall(b"one teapot\n")
    assert client.makefile().readline() == "one teapot\n"
server.kill()
server.wait()
