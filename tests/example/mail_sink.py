"""Outlives the suite that started it, for a while."""

import signal
import socket
import sys

server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
signal.sigtimedwait([signal.SIGTERM], 20)
