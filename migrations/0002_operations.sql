-- What operating a provider needs: a chained audit trail that answers for a refusal, links for one user, the last time
-- of things, and access tokens revoked one by one. The store gives the events of before their place in the chain.

ALTER TABLE event ADD COLUMN mac BLOB NOT NULL DEFAULT x'';

-- The code of a refusal, taken from the facts, which the chain covers: it cannot be changed by itself. Only refusals are
-- looked for by name, so only they pay for an index.
ALTER TABLE event ADD COLUMN error TEXT NOT NULL AS (coalesce(json_extract(nullif(facts, ''), '$.error'), '')) VIRTUAL;
CREATE INDEX event_refused ON event (request_id) WHERE error <> '';
CREATE INDEX event_refused_client ON event (client) WHERE error <> '';

ALTER TABLE ticket ADD COLUMN user TEXT NOT NULL DEFAULT '';
CREATE INDEX ticket_user ON ticket (user) WHERE user <> '';

CREATE TABLE moment (
  name TEXT PRIMARY KEY,
  at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked_token (
  id         TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_token_expires ON revoked_token (expires_at);
