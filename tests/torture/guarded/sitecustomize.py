"""Put on PYTHONPATH: every connection that Python code asks for is noted in a file.

Its name is in SIDECAR_TORTURE_CONNECTIONS; a line is the process, the event and the address.
"""

import os
import sys

NOTES = os.open(os.environ["SIDECAR_TORTURE_CONNECTIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
EVENTS = {"socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"}
AF_UNIX = 1


def note(event: str, arguments: tuple[object, ...]) -> None:
    if event in EVENTS and getattr(arguments[0], "family", None) != AF_UNIX:
        os.write(NOTES, f"{os.getpid()} {event} {arguments[1:]}\n".encode())


sys.addaudithook(note)
os.write(NOTES, f"{os.getpid()} guarded {sys.argv[:1]}\n".encode())
