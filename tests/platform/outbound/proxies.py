"""A real HTTP proxy on loopback that connects where a test says, and notes what it was asked for."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class ProxyServer:
    port: int = 0
    leads_to: int = 0  # the port on this machine to which every tunnel leads
    answer: bytes = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n"
    heads: list[str] = field(default_factory=list)
    handle: Callable[[socket.socket], None] | None = None  # instead of all that

    @property
    def places(self) -> list[str]:
        """What it was asked to connect to."""
        return [head.split(" ")[1] for head in self.heads]


@contextmanager
def proxying(leads_to: int = 0) -> Iterator[ProxyServer]:
    """A proxy on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = ProxyServer(listener.getsockname()[1], leads_to)
        threading.Thread(target=_accept, args=(listener, proxy), daemon=True).start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread, which would take one more connection


def _accept(listener: socket.socket, proxy: ProxyServer) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, proxy), daemon=True).start()


def _serve(client: socket.socket, proxy: ProxyServer) -> None:
    with client, suppress(OSError):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = client.recv(1)
            if not piece:
                return
            head += piece
        proxy.heads.append(head.decode())
        if proxy.handle:
            proxy.handle(client)
            return
        client.sendall(proxy.answer)
        if b" 200 " in proxy.answer:
            with socket.create_connection(("127.0.0.1", proxy.leads_to)) as upstream:
                back = threading.Thread(target=_copy, args=(upstream, client), daemon=True)
                back.start()
                _copy(client, upstream)
                back.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
