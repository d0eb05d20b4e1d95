"""The limit is that of aiohttp's connector; exceptions are gathered, and told apart at the end."""

import asyncio
import urllib.error
import urllib.request
from multiprocessing.pool import ThreadPool

import aiohttp


def get(url):
    """Get one address."""
    try:
        with urllib.request.urlopen(url) as answer:
            return url, answer.getcode(), answer.read()
    except urllib.error.HTTPError as error:
        return url, error.code, error.read()
    except OSError as error:
        return url, None, str(error)


def fetch_all(urls, max_workers=8):
    """Get addresses in a pool of threads."""
    pool = ThreadPool(max_workers)
    try:
        return pool.map(get, urls, chunksize=1)
    finally:
        pool.close()
        pool.join()


async def fetch_all_async(urls, limit=8):
    """Get addresses over a few connections."""

    async def one(session, url):
        async with session.get(url) as answer:
            return url, answer.status, await answer.text()

    connector = aiohttp.TCPConnector(limit=limit)
    async with aiohttp.ClientSession(connector=connector) as session:
        found = await asyncio.gather(*(one(session, u) for u in urls), return_exceptions=True)
    return [
        (url, None, str(row)) if isinstance(row, BaseException) else row
        for url, row in zip(urls, found)
    ]
