"""Threads of its own that take addresses from a queue; workers that do the same with asyncio."""

import asyncio
import queue
import threading
import urllib.error
import urllib.request


def get(url):
    """Get one address."""
    try:
        with urllib.request.urlopen(url) as answer:
            return (url, answer.status, answer.read().decode())
    except urllib.error.HTTPError as error:
        return (url, error.code, error.read().decode())
    except Exception as error:
        return (url, None, str(error))


def fetch_all(urls, max_workers=8):
    """Get addresses in threads."""
    todo = queue.Queue()
    for item in enumerate(urls):
        todo.put(item)
    rows = {}

    def work():
        while True:
            try:
                i, url = todo.get_nowait()
            except queue.Empty:
                return
            rows[i] = get(url)

    threads = [threading.Thread(target=work) for _ in range(min(max_workers, len(urls)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [rows[i] for i in range(len(urls))]


async def fetch_all_async(urls, limit=8):
    """Get addresses by as many workers as may be, each with a thread for its request."""
    todo = asyncio.Queue()
    for item in enumerate(urls):
        todo.put_nowait(item)
    rows = [None] * len(urls)

    async def worker():
        while not todo.empty():
            i, url = todo.get_nowait()
            rows[i] = await asyncio.to_thread(get, url)

    await asyncio.gather(*(worker() for _ in range(limit)))
    return rows
