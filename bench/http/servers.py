# SPDX-License-Identifier: ISC
"""bench/http/servers.py: the servers that are compared, each tuned as its manual advises.

All serve the same files on 127.0.0.1 with one worker, without an access log. A server that is not
here raises Missing, and the table says so.
"""

import os
import subprocess
import sys

import measure


class Missing(Exception):
    pass


def program(name):
    path = measure.which(name)
    if path is None:
        raise Missing(f"{name} is not installed")
    return path


def make_files(folder, sizes):
    os.makedirs(folder)
    for size in sizes:
        with open(os.path.join(folder, f"{size}.bin"), "wb") as f:
            f.write(os.urandom(size))


def make_image(tool, files, work):
    """Our image, from the tool as it was built; without one the table says that it is missing."""
    if not os.path.exists(tool):
        return
    command = [tool, "build", files, "-t", "unix", "-o", os.path.join(work, "image")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"crunch build failed: {done.stderr.strip()}", file=sys.stderr)


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


NGINX = """
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.err crit;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
  access_log off; sendfile on; tcp_nopush on; server_tokens off;
  keepalive_timeout 65; keepalive_requests 1000000000; {cache}
  types {{ application/octet-stream bin; }}
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
  uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {files}; }}
}}
"""
OPEN_FILE_CACHE = "open_file_cache max=10000 inactive=600s; open_file_cache_valid 600s;"

H2O = """
listen: {{host: 127.0.0.1, port: {port}}}
num-threads: 1
{user}
http1-request-timeout: 60
hosts:
  default:
    paths:
      "/": {{file.dir: {files}}}
error-log: {work}/h2o.err
"""

LIGHTTPD = """
server.document-root = "{files}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{work}/lighttpd.err"
server.max-keep-alive-requests = 1000000000
server.max-connections = 16384
server.max-fds = 32768
server.listen-backlog = 4096
server.stat-cache-engine = "simple"
mimetype.assign = (".bin" => "application/octet-stream")
"""


def nginx(work, files, port, size, cache=""):
    config = write(f"{work}/nginx{port}.conf",
                   NGINX.format(work=work, files=files, port=port, cache=cache))
    return [program("nginx"), "-p", work, "-c", config]


def nginx_cached(work, files, port, size):
    return nginx(work, files, port, size, OPEN_FILE_CACHE)


def h2o(work, files, port, size):
    user = "user: root" if os.getuid() == 0 else ""
    config = write(f"{work}/h2o{port}.conf",
                   H2O.format(work=work, files=files, port=port, user=user))
    return [program("h2o"), "-c", config]


def lighttpd(work, files, port, size):
    config = write(f"{work}/lighttpd{port}.conf",
                   LIGHTTPD.format(work=work, files=files, port=port))
    return [program("lighttpd"), "-D", "-f", config]


def built(name):
    def command(work, files, port, size):
        path = os.path.join(os.environ["CRUNCH_BENCH_BIN"], name)
        if not os.path.exists(path):
            raise Missing(f"{name} was not built (Boost is missing?)")
        return [path, str(port), str(size)]
    return command


def ours(work, files, port, size):
    image = os.path.join(work, "image")
    if not os.path.exists(image):
        raise Missing("crunch build made no image")
    return [image, f"--http-port={port}", "--log=off"]


# Those with a constant answer are started anew for each size; the others once.
CONSTANT = {
    "floor (epoll)": built("bench_floor"),
    "floor (net::Sockets)": built("bench_flow"),
    "floor (Boost.Asio)": built("bench_floor_asio"),
}
SERVERS = {
    "crunch": ours,
    "nginx, open_file_cache": nginx_cached,
    "nginx": nginx,
    "h2o": h2o,
    "lighttpd": lighttpd,
}
