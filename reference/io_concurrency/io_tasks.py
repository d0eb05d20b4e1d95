"""
Trusted solution of `io_concurrency`: many addresses at the same time, by threads and by asyncio.

Both functions share `get`, which waits for one address. Only the standard library is needed.

Stats 507
"""

# imports: --------------------------------------------------------------------
import asyncio
import http.client
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor


# functions of the assignment: ------------------------------------------------
def fetch_all(urls, max_workers=8):
    """
    Get many addresses at the same time, in threads.

    Parameters
    ----------
    urls : list of str
        The addresses.
    max_workers : int, optional
        The number of requests that are open at once, at most. The default is 8.

    Returns
    -------
    list of tuples
        `(url, status, body)` for each address, in order; `(url, None, message)` without an answer.
    """
    with ThreadPoolExecutor(max_workers=max_workers) as executor:
        return list(executor.map(get, urls))


async def fetch_all_async(urls, limit=8):
    """
    Get many addresses at the same time, awaited in an event loop.

    Parameters
    ----------
    urls : list of str
        The addresses.
    limit : int, optional
        The number of requests that are open at once, at most. The default is 8.

    Returns
    -------
    list of tuples
        `(url, status, body)` for each address, in order; `(url, None, message)` without an answer.
    """
    loop = asyncio.get_running_loop()
    # The loop's own executor has as many threads as the machine has cores, and a few more.
    with ThreadPoolExecutor(max_workers=limit) as executor:
        return await asyncio.gather(*(loop.run_in_executor(executor, get, url) for url in urls))


# helpers: --------------------------------------------------------------------
def get(url):
    """Return `(url, status, body)` for one address, or `(url, None, message)`."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return url, answer.status, answer.read()
    except urllib.error.HTTPError as error:  # an answer too: 404, say
        with error:
            return url, error.code, error.read()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return url, None, f"{type(error).__name__}: {error}"


# 79: -------------------------------------------------------------------------
