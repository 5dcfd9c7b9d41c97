#!/usr/bin/env python3
"""Asks a real HAProxy which of five servers it chooses for names of sessions, and prints their numbers from 0.

haproxy.py [WEIGHT [COUNT]]: the numbers that RingTests.swift expects.
"""
import http.client
import pathlib
import socket
import subprocess
import sys
import tempfile
import time


def ports(count):
    """Free ports, which nothing else is likely to take within the next second."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    numbers = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return numbers


def configuration(weight, front, servers):
    """HAProxy in front of itself: each server answers with its number."""
    lines = ["defaults", " mode http", " timeout connect 5s", " timeout client 5s", " timeout server 5s",
             "frontend front", f" bind 127.0.0.1:{front}", " default_backend posed",
             "backend posed", " balance hdr(x-posed-session)", " hash-type consistent"]
    lines += [f" server s{number} 127.0.0.1:{port} weight {weight}" for number, port in enumerate(servers)]
    for number, port in enumerate(servers):
        lines += [f"frontend s{number}", f" bind 127.0.0.1:{port}",
                  f" http-request return status 200 content-type text/plain string {number}"]
    return "\n".join(lines) + "\n"


def choices(weight, count):
    """The server of each of the first names."""
    front, *servers = ports(6)
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "haproxy.cfg"
        file.write_text(configuration(weight, front, servers))
        haproxy = subprocess.Popen(["haproxy", "-q", "-db", "-f", file])
        try:
            for _ in range(100):
                try:
                    socket.create_connection(("127.0.0.1", front)).close()
                    break
                except OSError:
                    time.sleep(0.05)
            connection = http.client.HTTPConnection("127.0.0.1", front)
            for number in range(count):
                connection.request("GET", "/", headers={"x-posed-session": f"sessions/{number}"})
                yield int(connection.getresponse().read())
        finally:
            haproxy.terminate()
            haproxy.wait()


if __name__ == "__main__":
    weight, count = (list(map(int, sys.argv[1:])) + [1, 60][len(sys.argv) - 1:])[:2]
    print(", ".join(map(str, choices(weight, count))))
