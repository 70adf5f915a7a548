"""What a provider in Python needs beside its own code.

JSON in and out, errors in the contract's words, and HTTP that speaks of statuses. The
contract is `wit/`; what stands there is what the gateway holds a provider to.
"""

import json
import traceback
from dataclasses import dataclass, field
from typing import Any, Callable, Optional
from urllib.parse import quote

from componentize_py_types import Err
from wit_world.exports import actions as contract
from wit_world.imports import http, log
from wit_world.imports.http import ErrorKind, Method
from wit_world.imports.types import Error, ErrorCode


class ProviderError(Exception):
    """What an action raises for an agent to read."""

    def __init__(self, code: ErrorCode, message: str, retryable=False, retry_after_ms=None):
        super().__init__(message)
        self.error = Error(code, message, retryable, retry_after_ms)


@dataclass
class Action:
    """An action of `actions.wit`, with what runs it.

    `run` gets the params and the context; what it answers is the result.
    """

    id: str
    title: str
    description: str
    risk: contract.Risk
    params_schema: dict
    run: Callable[[dict, contract.Context], Any]
    credential: contract.Credential = contract.Credential.PREFER_USER
    result_schema: Optional[dict] = None
    examples: dict[str, dict] = field(default_factory=dict)

    def described(self) -> contract.Action:
        return contract.Action(
            id=self.id,
            title=self.title,
            description=self.description,
            risk=self.risk,
            credential=self.credential,
            params_schema=json.dumps(self.params_schema),
            result_schema=json.dumps(self.result_schema) if self.result_schema else None,
            examples=[
                contract.Example(title, json.dumps(params))
                for title, params in self.examples.items()
            ],
        )


def execute(actions: list[Action], context: contract.Context, id: str, params: str) -> str:
    """Runs an action: what `Actions.execute` of a provider is made of."""
    try:
        action = next((action for action in actions if action.id == id), None)
        if action is None:
            raise ProviderError(ErrorCode.INTERNAL, f"there is no action {id}")
        return json.dumps(action.run(json.loads(params), context))
    except ProviderError as raised:
        raise Err(raised.error)
    except Exception:
        # A defect: the agent hears that there is one, the operator finds it in the log.
        log.write(log.Level.ERROR, traceback.format_exc())
        message = "the provider has a defect; see its log"
        raise Err(Error(ErrorCode.INTERNAL, message, False, None))


def info(message: str) -> None:
    """Writes a line to the plugin's log."""
    log.write(log.Level.INFO, message)


def request(endpoint: str, method: Method, path: str, query: dict = {}, body: Any = None) -> Any:
    """Sends a request to an endpoint that the provider declares, with `body` as JSON, and
    answers the JSON that came back. Everything that is not a success is raised."""
    is_read = method in (Method.GET, Method.HEAD)
    response = _send(
        http.Request(
            endpoint=endpoint,
            method=method,
            path=path,
            query=[(name, str(value)) for name, value in query.items() if value is not None],
            headers=[] if body is None else [("content-type", "application/json")],
            body=None if body is None else json.dumps(body).encode(),
            timeout_ms=None,
        ),
        is_read,
    )
    if not 200 <= response.status <= 299:
        raise _status_error(response, is_read)
    try:
        return json.loads(response.body)
    except ValueError:
        message = "the upstream answered what is not JSON"
        raise ProviderError(ErrorCode.UPSTREAM, message) from None


def segment(value: Any) -> str:
    """A value as one segment of a path."""
    text = str(value)
    if text in ("", ".", ".."):
        raise ProviderError(ErrorCode.INVALID_PARAMS, f"{text!r} cannot be part of a path")
    return quote(text, safe="")


_SEND_ERRORS = {
    ErrorKind.DENIED: ErrorCode.DENIED_EGRESS,
    ErrorKind.INVALID_REQUEST: ErrorCode.INTERNAL,
    ErrorKind.CONNECTION_MISSING: ErrorCode.CONNECTION_MISSING,
    ErrorKind.TIMEOUT: ErrorCode.TIMEOUT,
    ErrorKind.TOO_MANY_REQUESTS: ErrorCode.DENIED_EGRESS,
}

_STATUS_ERRORS = {
    400: ErrorCode.INVALID_PARAMS,
    401: ErrorCode.UNAUTHORIZED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    409: ErrorCode.CONFLICT,
    422: ErrorCode.INVALID_PARAMS,
    429: ErrorCode.RATE_LIMITED,
}


def _send(request: http.Request, is_read: bool) -> http.Response:
    try:
        return http.send(request)
    except Err as raised:
        error = raised.value
        code = _SEND_ERRORS.get(error.kind, ErrorCode.UPSTREAM)
        happened = "" if is_read or not error.request_sent else "; it may have happened"
        is_harmless = is_read or not error.request_sent
        raise ProviderError(
            code,
            error.message + happened,
            retryable=is_harmless and code != ErrorCode.DENIED_EGRESS,
        ) from None


def _status_error(response: http.Response, is_read: bool) -> ProviderError:
    """An answer that is no success; the upstream's own words are kept."""
    said = response.body.decode("utf-8", "replace")[:500]
    code = _STATUS_ERRORS.get(response.status, ErrorCode.UPSTREAM)
    seconds = dict(response.headers).get("retry-after", "")
    return ProviderError(
        code,
        f"the upstream answered {response.status}: {said}",
        retryable=code == ErrorCode.RATE_LIMITED or (code == ErrorCode.UPSTREAM and is_read),
        retry_after_ms=int(seconds) * 1000 if seconds.isdigit() else None,
    )
