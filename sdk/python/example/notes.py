"""A provider with one action that reads and one that writes."""

import portcullis
from portcullis import Action, info, request
from wit_world import exports
from wit_world.exports.actions import Risk
from wit_world.exports.provider import (
    ConnectionRequirement,
    ConnectionScope,
    ConnectionType,
    CredentialForm_Bearer,
    CredentialRule,
    Descriptor,
    Endpoint,
    Identity,
    Route,
)
from wit_world.imports.http import Method


def list_notes(params, context):
    query = {"containing": params.get("containing")}
    return request("api", Method.GET, "/notes", query=query)


def add_note(params, context):
    info("adding a note")
    body = {"id": context.idempotency_key, "text": params["text"]}
    return request("api", Method.POST, "/notes", body=body)


ACTIONS = [
    Action(
        id="list_notes",
        title="List notes",
        description="Lists notes, newest first.",
        risk=Risk.READ,
        params_schema={
            "type": "object",
            "properties": {
                "containing": {"type": "string", "description": "Only notes with this word."},
            },
            "additionalProperties": False,
        },
        examples={"About deploys": {"containing": "deploy"}},
        run=list_notes,
    ),
    Action(
        id="add_note",
        title="Add note",
        description="Writes a note that everybody in the team sees.",
        risk=Risk.WRITE,
        params_schema={
            "type": "object",
            "properties": {
                "text": {"type": "string", "minLength": 1, "description": "What the note says."},
            },
            "required": ["text"],
            "additionalProperties": False,
        },
        examples={"A reminder": {"text": "Deploy at noon."}},
        run=add_note,
    ),
]


class Provider(exports.Provider):
    def describe(self):
        return Descriptor(
            identity=Identity(
                id="notes-py",
                name="Notes",
                description="Short notes that a team keeps.",
                icon=None,
                version="0.1.0",
            ),
            connections=[
                ConnectionRequirement(
                    scope=ConnectionScope.ORG,
                    types=[ConnectionType.API_KEY],
                    scopes=[],
                    optional=False,
                    preset=None,
                ),
            ],
            endpoints=[
                Endpoint(
                    name="api",
                    base_url="https://notes.example",
                    routes=[Route(Method.GET, "/notes"), Route(Method.POST, "/notes")],
                    credentials=[CredentialRule(ConnectionType.API_KEY, CredentialForm_Bearer())],
                ),
            ],
            limits=None,
        )


class Actions(exports.Actions):
    def list(self):
        return [action.described() for action in ACTIONS]

    def guide(self):
        return "`list_notes` finds notes by a word in them; `add_note` writes one."

    def execute(self, context, action, params):
        return portcullis.execute(ACTIONS, context, action, params)
