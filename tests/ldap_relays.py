"""A wire to a directory that is cut, and a server that hands out lists in pieces.

Active Directory cuts long lists and slapd cannot, so the second speaks LDAP itself.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_BIND, _UNBIND, _SEARCH = 0x60, 0x42, 0x63
_BIND_DONE, _ENTRY, _DONE = 0x61, 0x64, 0x65
_PAGED_RESULTS = b"1.2.840.113556.1.4.319"
_NO_ACCESS = 50
_PIECE = 3
"""Values the server hands out at a time; Active Directory's are 1,500."""


@contextmanager
def cut_after(port: int, limit: int, cut: Callable[[], None]) -> Iterator[int]:
    """Relay to a port; after so many bytes of answer call ``cut`` and hang up."""

    def carry(client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            asking = threading.Thread(target=_pump, args=(client, server), daemon=True)
            asking.start()
            passed = 0
            while passed < limit and (data := server.recv(4096)):
                client.sendall(data[: limit - passed])
                passed += len(data)
            if passed >= limit:
                cut()
            client.shutdown(socket.SHUT_RDWR)

    with _listening(carry) as own:
        yield own


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(4096):
            target.sendall(data)
    except OSError:
        return


@contextmanager
def _listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            client, _ = listener.accept()
            serve(client)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=10)


@contextmanager
def pieces_of(
    entries: dict[str, dict[str, list[bytes]]],
    *,
    lost: bool = False,
    refused: bytes | None = None,
) -> Iterator[int]:
    """Answer searches with the entries that have the class asked for, one to a page.

    A list longer than three values comes as ``name;range=0-2``, and its rest when asked
    for; not at all if it is ``lost``. Searches for a ``refused`` class are not allowed.
    Source: [MS-ADTS] 3.1.1.3.1.3.3.
    """

    def serve(client: socket.socket) -> None:
        buffer = b""
        with client:
            while True:
                while (message := _message(buffer)) is None:
                    data = client.recv(65536)
                    if not data:
                        return
                    buffer += data
                buffer = buffer[message[1] :]
                answers = _answers(message[0], entries, lost=lost, refused=refused)
                if answers is None:
                    return
                client.sendall(b"".join(answers))

    with _listening(serve) as own:
        yield own


def _answers(
    message: bytes,
    entries: dict[str, dict[str, list[bytes]]],
    *,
    lost: bool,
    refused: bytes | None,
) -> list[bytes] | None:
    (_, number), (operation, content) = _parts(message)[:2]
    if operation == _UNBIND:
        return None
    if operation == _BIND:
        return [_tlv(0x30, _tlv(2, number), _tlv(_BIND_DONE, *_success()))]
    parts = _parts(content)
    if refused is not None and refused in parts[6][1]:
        done = _tlv(_DONE, *_result(_NO_ACCESS))
        return [_tlv(0x30, _tlv(2, number), done)]
    base, asked = parts[0][1].decode(), [name for _, name in _parts(parts[7][1])]
    found = []
    for dn, attributes in entries.items():
        is_meant = dn == base or any(
            one in parts[6][1] for one in attributes["objectClass"]
        )
        if is_meant:
            shown = [
                _attribute(name, values, asked, lost=lost)
                for name, values in attributes.items()
            ]
            found.append(
                _tlv(
                    0x30,
                    _tlv(2, number),
                    _tlv(_ENTRY, _tlv(4, dn.encode()), _tlv(0x30, *shown)),
                )
            )
    done = _tlv(_DONE, *_success())
    controls = _parts(message)[2:]
    if not controls or len(found) < 2:
        return [*found, _tlv(0x30, _tlv(2, number), done)]
    # One entry to a page: the cookie is the number of the next.
    value = _parts(_parts(controls[0][1])[0][1])[-1][1]
    cookie = _parts(_parts(value)[0][1])[1][1]
    at = int(cookie or b"0")
    following = str(at + 1).encode() if at + 1 < len(found) else b""
    paging = _tlv(0x30, _tlv(2, b"\0"), _tlv(4, following))
    control = _tlv(0x30, _tlv(4, _PAGED_RESULTS), _tlv(4, paging))
    return [found[at], _tlv(0x30, _tlv(2, number), done, _tlv(0xA0, control))]


def _attribute(
    name: str, values: list[bytes], asked: list[bytes], *, lost: bool
) -> bytes:
    start = next(
        (
            int(one.partition(b"range=")[2].partition(b"-")[0])
            for one in asked
            if one.startswith(f"{name};range=".encode())
        ),
        0,
    )
    label, told = name, values
    if len(values) > _PIECE:
        told = [] if lost and start else values[start : start + _PIECE]
        last = "*" if start + _PIECE >= len(values) else str(start + _PIECE - 1)
        label = f"{name};range={start}-{last}"
    return _tlv(
        0x30,
        _tlv(4, label.encode()),
        _tlv(0x31, *(_tlv(4, value) for value in told)),
    )


def _success() -> list[bytes]:
    return _result(0)


def _result(code: int) -> list[bytes]:
    return [_tlv(10, bytes([code])), _tlv(4, b""), _tlv(4, b"")]


def _tlv(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def _message(buffer: bytes) -> tuple[bytes, int] | None:
    """Return the first whole message and how long it is, null if it is not all here."""
    if len(buffer) < 2:
        return None
    head = _head(buffer, 0)
    if head is None or len(buffer) < sum(head):
        return None
    start, size = head
    return buffer[start : start + size], start + size


def _head(data: bytes, at: int) -> tuple[int, int] | None:
    size = data[at + 1]
    if size < 0x80:
        return at + 2, size
    length = size & 0x7F
    if len(data) < at + 2 + length:
        return None
    return at + 2 + length, int.from_bytes(data[at + 2 : at + 2 + length], "big")


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        head = _head(data, at)
        assert head is not None
        start, size = head
        found.append((data[at], data[start : start + size]))
        at = start + size
    return found
