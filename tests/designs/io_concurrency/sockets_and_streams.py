"""http.client in threads with a semaphore, and asyncio's own streams: HTTP/1.1 by hand."""

import asyncio
import http.client
import threading
from urllib.parse import urljoin, urlsplit


def fetch(url, follow=5):
    """Get one address with http.client, and follow redirects."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status in (301, 302, 303, 307, 308) and follow:
            return fetch(urljoin(url, answer.headers["Location"]), follow - 1)
        return answer.status, body
    finally:
        connection.close()


def fetch_all(urls, max_workers=8):
    """Get addresses with one thread for each, of which few are let in."""
    free = threading.Semaphore(max_workers)
    rows = [None] * len(urls)

    def work(i, url):
        with free:
            try:
                rows[i] = (url, *fetch(url))
            except (OSError, http.client.HTTPException) as error:
                rows[i] = (url, None, str(error) or type(error).__name__)

    threads = [threading.Thread(target=work, args=item) for item in enumerate(urls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return rows


async def fetch_async(url, follow=5):
    """Get one address over a stream."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        data = await reader.read()
    finally:
        writer.close()
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    status = int(first.split()[1])
    if status in (301, 302, 303, 307, 308) and follow:
        return await fetch_async(urljoin(url, headers["location"]), follow - 1)
    return status, body


async def fetch_all_async(urls, limit=8):
    """Get addresses by coroutines, of which few are let in."""
    free = asyncio.Semaphore(limit)

    async def one(url):
        try:
            async with free:
                return (url, *(await fetch_async(url)))
        except (OSError, ValueError, IndexError) as error:
            return url, None, f"{error!r}"

    return list(await asyncio.gather(*map(one, urls)))
