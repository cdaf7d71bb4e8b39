"""Download twelve pages at the same time, by threads with a blocking client and by asyncio with an async one.

The server is part of the program, listens on this machine only and takes 50 ms for each page. One page after the other
would take at least 0.6 s.

Prints:
    threads: the last page says 'this is /page/11', ... s in all
    asyncio: the last page says 'this is /page/11', ... s in all
    both got the same: True
"""

import asyncio
import threading
import time
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import corewise


class Pages(BaseHTTPRequestHandler):
    """Answers slowly, as something far away does, and writes no log."""

    def do_GET(self) -> None:
        """Wait, then answer with the path."""
        time.sleep(0.05)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"this is {self.path}".encode())

    def log_request(self, *_: object) -> None:
        """Keep silent."""


def fetch(port: int, path: str) -> str:
    """Return a page; the thread waits until it is there."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    return connection.getresponse().read().decode()


async def fetch_async(port: int, path: str) -> str:
    """Return a page; others run meanwhile. A real program would use an async HTTP client."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.partition(b"\r\n\r\n")[2].decode()


if __name__ == "__main__":
    paths = [f"/page/{number}" for number in range(12)]
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever).start()
        ports = [server.server_port] * len(paths)
        by_threads = corewise.map(fetch, ports, paths, approach="threads", workers=4)
        by_asyncio = corewise.map(fetch_async, ports, paths, approach="asyncio", workers=4)
        server.shutdown()
    for results in (by_threads, by_asyncio):
        print(f"{results.choice.approach}: the last page says {results[-1]!r}, {results.stats.wall_s:.2f} s in all")
    print("both got the same:", by_threads == by_asyncio)
