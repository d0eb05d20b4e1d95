"""The interpreter is started by asyncio itself, and speaks pickle over its standard streams."""

import asyncio
import pickle
import sys

CODE = """
import pickle, sys
sys.path[:], (func, args, kwargs) = pickle.load(sys.stdin.buffer)
func = pickle.loads(func)
try:
    answer = True, func(*args, **kwargs)
except Exception as error:
    answer = False, error
sys.stdout.buffer.write(pickle.dumps(answer))
"""


async def async_task(task):
    """Run a task in a Python of its own; return its result."""
    func, args, kwargs = task if len(task) == 3 else (*task, {})
    if isinstance(args, dict):
        args, kwargs = (), args
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CODE, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    sent = pickle.dumps((sys.path, (pickle.dumps(func), args, kwargs)))
    try:
        out, _ = await process.communicate(sent)
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    returned, value = pickle.loads(out)
    if not returned:
        raise value
    return value
