// A provider with one action that reads and one that writes.

import { defineProvider, info, request } from "../lib/portcullis.js";

export const descriptor = {
  identity: {
    id: "notes-js",
    name: "Notes",
    description: "Short notes that a team keeps.",
    icon: null,
    version: "0.1.0",
  },
  connections: [
    { scope: "org", types: ["api-key"], scopes: [], optional: false, preset: null },
  ],
  endpoints: [
    {
      name: "api",
      baseUrl: "https://notes.example",
      routes: [
        { method: "get", pathPrefix: "/notes" },
        { method: "post", pathPrefix: "/notes" },
      ],
      credentials: [{ connection: "api-key", form: { tag: "bearer" } }],
    },
  ],
  limits: null,
};

export const guide = "`list_notes` finds notes by a word in them; `add_note` writes one.";

export const notesActions = [
  {
    id: "list_notes",
    title: "List notes",
    description: "Lists notes, newest first.",
    risk: "read",
    paramsSchema: {
      type: "object",
      properties: {
        containing: { type: "string", description: "Only notes with this word." },
      },
      additionalProperties: false,
    },
    examples: [{ title: "About deploys", params: { containing: "deploy" } }],
    run: ({ containing }) => request("api", "get", "/notes", { query: { containing } }),
  },
  {
    id: "add_note",
    title: "Add note",
    description: "Writes a note that everybody in the team sees.",
    risk: "write",
    paramsSchema: {
      type: "object",
      properties: {
        text: { type: "string", minLength: 1, description: "What the note says." },
      },
      required: ["text"],
      additionalProperties: false,
    },
    examples: [{ title: "A reminder", params: { text: "Deploy at noon." } }],
    run: ({ text }, { idempotencyKey }) => {
      info("adding a note");
      return request("api", "post", "/notes", { body: { id: idempotencyKey, text } });
    },
  },
];

export const { provider, actions } = defineProvider({ descriptor, guide, actions: notesActions });
