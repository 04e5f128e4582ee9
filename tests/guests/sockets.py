"""Runs a command with a socket and is its peer: sockets.py inherited|listening COMMAND ARGS...

inherited: the command's standard input is one end of a pair. listening: the command listens on this
machine, at the free address that takes the place of @ADDRESS@ in ARGS, or of @NAME@, then by the last name that
/etc/hosts has for it. Either way the peer sends
"hello socket", answers one line, swallows another, sends "more" and reads until the end.
"""

import os
import random
import socket
import subprocess
import sys
import threading
import time


def talk(sock: socket.socket) -> None:
    try:
        converse(sock)
    except OSError:
        pass  # the command has gone


def converse(sock: socket.socket) -> None:
    sock.sendall(b"hello socket")
    lines = sock.makefile("rb")
    question = lines.readline()
    sock.sendall(b"answer to " + question.strip())
    lines.readline()
    sock.sendall(b"more")
    while lines.readline():
        pass
    sock.close()


def connect(address: tuple[str, int]) -> None:
    while True:  # as long as the command runs
        try:
            talk(socket.create_connection(address))
            return
        except ConnectionRefusedError:
            time.sleep(0.02)


def free_port(host: str) -> int:
    """One that the system gives to nobody who leaves the choice to it: other tests connect meanwhile."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as limits:
            given = int(limits.read().split()[0])
    except OSError:
        given = 32768
    while True:
        try:
            with socket.create_server((host, random.randrange(5000, given) if given > 10000 else 0)) as chosen:
                return chosen.getsockname()[1]
        except OSError:
            pass  # it is in use


def name_of(address: str) -> str:
    """The last name of that address which is not another's before."""
    names = {"localhost": "127.0.0.1"}
    try:
        with open("/etc/hosts", encoding="utf-8") as hosts:
            for line in hosts:
                number, *given = [*line.partition("#")[0].split(), ""]
                for name in given:
                    names.setdefault(name.lower(), number)
    except OSError:
        pass
    return [name for name, number in names.items() if name and number == address][-1]


def main() -> int:
    kind, command = sys.argv[1], sys.argv[2:]
    if kind == "inherited":
        ours, theirs = socket.socketpair()
        child = subprocess.Popen(command, stdin=theirs)
        theirs.close()
        thread = threading.Thread(target=talk, args=(ours,), daemon=True)
    else:
        host = "127.0.0.1"
        port = free_port(host)
        places = {"@ADDRESS@": f"{host}:{port}", "@NAME@": f"{name_of(host)}:{port}"}
        command = [places.get(word, word) for word in command]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        thread = threading.Thread(target=connect, args=((host, port),), daemon=True)
    thread.start()
    return child.wait(timeout=float(os.environ.get("TIMEOUT", "600")))


if __name__ == "__main__":
    sys.exit(main())
