// The example of the JavaScript SDK, with actions that misbehave.

import { defineProvider } from "../../../sdk/javascript/lib/portcullis.js";
import { descriptor, guide, notesActions } from "../../../sdk/javascript/example/notes.js";

const anything = { type: "object" };

const action = (id, run) => ({
  id,
  title: id,
  description: "See tests/it/other_languages.rs.",
  risk: "read",
  credential: "org",
  paramsSchema: anything,
  run,
});

const odd = defineProvider({
  descriptor,
  guide,
  actions: [
    ...notesActions,
    action("spin", () => {
      for (;;);
    }),
    action("fail", () => {
      throw new Error("a defect of the provider's own");
    }),
    action("look", () => ({
      now: Date.now(),
      globals: ["process", "require", "fetch", "std", "os"].filter((name) => name in globalThis),
    })),
  ],
});

export const { provider, actions } = odd;
