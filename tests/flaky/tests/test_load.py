"""The backend answers many clients, some of whom come and go."""

import socket
import time

CLIENTS = 11
SECONDS = 0.5
PAUSE = 0.001


def connect():
    return socket.create_connection(("127.0.0.1", 8000))


def ask(client, line):
    client.sendall(line)
    return client.recv(len(line))


clients = [connect() for _ in range(CLIENTS)]
end = time.monotonic() + SECONDS
while time.monotonic() < end:
    for number, client in enumerate(clients):
        assert ask(client, b"hello\n") == b"hello\n"
        # The backend hangs up first, so that no TIME_WAIT is left on the port of the client.
        assert ask(client, b"bye\n") == b""
        client.close()
        clients[number] = connect()
        time.sleep(PAUSE)
# Here, too.
for client in clients:
    assert ask(client, b"bye\n") == b""
