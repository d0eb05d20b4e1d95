"""A Jupyter client for a kernel that the supervisor starts, watches and ends.

No other module uses nbclient. The client runs in a thread of its own. Each request to it is a
future, so that the supervisor's thread can look at the kernel's processes while it waits. What
comes from the kernel is JSON of a capped size, which is kept and not believed.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import asdict
from typing import TypeVar

import nbformat
import zmq
import zmq.asyncio
from ipykernel.compiler import murmur2_x86
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets import Type

from pytest_mpgrade.records import NotebookDocument
from pytest_mpgrade.run.protocol import Connection
from pytest_mpgrade.system.linux import procfs

__all__ = ["CellExecutionError", "Jupyter", "code_name", "warm_up"]

_Made = TypeVar("_Made")
_Message = NotebookDocument
"""A message of Jupyter's protocol, as jupyter_client has it."""
IOPUB_SECONDS = 15.0
"""Seconds to wait for the outputs of a cell when the kernel has replied that the cell is done."""
CLOSE_SECONDS = 10.0
"""The loop ends at once, unless it is writing a message."""
_ASLEEP_SECONDS = 0.02
"""Seconds between two looks at the kernel's threads: one that runs has used a tick of the clock
then.
"""
_KEPT = ("stream", "display_data", "execute_result", "update_display_data", "comm_open", "comm_msg")
"""Messages of which nbclient keeps something. Those about comms are the state of widgets."""
_CONTEXTS: list[zmq.asyncio.Context] = []
"""Contexts that live as long as this process, which makes one run. A context that is collected
waits for ever in zmq_ctx_term(3) where another thread still holds a socket, and collecting may
happen in any thread.
"""


def warm_up() -> None:
    """Do once what takes long the first time: nbformat compiles its schema at the first output."""
    nbformat.v4.output_from_msg(
        {"header": {"msg_type": "stream"}, "content": {"name": "stdout", "text": ""}}
    )


def code_name(source: str) -> str:
    """Return the file name that a kernel (ipykernel) gives to a cell's code, without folder."""
    return f"{murmur2_x86(source, 0xC70F6907)}.py"


class _Kernel(AsyncKernelManager):  # type: ignore[misc]  # - the library is untyped
    """A kernel that the supervisor has started, and that only the supervisor ends."""

    has_kernel = True
    alive: Callable[[], bool] = staticmethod(lambda: True)

    async def is_alive(self) -> bool:
        return self.alive()

    _async_is_alive = is_alive  # which a client asks for

    def client(self, **options: object) -> AsyncKernelClient:
        """Return a client with this manager's context; by default it would make one of its own."""
        return super().client(context=self.context, **options)

    async def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        """Do nothing, since the supervisor ends the kernel."""

    async def cleanup_resources(self, restart: bool = False) -> None:
        """Do nothing, since the supervisor ends the kernel."""


class _Shell(AsyncZMQSocketChannel):  # type: ignore[misc]  # - the library is untyped
    """A channel that notes a reply of the kernel.

    The kernel has then done what it was asked for, although it may still have messages to send.
    """

    replied = False

    def send(self, msg: _Message) -> None:
        """Send a message, and look for a reply that has come meanwhile.

        The file descriptor of a socket reports incoming data once, and sending uses that report up
        (zmq_getsockopt(3), ZMQ_FD). nbclient sends while it waits when an Output widget is printed
        into, and does so past pyzmq's own precautions. Asking the socket for its events makes up
        for that.
        """
        super().send(msg)
        self.socket.get(zmq.EVENTS)  # type: ignore[attr-defined]  # - made when it is imported

    async def get_msg(self, timeout: float | None = None) -> _Message:
        message: _Message = await super().get_msg(timeout)
        self.replied = True
        return message


class _KernelClient(AsyncKernelClient):  # type: ignore[misc]  # - the library is untyped
    """A client without heartbeat.

    A kernel that reads heartbeats would look as if the notebook did something.
    """

    shell_channel_class = Type(_Shell)

    def start_channels(self, *args: object, **kwargs: object) -> None:
        super().start_channels(*args, **{**kwargs, "hb": False})


class _Client(NotebookClient):  # type: ignore[misc]  # - the library is untyped
    """A client that keeps a capped amount of output, and puts a note in the place of the rest."""

    most = 0
    kept = 0
    messages = 0

    def process_message(
        self, msg: _Message, cell: nbformat.NotebookNode, cell_index: int
    ) -> object:
        self.messages += 1
        if msg["msg_type"] in _KEPT:
            before, self.kept = (
                self.kept,
                self.kept + _size(msg["content"]) + sum(map(len, msg.get("buffers", ()))),
            )
            if self.kept > self.most:
                if before <= self.most:
                    note = f"(more than {self.most} bytes of output; the rest is left out)\n"
                    cell.outputs.append(
                        nbformat.from_dict(
                            {"output_type": "stream", "name": "stderr", "text": note}
                        )
                    )
                return None
        return super().process_message(msg, cell, cell_index)


