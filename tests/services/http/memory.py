"""A server whose memory does as it is told: python3 memory.py MANNER."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANNER = sys.argv[1]
KEPT, CACHE = [], []
asked = 0


def work():
    """What a request leaves behind, beside garbage of its own."""
    global asked
    asked += 1
    garbage = [bytes([asked % 251]) * 1024 for _ in range(200)]
    if len(CACHE) < 60:
        CACHE.append(b"c" * 100_000)
    if MANNER in ("leaks", "retains"):
        KEPT.append(b"k" * 12_288)
    if MANNER == "dies" and asked == 120:
        os._exit(3)
    if MANNER == "refuses" and asked > 60:
        return 500, b"no"
    return 200, b"%d" % len(garbage)


def metrics():
    kept = sum(map(len, CACHE)) + (sum(map(len, KEPT)) if MANNER == "leaks" else 0)
    return b"# TYPE app_heap_bytes gauge\napp_heap_bytes{part=\"all\"} %d\n" % kept


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, body = (200, metrics()) if self.path == "/metrics" else work()
        head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
        self.wfile.write(head + body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Answers)
print(server.server_port, flush=True)
server.serve_forever()
