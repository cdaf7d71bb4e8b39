"""A thousand requests to a server that takes 5 ms for each: some plainly, all by threads, all by an async client.

The server is part of the program: a process of its own, which listens on this machine only. Both clients are httpx's.

Prints:
    plainly: 100 answers in ... s, ... a second
    threads: 1000 answers in ... s, ... a second
    asyncio: 1000 answers in ... s, ... a second
    all the same: True
"""

import asyncio
from multiprocessing.connection import Connection

import corewise

try:
    import httpx
except ImportError:
    raise SystemExit("this example needs httpx: pip install 'corewise[examples]'") from None


def serve(port: Connection) -> None:
    """Tell the port, then answer for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(4096):
            await asyncio.sleep(0.005)
            page = request.split()[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


async def by_asyncio(pages: list[str]) -> corewise.Results:
    """Get all pages in one event loop."""
    async with httpx.AsyncClient() as client:
        return await corewise.amap(client.get, pages, workers=20)


if __name__ == "__main__":
    receiver, sender = corewise.Pipe(duplex=False)
    server = corewise.Process(target=serve, args=(sender,), daemon=True)
    server.start()
    port = receiver.recv()
    pages = [f"http://127.0.0.1:{port}/{number}" for number in range(1000)]
    with httpx.Client() as client:
        plainly = corewise.map(client.get, pages[:100], approach="sync")
        by_threads = corewise.map(client.get, pages, approach="threads", workers=20)
    answers = {"plainly": plainly, "threads": by_threads, "asyncio": asyncio.run(by_asyncio(pages))}
    for name, results in answers.items():
        seconds = results.stats.wall_s
        print(f"{name}: {len(results)} answers in {seconds:.2f} s, {len(results) / seconds:.0f} a second")
    print("all the same:", all(one.text == f"/{at}" for results in answers.values() for at, one in enumerate(results)))
    server.kill_tree()