def _size(content: object) -> int:
    if isinstance(content, dict):
        return sum(_size(each) for each in content.values())
    return len(content) if isinstance(content, (str, list)) else 8


class Jupyter:
    """See the module's docstring. *most* is the number of bytes of output that are kept."""

    def __init__(
        self,
        notebook: NotebookDocument,
        connection: Connection,
        alive: Callable[[], bool],
        most: int,
    ) -> None:
        self.notebook: nbformat.NotebookNode = nbformat.from_dict(notebook)
        self._kc: AsyncKernelClient = None  # None until it is connected
        self._cell: nbformat.NotebookNode = None  # the cell that is executed, or was executed last
        self._execution: Future[object] = Future()
        self._before = set(procfs.tasks(os.getpid()))
        context = zmq.asyncio.Context()
        _CONTEXTS.append(context)
        self._kernel = _Kernel(context=context, client_factory=_KernelClient)
        self._kernel.alive = alive
        self._kernel.load_connection_info(asdict(connection))
        log = logging.getLogger("mpgrade-jupyter")
        log.addHandler(logging.NullHandler())
        log.propagate = False
        self._client = _Client(
            self.notebook,
            self._kernel,
            log=log,
            timeout=None,
            startup_timeout=3600,
            iopub_timeout=IOPUB_SECONDS,
            skip_cells_with_tag="",
            kernel_name="python3",
        )
        self._client.most = most
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def connect(self) -> Future[None]:
        """Connect to the kernel when it is up."""
        return self._submit(self._connect())

    def execute(self, index: int) -> Future[object]:
        """Execute a cell of the notebook; the future raises CellExecutionError if it raises."""
        self._kc.shell_channel.replied = False
        self._cell = self.notebook.cells[index]
        self._execution = self._submit(self._client.async_execute_cell(self._cell, index))
        return self._execution

    def interrupt(self, kernel: int) -> Future[None]:
        """Interrupt the executing cell by a signal to the *kernel*; keep its outputs so far."""
        return self._submit(self._interrupt(kernel))

    def tell(self, code: str) -> Future[None]:
        """Have the kernel execute code that leaves no trace in the notebook."""
        self._kc.shell_channel.replied = False
        return self._submit(self._tell(code))

    def shut_down(self) -> None:
        """Ask the kernel to end."""
        self._submit(self._shut_down())

    def close(self) -> None:
        """Stop the client; the notebook stays as it is, with the state of its widgets."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_SECONDS)
        self._client.set_widgets_metadata()

    @property
    def messages(self) -> int:
        """How many messages about cells the kernel has sent so far."""
        return int(self._client.messages)

    @property
    def replied(self) -> bool:
        """Whether the kernel has replied to the last request."""
        return bool(self._kc.shell_channel.replied)

    def busy(self) -> bool:
        """Tell whether this client itself is at work.

        It may not have taken in yet what the kernel has sent.
        """
        first = self._threads()
        threading.Event().wait(_ASLEEP_SECONDS)
        return first is None or first != self._threads()

    def _threads(self) -> dict[int, int] | None:
        """Return how often each thread of the client has gone to sleep; None if one is awake."""
        me = os.getpid()
        mine = [
            each
            for each in procfs.look_at_threads(me, lambda _: (False, ""))
            if each.tid not in self._before
        ]
        return (
            {each.tid: each.switches for each in mine}
            if all(each.state == "S" for each in mine)
            else None
        )

    async def _connect(self) -> None:
        self._kc = await self._client.async_start_new_kernel_client()
        # Some threads of a kernel start with its first command, so they are there after this one.
        await self._tell("pass")

    async def _tell(self, code: str) -> None:
        message = self._kc.execute(code, silent=True, store_history=False, allow_stdin=False)
        await self._client.async_wait_for_reply(message)

    async def _interrupt(self, kernel: int) -> None:
        shown = copy.deepcopy(self._cell.outputs)
        os.kill(kernel, signal.SIGINT)
        await asyncio.gather(asyncio.wrap_future(self._execution), return_exceptions=True)
        self._cell.outputs = shown

    async def _shut_down(self) -> None:
        self._kc.shutdown()

    def _submit(self, work: Coroutine[object, None, _Made]) -> Future[_Made]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)
