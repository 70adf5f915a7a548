//! Issues and events as Sentry sends them, with the lengths that they have in real organizations.
