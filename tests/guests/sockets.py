"""Runs a command with a socket and is its peer: sockets.py inherited|listening COMMAND ARGS...

inherited: the command's standard input is one end of a pair. listening: the command listens on this
machine, at the free address that takes the place of @ADDRESS@ in ARGS, or of @NAME@, then by the last name that
/etc/hosts has for it. Either way the peer sends
"hello socket", answers one line, swallows another, sends "more" and reads until the end.
"""

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
    for _ in range(500):
        try:
            talk(socket.create_connection(address))
            return
        except ConnectionRefusedError:
            time.sleep(0.02)


def name_of(address: str) -> str:
    with open("/etc/hosts", encoding="utf-8") as hosts:
        lines = [line.partition("#")[0].split() for line in hosts]
    return ["localhost", *(line[-1] for line in lines if line and line[0] == address)][-1]


def main() -> int:
    kind, command = sys.argv[1], sys.argv[2:]
    if kind == "inherited":
        ours, theirs = socket.socketpair()
        child = subprocess.Popen(command, stdin=theirs)
        theirs.close()
        thread = threading.Thread(target=talk, args=(ours,), daemon=True)
    else:
        with socket.create_server(("127.0.0.1", 0)) as chosen:
            host, port = chosen.getsockname()
        places = {"@ADDRESS@": f"{host}:{port}", "@NAME@": f"{name_of(host)}:{port}"}
        command = [places.get(word, word) for word in command]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        thread = threading.Thread(target=connect, args=((host, port),), daemon=True)
    thread.start()
    return child.wait(timeout=50)


if __name__ == "__main__":
    sys.exit(main())
