# SPDX-License-Identifier: ISC
"""bench/tls/servers.py: servers of HTTPS with one certificate, for bench/tls and bench/http2.

All serve the files of {work}/files on 127.0.0.1 with one worker, without an access log, by TLS 1.3,
x25519 and TLS_AES_128_GCM_SHA256. Each is called with its working directory and its port, and gives
the command that starts it.
"""

import os
import subprocess

import measure

NGINX = """
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.err crit;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; }}
http {{
  access_log off; sendfile on; tcp_nopush on; server_tokens off;
  keepalive_timeout 65; keepalive_requests 1000000000;
  open_file_cache max=10000 inactive=600s; open_file_cache_valid 600s;
  types {{ application/octet-stream bin; text/html html; text/css css; text/javascript js;
           image/png png; }}
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
  uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  ssl_certificate {work}/cert.pem; ssl_certificate_key {work}/key.pem;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_tickets on; ssl_session_cache none;
  ssl_ecdh_curve X25519:prime256v1; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
  server {{ listen 127.0.0.1:{port} ssl {more} backlog=4096; root {work}/files; }}
}}
"""

H2O = """
listen:
  host: 127.0.0.1
  port: {port}
  ssl: {{certificate-file: {work}/cert.pem, key-file: {work}/key.pem, neverbleed: OFF}}
num-threads: 1
{user}
http1-request-timeout: 60
hosts:
  default:
    paths:
      "/": {{file.dir: {work}/files}}
error-log: {work}/h2o.err
"""


def program(name):
    path = measure.which(name)
    if path is None:
        raise RuntimeError(f"{name} is not installed")
    return path


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def crunch(work, port):
    return [os.path.join(work, "image"), "--http-port=0", f"--https-port={port}", "--log=off"]


def nginx(work, port, more=""):
    return [program("nginx"), "-p", work, "-c",
            write(f"{work}/nginx.conf", NGINX.format(work=work, port=port, more=more))]


def nginx_http2(work, port):
    return nginx(work, port, "http2")


def h2o(work, port):
    user = "user: root" if os.getuid() == 0 else ""
    return [program("h2o"), "-c",
            write(f"{work}/h2o.conf", H2O.format(work=work, port=port, user=user))]


# How openssl req makes each kind of key.
KEYS = {"P-256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "P-384": ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
        "RSA-2048": ["rsa:2048"], "RSA-3072": ["rsa:3072"], "RSA-4096": ["rsa:4096"]}


def prepare(work, tool, key, sizes, write_more=None, options=()):
    """The files, one of each size, the certificate that all show, and our image. `write_more` is
    called with the folder of the files; `options` are for crunch build."""
    os.makedirs(f"{work}/files")
    for size in sizes:
        with open(f"{work}/files/{size}.bin", "wb") as f:
            f.write(os.urandom(size))
    if write_more:
        write_more(f"{work}/files")
    for command in (
            [program("openssl"), "req", "-x509", "-newkey", *KEYS[key], "-nodes", "-keyout",
             f"{work}/key.pem", "-out",
             f"{work}/cert.pem", "-days", "30", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost"],
            [tool, "build", f"{work}/files", "-t", "unix", "-o", f"{work}/image", "--cert",
             f"{work}/cert.pem", "--key", f"{work}/key.pem", *options]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
