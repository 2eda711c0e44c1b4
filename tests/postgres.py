"""How do tests get a PostgreSQL of their own? A server on a free port, in a folder that goes with it."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# It refuses to run as root; Debian's package brings this user.
USER = "postgres"


def _binaries() -> Path | None:
    """The folder of initdb and pg_ctl: the newest of Debian's, or wherever they are on the path."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: float(file.parts[4]))
    on_path = shutil.which("initdb")
    return installed[-1].parent if installed else Path(on_path).parent if on_path else None


def missing() -> str | None:
    """Why there is no PostgreSQL to test with; None where there is. Where `CI` is set there has to be one."""
    if _binaries() or os.environ.get("CI"):
        return None
    return "PostgreSQL's initdb is not installed"


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty server, to which the name of a database is to be added."""
    binaries = _binaries()
    assert binaries, "PostgreSQL's initdb is not installed"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    owner: dict[str, Any] = {"user": USER, "group": USER, "extra_groups": []} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="history-"))

    def run(program: str, *arguments: str) -> None:
        # A file and not a pipe: the server inherits it and would keep a pipe open.
        with open(folder / "log", "a+") as log:
            command = [str(binaries / program), "-D", str(folder / "data"), *arguments]
            done = subprocess.run(command, cwd=folder, stdout=log, stderr=log, check=False, **owner)
            log.seek(0)
            assert done.returncode == 0, log.read()

    try:
        if owner:
            shutil.chown(folder, USER, USER)
        run("initdb", "--auth", "trust", "--username", USER, "--encoding", "UTF8", "--no-sync")
        run("pg_ctl", "--wait", "--options", f"-p {port} -h 127.0.0.1 -k {folder} -F", "start")
        try:
            yield f"postgresql://{USER}@127.0.0.1:{port}/"
        finally:
            run("pg_ctl", "--mode", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
