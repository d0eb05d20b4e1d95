"""
Functions to get many addresses at the same time.

Stats 507
"""

# imports: --------------------------------------------------------------------
import asyncio
import http.server
import threading
import time


# functions: ------------------------------------------------------------------
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
        `(url, status, body)` for each address, in order. For one without an answer
        `(url, None, message)`.
    """
    raise NotImplementedError


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
        `(url, status, body)` for each address, in order. For one without an answer
        `(url, None, message)`.
    """
    raise NotImplementedError


# a server to try them with: --------------------------------------------------
class SlowPage(http.server.BaseHTTPRequestHandler):
    """Answers each request after half a second; 404 below /lost."""

    def do_GET(self):
        """Answer one request."""
        time.sleep(0.5)
        self.send_response(404 if self.path.startswith("/lost") else 200)
        self.end_headers()
        self.wfile.write(f"this is {self.path}".encode())

    def log_message(self, *args):
        """Write no log."""


# Try your functions here; this does not run when the module is imported.
if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SlowPage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    pages = [f"{base}/{i}" for i in range(8)] + [f"{base}/lost", "http://127.0.0.1:1/nobody"]

    start = time.time()
    for row in fetch_all(pages, max_workers=4):
        print(row)
    print(f"{time.time() - start:.1f} s; one by one it would take more than 4 s")
    start = time.time()
    for row in asyncio.run(fetch_all_async(pages, limit=4), debug=True):
        print(row)
    print(f"{time.time() - start:.1f} s")
