"""How do tests get a dashboard of their own? A server in a process of its own, on a free port of this machine."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PATIENCE = 60
CHECKOUT = (sys.executable, "-m", "streamlit", "run", "dashboard.py")


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
def serve(
    environment: dict[str, str] | None = None, port: int = 0, command: Sequence[str] = CHECKOUT, folder: Path = ROOT
) -> Iterator[Server]:
    """
    A running dashboard on this port, or on any, that has to end with status 0 when it is told to, and without an
    exception on the way; started by this command in this folder.
    """
    with socket.create_server(("127.0.0.1", port)) as free:
        port = free.getsockname()[1]
    options = ["--server.headless", "true", "--server.address", "127.0.0.1", "--server.port", str(port)]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            [*command, *options], cwd=folder, env=os.environ | (environment or {}), stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        address, started = f"http://127.0.0.1:{port}", time.monotonic()
        try:
            while not _answers(address):
                assert time.monotonic() < started + PATIENCE, "the dashboard does not start"
                time.sleep(0.2)
            yield Server(address, process)
        finally:
            process.terminate()
        status = process.wait(PATIENCE)
        log.seek(0)
        said = log.read()
        assert "Traceback" not in said, said
        assert status == 0
