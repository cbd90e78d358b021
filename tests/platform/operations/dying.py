"""A command of the portal that dies, as by a power cut to the process, at the n-th change of a file's name.

Run as a script: the number, then the words of the command. 0: it lives.
"""

import os
import sys

from flask.cli import main

NAMES = {"os.link", "os.rename", "os.remove"}
left = int(sys.argv[1])


def count(event: str, arguments: tuple[object, ...]) -> None:
    global left
    if event in NAMES and "portal.sqlite" in str(arguments[0]):
        left -= 1
        if left == 0:
            os._exit(99)


sys.addaudithook(count)
sys.argv = ["flask", "--app", "wsgi", *sys.argv[2:]]
main()
