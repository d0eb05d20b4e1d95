"""requests in threads, and aiohttp with a semaphore: what most people would take."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import requests


def fetch(url):
    """Get one address."""
    try:
        answer = requests.get(url, timeout=60)
    except requests.RequestException as error:
        return url, None, str(error)
    return url, answer.status_code, answer.text


def fetch_all(urls, max_workers=8):
    """Get addresses in threads."""
    with ThreadPoolExecutor(max_workers=max_workers) as executor:
        futures = [executor.submit(fetch, url) for url in urls]
        return [future.result() for future in futures]


async def fetch_all_async(urls, limit=8):
    """Get addresses by coroutines."""
    semaphore = asyncio.Semaphore(limit)

    async def fetch_one(session, url):
        async with semaphore:
            try:
                async with session.get(url) as answer:
                    return url, answer.status, await answer.read()
            except aiohttp.ClientError as error:
                return url, None, str(error)

    async with aiohttp.ClientSession() as session:
        return await asyncio.gather(*(fetch_one(session, url) for url in urls))
