"""A subclass of Process; the result is received, and the process joined, in a thread."""

import asyncio
import multiprocessing as mp


class Task(mp.Process):
    """A process that runs one task."""

    def __init__(self, func, args, kwargs):
        super().__init__()
        self.job = func, args, kwargs
        self.receiver, self.sender = mp.Pipe(duplex=False)

    def run(self):
        """Send what comes of the task."""
        func, args, kwargs = self.job
        try:
            self.sender.send(("result", func(*args, **kwargs)))
        except Exception as error:
            self.sender.send(("error", error))

    def outcome(self):
        """Wait for the answer, and for the end of the process."""
        self.sender.close()
        answer = self.receiver.recv()
        self.join()
        self.receiver.close()
        return answer


async def async_task(task):
    """Run a task in a process; return its result."""
    func = task[0]
    args = next((x for x in task[1:] if isinstance(x, (tuple, list))), ())
    kwargs = next((x for x in task[1:] if isinstance(x, dict)), {})
    process = Task(func, args, kwargs)
    process.start()
    kind, value = await asyncio.to_thread(process.outcome)
    if kind == "error":
        raise value
    return value
