"""What is sent to the grader: every word is read, also the last of a process that is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mpgrade.run.observe.gate_socket import AttestedServer

ONE_WORD = """
import socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
    connection.connect(sys.argv[1])
    connection.send(b'{"kind": "note", "key": "4714"}')
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SCM_CREDENTIALS is Linux's")
def test_only_word_of_a_process_that_has_ended(tmp_path: Path) -> None:
    """One look is enough to hear it: whether more is to come is decided by whether a look has heard
    anything.
    """
    server = AttestedServer(str(tmp_path))
    address = server.address.removeprefix("unix:")
    with subprocess.Popen([sys.executable, "-c", ONE_WORD, address], cwd=tmp_path) as process:
        assert process.wait() == 0
    message, _ = server.poll(0)
    server.close()
    assert (message.pid, message.kind, message.key) == (process.pid, "note", "4714")
