// What a provider in JavaScript needs beside its own code: JSON in and out, errors in
// the contract's words, and HTTP that speaks of statuses.
//
// The contract is `wit/`; what stands there is what the gateway holds a provider to.

import http from "portcullis:provider/http@0.1.0";
import log from "portcullis:provider/log@0.1.0";

/// What an action throws for an agent to read. `code` is one of the contract's, such as
/// "not-found"; whoever may simply try again is told with `retryable`.
export class ProviderError extends Error {
  constructor(code, message, { retryable = false, retryAfterMs = null } = {}) {
    super(message);
    Object.assign(this, { code, retryable, retryAfterMs });
  }
}

/// Writes a line to the plugin's log.
export function info(message) {
  log.write("info", String(message));
}

/// Sends a request to an endpoint that the provider declares, with `body` as JSON, and
/// answers the JSON that came back. Everything that is not a success is thrown.
export function request(endpoint, method, path, { query = {}, body } = {}) {
  const isRead = method === "get" || method === "head";
  const response = send({
    endpoint,
    method,
    path,
    query: Object.entries(query)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, String(value)]),
    headers: body === undefined ? [] : [["content-type", "application/json"]],
    body: body === undefined ? null : utf8(JSON.stringify(body)),
    timeoutMs: null,
  }, isRead);
  if (response.status < 200 || response.status > 299) {
    throw statusError(response, isRead);
  }
  return parse(text(response.body));
}

function send(request, isRead) {
  try {
    return http.send(request);
  } catch (thrown) {
    // The variant of the contract, whichever way the toolchain wraps it.
    const error = thrown?.payload ?? thrown;
    const code = SEND_ERRORS[error.kind] ?? "upstream";
    const happened = error.requestSent && !isRead ? "; it may have happened" : "";
    throw new ProviderError(code, `${error.message}${happened}`, {
      retryable: (isRead || !error.requestSent) && code !== "denied-egress",
    });
  }
}

const SEND_ERRORS = {
  "denied": "denied-egress",
  "invalid-request": "internal",
  "connection-missing": "connection-missing",
  "timeout": "timeout",
  "too-many-requests": "denied-egress",
};

const STATUS_ERRORS = {
  400: "invalid-params",
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  422: "invalid-params",
  429: "rate-limited",
};

/// An answer that is no success, as an error; the upstream's own words are kept.
function statusError(response, isRead) {
  const said = text(response.body).slice(0, 500);
  const code = STATUS_ERRORS[response.status] ?? "upstream";
  const seconds = Number(header(response, "retry-after"));
  return new ProviderError(code, `the upstream answered ${response.status}: ${said}`, {
    retryable: code === "rate-limited" || (code === "upstream" && isRead),
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null,
  });
}

function header(response, name) {
  return response.headers.find(([found]) => found === name)?.[1];
}

function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    throw new ProviderError("upstream", "the upstream answered what is not JSON");
  }
}

/// A value as one segment of a path.
export function segment(value) {
  const text = String(value);
  if (text === "" || text === "." || text === "..") {
    throw new ProviderError("invalid-params", `"${text}" cannot be part of a path`);
  }
  return encodeURIComponent(text);
}

/// The exports of a provider: what it is, its guide, and its actions with what runs them.
///
/// An action is what `actions.wit` calls one, with schemas and examples as values instead
/// of text, and `run(params, context)`, whose answer is the result.
export function defineProvider({ descriptor, guide, actions }) {
  const described = actions.map(({ run, ...action }) => ({
    credential: "prefer-user",
    ...action,
    paramsSchema: JSON.stringify(action.paramsSchema),
    resultSchema: action.resultSchema ? JSON.stringify(action.resultSchema) : null,
    examples: (action.examples ?? []).map(({ title, params }) => ({
      title,
      params: JSON.stringify(params),
    })),
  }));
  return {
    provider: { describe: () => descriptor },
    actions: {
      list: () => described,
      guide: () => guide,
      execute: (context, id, params) => execute(actions, context, id, params),
    },
  };
}

function execute(actions, context, id, params) {
  try {
    const action = actions.find((action) => action.id === id);
    if (!action) {
      throw new ProviderError("internal", `there is no action ${id}`);
    }
    return JSON.stringify(action.run(JSON.parse(params), context) ?? null);
  } catch (thrown) {
    throw contractError(thrown);
  }
}

/// What is no error of the contract is a defect of the provider: the agent hears that
/// there is one, the operator finds the rest in the log.
function contractError(thrown) {
  if (!(thrown instanceof ProviderError)) {
    log.write("error", `${thrown}\n${thrown?.stack ?? ""}`);
    thrown = new ProviderError("internal", "the provider has a defect; see its log");
  }
  const { code, message, retryable, retryAfterMs } = thrown;
  return { code, message, retryable, retryAfterMs };
}

// QuickJS has neither TextEncoder nor TextDecoder.

function utf8(text) {
  const escaped = encodeURIComponent(text);
  const bytes = [];
  for (let at = 0; at < escaped.length; at += 1) {
    if (escaped[at] === "%") {
      bytes.push(parseInt(escaped.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(escaped.charCodeAt(at));
    }
  }
  return new Uint8Array(bytes);
}

/// What is not UTF-8 is read byte by byte.
function text(bytes) {
  let escaped = "";
  let plain = "";
  for (const byte of bytes) {
    escaped += `%${byte.toString(16).padStart(2, "0")}`;
    plain += String.fromCharCode(byte);
  }
  try {
    return decodeURIComponent(escaped);
  } catch {
    return plain;
  }
}
