"""A hub that plays the Hugging Face Hub on this machine, with the standard library alone, and misbehaves
where it is told to. Small files are answered by the hub itself, large ones by a second server on another
port, which is another host to a client: what arrives there must carry no token. A proxy plays along."""

import base64
import collections
import gzip
import hashlib
import http.client
import http.server
import pathlib
import select
import socket
import ssl
import threading
import time
import urllib.parse

TLS = pathlib.Path(__file__).resolve().parent / "tls"  # certificates; tls/make makes them
LARGE = 4096  # bytes from which on a file is kept as the hub keeps LFS files
PART = 1 << 16


class Sparse:
    """A large file of which nothing is held in memory."""

    def __init__(self, size):
        self.size = size
        self.whole = hashlib.sha256()
        for at in range(0, size, PART):
            self.whole.update(self[at:min(at + PART, size)])

    def __len__(self):
        return self.size

    def __getitem__(self, part):
        start, stop, _ = part.indices(self.size)
        return bytes([start // PART % 251]) * (stop - start) if start % PART == 0 else b"".join(
            bytes([i // PART % 251]) for i in range(start, stop))


def etag_of(data):
    if isinstance(data, Sparse):
        return data.whole.hexdigest()
    if len(data) >= LARGE:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


Request = collections.namedtuple("Request", "where method path headers")


class Trick:
    """What goes wrong with a file: `name` the first `times` times that its bytes are asked for ("get") or
    its headers ("head")."""

    def __init__(self, name, value=0, times=10 ** 9, on="get"):
        self.name, self.value, self.times, self.on = name, value, times, on


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that are killed hang up at any point


def serve(handler, hub, certificate=None):
    server = Server(("127.0.0.1", 0), handler)
    server.hub = hub
    server.url = "%s://127.0.0.1:%d" % ("https" if certificate else "http", server.server_address[1])
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / f"{certificate}.pem", TLS / "key.pem")
        # the handshake is the thread's work that answers
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


class Hub:
    def __init__(self, token=None, tls=None, store_tls=None):
        """tls, store_tls: the certificate by which each of the two servers speaks https; None: http."""
        self.repos = {}     # name -> {commit: {file: data}}
        self.refs = {}      # name -> {revision: commit}
        self.moved = {}     # old name -> name
        self.tricks = {}    # file -> [Trick]
        self.gated = set()
        self.refusals = {}  # name -> (status, X-Error-Code, X-Error-Message)
        self.token = token  # what everything asks for; None: nothing
        self.log = []
        self.lock = threading.Lock()
        self.speed = None   # bytes a second of each file
        self.busy = self.most_busy = 0  # files whose bytes are being sent
        self.servers = [serve(Front, self, tls), serve(Store, self, store_tls)]
        self.url, self.store = (s.url for s in self.servers)

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def add(self, name, files, revision="main"):
        commit = hashlib.sha1(repr((name, sorted((f, etag_of(d)) for f, d in files.items()))).encode()).hexdigest()
        self.repos.setdefault(name, {})[commit] = dict(files)
        self.refs.setdefault(name, {})[revision] = commit
        return commit

    def trick(self, file, on):
        """The trick to play now, or None."""
        with self.lock:
            for trick in self.tricks.get(file, []):
                if trick.on == on and trick.times > 0:
                    trick.times -= 1
                    return trick
        return None

    def requests(self, method=None, where=None):
        with self.lock:
            return [r for r in self.log if method in (None, r.method) and where in (None, r.where)]


class Base(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    where = ""

    def log_message(self, *args):
        pass

    def note(self):
        with self.server.hub.lock:
            self.server.hub.log.append(Request(self.where, self.command, self.path, dict(self.headers)))

    def answer(self, code, headers=(), body=b""):
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name in ("Content-Length", "Transfer-Encoding") for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def do_HEAD(self):
        self.guarded()

    def do_GET(self):
        self.guarded()

    def guarded(self):
        self.note()
        try:
            self.serve()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    def send_data(self, file, data):
        """The bytes of a file, or what a trick makes of them."""
        trick = self.server.hub.trick(file, "get") or Trick("")
        start = self.wanted(len(data), trick)
        if start is None or self.refuse(trick, file):
            return
        total, body_start = len(data), 0 if trick.name == "ignore_range" else start
        if trick.name == "wrong_range" and start:
            body_start = start - 1
        length = total - body_start
        claimed = {"short": length - trick.value, "long": length + trick.value}.get(trick.name, length)
        partial = start and trick.name != "ignore_range"
        if trick.name == "gzip":  # as nobody asked for it
            self.answer(200, [("Content-Encoding", "gzip")], gzip.compress(bytes(trick.value)))
            return
        self.send_response(206 if partial else 200)
        if trick.name == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(claimed))
        if partial:
            self.send_header("Content-Range", f"bytes {body_start}-{total - 1}/{total}")
        self.end_headers()
        hub = self.server.hub
        with hub.lock:
            hub.busy += 1
            hub.most_busy = max(hub.most_busy, hub.busy)
        try:
            self.send_body(data, body_start, trick, claimed)
        finally:
            with hub.lock:
                hub.busy -= 1

    def wanted(self, total, trick):
        """The first byte that is asked for; None: it was refused."""
        value = self.headers.get("Range", "")
        if not value.startswith("bytes="):
            return 0
        start = int(value[6:].split("-")[0])
        if start >= total or trick.name == "416":
            self.answer(416, [("Content-Range", f"bytes */{total}")])
            return None
        return start

    def refuse(self, trick, file):
        if trick.name == "status":
            headers = [("Retry-After", "1")] if trick.value == 429 else []
            self.answer(trick.value, headers, b"no")
        elif trick.name == "hang":
            time.sleep(trick.value)
            self.hang_up()
        elif trick.name == "loop":
            self.answer(302, [("Location", self.path)])
        elif trick.name == "foreign":
            self.answer(302, [("Location", f"{trick.value}/elsewhere/{file}")])
        else:
            return False
        return True

    def send_body(self, data, start, trick, claimed):
        hub, sent, at = self.server.hub, 0, start
        limit = {"drop": trick.value, "short": claimed}.get(trick.name, 10 ** 15)
        while at < len(data) and sent < limit:
            n = min(PART - at % PART, len(data) - at, limit - sent)
            if trick.name == "drip":
                n = min(n, trick.value)
                time.sleep(0.25)
            part = data[at:at + n]
            if trick.name == "flip":
                part = bytes([part[0] ^ 1]) + part[1:]
            if trick.name == "chunked":
                part = b"%x\r\n%s\r\n" % (len(part), part)
            self.wfile.write(part)
            at, sent = at + n, sent + n
            if hub.speed:
                time.sleep(n / hub.speed)
        if trick.name == "chunked":
            self.wfile.write(b"0\r\n\r\n")
        if trick.name == "long":
            self.wfile.write(b"x" * trick.value)
        if trick.name in ("drop", "short", "long"):
            self.hang_up()


class Store(Base):
    """Where large files lie."""

    where = "store"

    def serve(self):
        hub = self.server.hub
        path = urllib.parse.unquote(self.path).split("?")[0]
        if not path.startswith("/store/"):
            self.answer(404)
            return
        _, _, commit, file = path.split("/", 3)
        for commits in hub.repos.values():
            if commit in commits:
                self.send_data(file, commits[commit][file])
                return
        self.answer(404)


class Front(Base):
    """The hub itself."""

    where = "hub"

    def fail(self, code, error, commit=None):
        headers = [("X-Error-Code", error), ("X-Error-Message", f"{error} (played)")]
        if commit:
            headers.append(("X-Repo-Commit", commit))
        self.answer(code, headers)

    def serve(self):
        hub = self.server.hub
        path = self.path.split("?")[0]
        left, _, right = path.partition("/resolve/")
        name = urllib.parse.unquote(left[1:])
        revision, _, file = (urllib.parse.unquote(p) for p in right.partition("/"))
        if name in hub.moved:
            self.answer(307, [("Location", path.replace(left, "/" + hub.moved[name], 1))])
            return
        if name in hub.refusals:
            status, code, message = hub.refusals[name]
            self.answer(status, [(k, v) for k, v in (("X-Error-Code", code), ("X-Error-Message", message)) if v])
            return
        authorized = self.headers.get("Authorization") == f"Bearer {hub.token}"
        if name not in hub.repos or (hub.token and not authorized and name not in hub.gated):
            self.fail(404 if authorized else 401, "RepoNotFound")
            return
        if name in hub.gated and not authorized:
            self.fail(401, "GatedRepo")
            return
        commit = revision if revision in hub.repos[name] else hub.refs[name].get(revision)
        if commit is None:
            self.fail(404, "RevisionNotFound")
        elif file not in hub.repos[name][commit]:
            self.fail(404, "EntryNotFound", commit)
        else:
            self.serve_file(commit, file, hub.repos[name][commit][file])

    def serve_file(self, commit, file, data):
        hub = self.server.hub
        trick = hub.trick(file, "head") if self.command == "HEAD" else None
        if trick and trick.name == "raw":
            for part in trick.value:
                self.wfile.write(part)
            self.hang_up()
            return
        if trick and trick.name == "html":
            self.answer(200, [("Content-Type", "text/html"), ("ETag", '"portal"')], b"<html>log in</html>")
            return
        if trick and trick.name == "etag":
            self.answer(200, [("X-Repo-Commit", commit), ("ETag", trick.value)], b"x")
            return
        if trick and self.refuse(trick, file):
            return
        headers = [("X-Repo-Commit", commit), ("Accept-Ranges", "bytes")]
        size = trick.value if trick and trick.name == "size" else len(data)
        if len(data) >= LARGE:
            headers += [("X-Linked-Etag", f'"{etag_of(data)}"'), ("X-Linked-Size", str(size)),
                        ("ETag", '"of-the-redirect"'),
                        ("Location", f"{hub.store}/store/{commit}/{urllib.parse.quote(file)}?signed=1")]
            self.answer(302, headers)
        elif self.command == "HEAD":
            if size == "":  # the hub does not say how much it is
                size, headers = None, [*headers, ("Transfer-Encoding", "chunked")]
            headers += [("Content-Length", str(size))] if size is not None else []
            self.answer(200, [*headers, ("ETag", f'W/"{etag_of(data)}"')])
        else:
            self.send_data(file, data)


class Proxy:
    """A proxy: passes plain requests on, and makes way (CONNECT) for others. Asks for `account`
    ("user:password") where one is set; answers `refuse` where that is set."""

    def __init__(self, account=None, refuse=None):
        self.account, self.refuse = account, refuse
        self.log = []
        self.lock = threading.Lock()
        self.server = serve(Passage, self)
        self.host = self.server.url.partition("://")[2]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def reachable(host):
    """Where a host is; localhost on any machine, as for curl: one without /etc/hosts cannot resolve it."""
    return "127.0.0.1" if host == "localhost" else host


class Passage(Base):
    where = "proxy"

    def refused(self):
        proxy = self.server.hub
        if proxy.account:
            wanted = "Basic " + base64.b64encode(proxy.account.encode()).decode()
            if self.headers.get("Proxy-Authorization") != wanted:
                self.answer(407, [("Proxy-Authenticate", 'Basic realm="the office"')])
                return True
        if proxy.refuse:
            self.answer(proxy.refuse)
        return bool(proxy.refuse)

    def serve(self):
        if self.refused():
            return
        url = urllib.parse.urlsplit(self.path)
        onward = http.client.HTTPConnection(reachable(url.hostname), url.port, timeout=60)
        headers = {k: v for k, v in self.headers.items() if not k.lower().startswith("proxy-")}
        onward.request(self.command, urllib.parse.urlunsplit(("", "", *url[2:])), headers=headers)
        reply = onward.getresponse()
        self.send_response(reply.status)
        for name, value in reply.getheaders():
            self.send_header(name, value)
        self.end_headers()
        while part := reply.read1(PART):
            self.wfile.write(part)
        onward.close()

    def do_CONNECT(self):
        self.note()
        if self.refused():
            return
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((reachable(host), int(port)), 60) as onward:
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            ends = {self.connection: onward, onward: self.connection}
            while ready := select.select(list(ends), [], [], 60)[0]:
                for end in ready:
                    part = end.recv(PART)
                    if not part:
                        return
                    ends[end].sendall(part)
