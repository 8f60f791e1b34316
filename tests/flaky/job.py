"""The job: two workers run the tests side by side, each test in a process of its own, as pytest-xdist with
--forked does. Wants a network namespace of its own:
unshare --map-root-user --net python3 job.py"""

import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading

WORKERS = {
    "gw0": ["tests/test_orders.py::test_checkout", "tests/test_metrics.py::test_scrape"],
    "gw1": ["tests/test_load.py::test_burst"],
}
BACKEND = 8000


def set_up_machine():
    """Brings the loopback up (SIOCSIFFLAGS with IFF_UP, netdevice(7)) and applies sysctl.conf."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))
    for line in pathlib.Path("sysctl.conf").read_text().splitlines():
        if line and not line.startswith("#"):
            name, value = line.split(" = ")
            pathlib.Path("/proc/sys", name.replace(".", "/")).write_text(value)


def work(worker, tests, failed):
    """Runs the tests of a worker one after the other."""
    for test in tests:
        script, name = test.split("::")
        names = {"PYTEST_XDIST_WORKER": worker, "PYTEST_CURRENT_TEST": f"{test} (call)", "PYTHONPATH": "."}
        command = [sys.executable, "-S", script, name]
        ended = subprocess.run(command, env=os.environ | names, stderr=subprocess.PIPE, text=True)
        if ended.returncode:
            failed.append(test)
            error = next(line for line in ended.stderr.splitlines() if "Error: " in line)
            print(f"FAILED {test} - {error}", flush=True)
        else:
            print(f"PASSED {test}", flush=True)


set_up_machine()
backend = subprocess.Popen([sys.executable, "-S", "server.py", str(BACKEND)], stdout=subprocess.PIPE)
backend.stdout.readline()
failed = []
workers = [threading.Thread(target=work, args=(*worker, failed)) for worker in WORKERS.items()]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
backend.kill()
backend.wait()
sys.exit(bool(failed))
