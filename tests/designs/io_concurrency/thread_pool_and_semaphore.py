"""The pool of threads of multiprocessing; asyncio.to_thread behind a semaphore."""

import asyncio
from multiprocessing.pool import ThreadPool
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen


def read(url):
    """Return the row of one address."""
    try:
        response = urlopen(Request(url, headers={"User-Agent": "stats 507"}))
    except HTTPError as error:
        response = error
    except (URLError, OSError) as error:
        return url, None, str(error)
    with response:
        try:
            return url, response.status, response.read().decode()
        except OSError as error:
            return url, None, repr(error)


def fetch_all(urls, max_workers=8):
    """Get all addresses in a pool of threads."""
    with ThreadPool(max_workers) as pool:
        rows = pool.map(read, list(urls), chunksize=1)
        pool.close()
        pool.join()
    return rows


async def fetch_all_async(urls, limit=8):
    """Get all addresses in the threads of the event loop, `limit` at a time."""
    room = asyncio.BoundedSemaphore(limit)

    async def one(url):
        async with room:
            return await asyncio.to_thread(read, url)

    tasks = [asyncio.create_task(one(url)) for url in urls]
    return [await task for task in tasks]
