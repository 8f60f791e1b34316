"""A small suite whose tests take the ports of one another: what docs/report.png is a picture of.

Every helper says when it is ready; the pauses only give the picture some width."""

import os
import subprocess
import sys
import time


def start(test, worker, *command):
    """Starts a helper as pytest-xdist would, and waits until it has said a line."""
    environment = dict(os.environ, PYTEST_CURRENT_TEST=f"tests/{test} (call)", PYTEST_XDIST_WORKER=worker)
    helper = subprocess.Popen(["python3", *map(str, command)], env=environment, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    print(test, helper.stdout.readline().strip(), file=sys.stderr)
    return helper


def stop(helper):
    """Ends a helper: its input is closed."""
    helper.stdin.close()
    helper.wait()


def main():
    api = start("test_login.py::test_login", "gw0", "fake_api.py", 8080)
    pinned = start("test_debug.py::test_attach", "gw3", "reserve_port.py", 9229)
    time.sleep(0.7)
    for test, worker in [("test_orders.py::test_order", "gw1"), ("test_cart.py::test_checkout", "gw2")]:
        stop(start(test, worker, "fake_api.py", 8080))
        time.sleep(0.6)
    stop(api)
    cache = start("test_cache.py::test_warm", "gw1", "cache.py", 6379, "hang-up")
    second = start("test_orders.py::test_refund", "gw1", "fake_api.py", 8080)
    time.sleep(0.5)
    stop(cache)
    for test in ["test_cache.py::test_cold", "test_cache.py::test_full"]:
        stop(start(test, "gw2", "cache.py", 6379))
        time.sleep(0.4)
    stop(start("test_cart.py::test_empty", "gw0", "fake_api.py", 8080))
    stop(start("test_debug.py::test_breakpoint", "gw1", "fake_api.py", 9229))
    time.sleep(0.5)
    stop(second)
    stop(pinned)
    subprocess.Popen(["python3", "mail_sink.py", "2525"], start_new_session=True, stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    sys.exit(1)


main()
