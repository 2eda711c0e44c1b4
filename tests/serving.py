"""How do tests get a dashboard of their own? A server in a process of its own, on a free port of this machine."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PATIENCE = 60


class Server(NamedTuple):
    """Where it answers, and the process that does."""

    address: str
    process: "subprocess.Popen[bytes]"


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, TimeoutError):
        return False


@contextmanager
def serve(**environment: str) -> Iterator[Server]:
    """A running dashboard, that has to end with status 0 when it is told to."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.headless", "true"]
    options = ["--server.address", "127.0.0.1", "--server.port", str(port)]
    with subprocess.Popen(
        command + options,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        address, started = f"http://127.0.0.1:{port}", time.monotonic()
        try:
            while not _answers(address):
                assert time.monotonic() < started + PATIENCE, "the dashboard does not start"
                time.sleep(0.2)
            yield Server(address, process)
        finally:
            process.terminate()
        assert process.wait(PATIENCE) == 0
