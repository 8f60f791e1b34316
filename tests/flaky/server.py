"""The program under test: answers each line with the same line, and hangs up at "bye". Its only argument is a
port, or fd:N for a socket that listens already and was handed over as descriptor N."""

import socket
import socketserver
import sys


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line == b"bye\n":
                break
            self.wfile.write(line)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


where = sys.argv[1]
if where.startswith("fd:"):
    server = Server(("127.0.0.1", 0), Echo, bind_and_activate=False)
    server.socket = socket.socket(fileno=int(where[3:]))
else:
    server = Server(("127.0.0.1", int(where)), Echo)
print("ready", flush=True)
server.serve_forever()
