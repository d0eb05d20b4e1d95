"""requests with a session for each thread; httpx with workers that share an iterator."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import requests


def fetch_all(urls, max_workers=8):
    """Get all addresses in threads; rows are put where they belong as they complete."""
    local = threading.local()
    sessions = []

    def get(url):
        if not hasattr(local, "session"):
            local.session = requests.Session()
            sessions.append(local.session)
        try:
            answer = local.session.get(url, timeout=120)
        except requests.RequestException as error:
            return (url, None, str(error))
        return (url, answer.status_code, answer.text)

    rows = [None] * len(urls)
    executor = ThreadPoolExecutor(max_workers)
    futures = {executor.submit(get, url): place for place, url in enumerate(urls)}
    for future in as_completed(futures):
        rows[futures[future]] = future.result()
    executor.shutdown()
    for session in sessions:
        session.close()
    return rows


async def fetch_all_async(urls, limit=8):
    """Get all addresses with an asynchronous client, by `limit` workers."""
    rows = {}
    waiting = iter(enumerate(urls))
    async with httpx.AsyncClient(timeout=None, follow_redirects=True) as client:

        async def work():
            for place, url in waiting:
                try:
                    answer = await client.get(url)
                    rows[place] = (url, answer.status_code, answer.content)
                except httpx.HTTPError as error:
                    rows[place] = (url, None, f"{type(error).__name__}: {error}")

        await asyncio.gather(*(work() for _ in range(limit)))
    return [rows[place] for place in sorted(rows)]
