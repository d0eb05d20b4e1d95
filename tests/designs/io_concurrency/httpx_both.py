"""httpx for both; the limit is that of the client's connections for one, a semaphore for the other."""

import asyncio
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx


def fetch_all(urls, max_workers=8):
    """Get addresses in threads; the results are put in order by their places."""
    rows = [None] * len(urls)
    with httpx.Client(timeout=60, follow_redirects=True) as client:
        with ThreadPoolExecutor(max_workers) as executor:
            places = {executor.submit(client.get, url): i for i, url in enumerate(urls)}
            for future in as_completed(places):
                i = places[future]
                try:
                    answer = future.result()
                    rows[i] = (urls[i], answer.status_code, answer.content)
                except httpx.HTTPError as error:
                    rows[i] = (urls[i], None, repr(error))
    return rows


async def fetch_all_async(urls, limit=8):
    """Get addresses in an async client."""
    gate = asyncio.Semaphore(limit)
    async with httpx.AsyncClient(timeout=None, follow_redirects=True) as client:

        async def one(url):
            async with gate:
                try:
                    answer = await client.get(url)
                except httpx.HTTPError as error:
                    return (url, None, f"{type(error).__name__}: {error}")
                return (url, answer.status_code, answer.text)

        tasks = [asyncio.create_task(one(url)) for url in urls]
        return [await task for task in tasks]
