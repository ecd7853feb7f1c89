"""What batteries in Python have between a tool and PostgreSQL, and beside them: a network that reads each message, and a session.

A Proxy asks `pass_on(link, to_server, kind, message)` what to send for each message: its bytes, others, or none; EOFError closes.
"""
import ctypes
import socket
import struct
import threading

LIBC = ctypes.CDLL(None)


def message(kind, body=b""):
    return kind + struct.pack(">i", len(body) + 4) + body


class Flow:
    """Messages of one side of a connection."""

    def __init__(self, sock):
        self.sock, self.data = sock, bytearray()

    def take(self, count):
        while len(self.data) < count:
            piece = self.sock.recv(65536)
            if not piece:
                raise EOFError
            self.data += piece
        taken = bytes(self.data[:count])
        del self.data[:count]
        return taken

    def message(self, typed=True):
        head = self.take(5 if typed else 4)
        return head[:-4], head + self.take(struct.unpack(">i", head[-4:])[0] - 4)


def connect(server):
    """To (HOST, PORT), or to the socket with this name."""
    if isinstance(server, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(server)
        return sock
    return socket.create_connection(server)


def reset(sock):
    """The other side finds its connection reset, also while a thread of ours reads from it, which close() would wait for."""
    if sock.family == socket.AF_INET:
        LIBC.connect(sock.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16)
    shut(sock)


def shut(sock, how=socket.SHUT_RDWR):
    try:
        sock.shutdown(how)
    except OSError:
        pass


class Link:
    def __init__(self, client, server):
        self.client, self.server, self.name = client, server, ""

    def settings(self, start):
        """Of the message that begins a session; that of a request to cancel has none."""
        words = start[8:].split(b"\0")
        return dict(zip(words[::2], words[1::2]))


class Proxy:
    """On the loopback, before `server`. While it is mute, it accepts and says nothing; while it refuses, it hangs up."""

    def __init__(self, server, pass_on):
        self.server, self.pass_on = server, pass_on
        self.mute = self.refuses = False
        self.links, self.kept = [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def forget(self):
        """Every connection is closed."""
        for sock in [s for link in self.links for s in (link.client, link.server)] + self.kept:
            shut(sock)
            sock.close()
        self.links, self.kept = [], []

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            if self.mute:
                self.kept.append(client)
                continue
            try:
                link = Link(client, None if self.refuses else connect(self.server))
            except OSError:
                link = Link(client, None)
            if link.server is None:
                client.close()
                continue
            for sock in (link.client, link.server):
                if sock.family == socket.AF_INET:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.links.append(link)
            threading.Thread(target=self.up, args=(link,), daemon=True).start()
            threading.Thread(target=self.down, args=(link,), daemon=True).start()

    def up(self, link):
        flow = Flow(link.client)
        try:
            _, start = flow.message(typed=False)
            link.name = link.settings(start).get(b"application_name", b"").decode()
            self.send(link, link.server, True, b"", start)
            while True:
                self.send(link, link.server, True, *flow.message())
        except (OSError, EOFError):
            pass
        shut(link.server)

    def down(self, link):
        flow = Flow(link.server)
        try:
            while True:
                self.send(link, link.client, False, *flow.message())
        except (OSError, EOFError):
            pass
        shut(link.client)

    def send(self, link, sock, to_server, kind, whole):
        whole = self.pass_on(link, to_server, kind, whole)
        if whole:
            sock.sendall(whole)


class Session:
    """A session of our own: statements as text, rows as lists of text. It connects again after the server was away."""

    def __init__(self, server, user, database):
        self.server, self.user, self.database, self.sock = server, user, database, None

    def open(self):
        self.sock = connect(self.server)
        start = b"\0\3\0\0user\0%b\0database\0%b\0client_encoding\0UTF8\0\0" % (self.user.encode(), self.database.encode())
        self.sock.sendall(struct.pack(">i", len(start) + 4) + start)
        self.flow = Flow(self.sock)
        self.answer()

    def close(self):
        if self.sock:
            self.sock.close()
        self.sock = None

    def ask(self, text):
        try:
            if not self.sock:
                self.open()
            self.sock.sendall(message(b"Q", text.encode() + b"\0"))
            return self.answer()
        except (OSError, EOFError):
            self.close()
            raise

    def answer(self):
        rows, error = [], None
        while True:
            kind, whole = self.flow.message()
            body = whole[5:]
            if kind == b"D":
                rows.append(self.columns(body))
            elif kind == b"E":
                error = body.replace(b"\0", b" ").decode(errors="replace")
            elif kind == b"Z":
                break
        if error:
            raise RuntimeError(error)
        return rows

    @staticmethod
    def columns(body):
        return [None if c is None else c.decode() for c in columns(body)]


def columns(body):
    """The values of a DataRow, None for NULL."""
    count, at, found = struct.unpack(">h", body[:2])[0], 2, []
    for _ in range(count):
        size = struct.unpack(">i", body[at : at + 4])[0]
        found.append(None if size < 0 else body[at + 4 : at + 4 + size])
        at += 4 + max(size, 0)
    return found
