"""The example of the Python SDK, with actions that misbehave."""

import os
import random
import socket
import sys
import time

import notes
import portcullis
from portcullis import Action
from wit_world.exports.actions import Risk


def spin(params, context):
    while True:
        pass


def fail(params, context):
    raise RuntimeError("a defect of the provider's own")


def outcome(attempt):
    """What became of an attempt: whether it worked, or the name of its error."""
    try:
        attempt()
        return "worked"
    except Exception as error:
        return type(error).__name__


def look(params, context):
    print("printed by Python")
    return {
        "now": time.time(),
        "random": random.SystemRandom().random(),
        "environment": dict(os.environ),
        "arguments": sys.argv[1:],
        "input": sys.stdin.read() if sys.stdin else "",
        "read": outcome(lambda: open("/etc/passwd").read()),
        "write": outcome(lambda: open("/tmp/x", "w").write("x")),
        "connect": outcome(lambda: socket.create_connection(("127.0.0.1", 80), 1)),
        "resolve": outcome(lambda: socket.getaddrinfo("localhost", 80)),
    }


def action(id, run):
    return Action(
        id=id,
        title=id,
        description="See tests/it/other_languages.rs.",
        risk=Risk.READ,
        params_schema={"type": "object"},
        run=run,
    )


ODD = [action("spin", spin), action("fail", fail), action("look", look)]
ALL = notes.ACTIONS + ODD


class Provider(notes.Provider):
    pass


class Actions(notes.Actions):
    def list(self):
        return [action.described() for action in ALL]

    def execute(self, context, action, params):
        return portcullis.execute(ALL, context, action, params)
