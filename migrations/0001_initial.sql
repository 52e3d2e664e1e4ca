-- Times and durations are whole milliseconds, 0 for none. Lists and maps are JSON, '' when empty. Nothing is NULL.
--
-- Rows wider than about 200 bytes live in rowid tables: a WITHOUT ROWID table keeps whole rows in its inner nodes, which
-- makes it deep.

PRAGMA application_id = 1282689913; -- 'LtKy'

-- How often a remembered decision may have become wrong, and how often what each process remembers did: clients, users,
-- settings and keys. Other processes watch these numbers.
CREATE TABLE revision (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  changes INTEGER NOT NULL,
  config  INTEGER NOT NULL
) STRICT;
INSERT INTO revision VALUES (1, 1, 1);

CREATE TABLE settings (
  id                INTEGER PRIMARY KEY CHECK (id = 1),
  organisation_name TEXT NOT NULL,
  support           TEXT NOT NULL
) STRICT;

CREATE TABLE signing_key (
  id         TEXT PRIMARY KEY,
  algorithm  TEXT NOT NULL,
  public     BLOB NOT NULL,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  active_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE client (
  id                        TEXT PRIMARY KEY,
  secret                    BLOB NOT NULL,
  name                      TEXT NOT NULL,
  redirect_uris             TEXT NOT NULL,
  post_logout_redirect_uris TEXT NOT NULL,
  allowed_origins           TEXT NOT NULL,
  grant_types               TEXT NOT NULL,
  response_types            TEXT NOT NULL,
  scope                     TEXT NOT NULL,
  auth_method               TEXT NOT NULL,
  default_max_age           INTEGER NOT NULL,
  client_uri                TEXT NOT NULL,
  logo_uri                  TEXT NOT NULL,
  policy_uri                TEXT NOT NULL,
  tos_uri                   TEXT NOT NULL,
  contacts                  TEXT NOT NULL,
  profile                   TEXT NOT NULL,
  rules                     TEXT NOT NULL,
  created_at                INTEGER NOT NULL,
  updated_at                INTEGER NOT NULL,
  disabled_at               INTEGER NOT NULL
) STRICT;

CREATE TABLE user (
  id                  TEXT PRIMARY KEY,
  username            TEXT NOT NULL UNIQUE,
  password            TEXT NOT NULL,
  email               TEXT NOT NULL COLLATE NOCASE,
  email_verified      INTEGER NOT NULL,
  claims              TEXT NOT NULL,
  groups              TEXT NOT NULL,
  admin               INTEGER NOT NULL,
  created_at          INTEGER NOT NULL,
  updated_at          INTEGER NOT NULL,
  password_changed_at INTEGER NOT NULL,
  disabled_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX user_email ON user (email) WHERE email <> '' AND email_verified = 1;
CREATE INDEX user_admin ON user (admin) WHERE admin = 1;

CREATE TABLE session (
  id           TEXT PRIMARY KEY,
  key          BLOB NOT NULL UNIQUE,
  user         TEXT NOT NULL REFERENCES user ON DELETE CASCADE,
  auth_time    INTEGER NOT NULL,
  amr          TEXT NOT NULL,
  acr          TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  idle         INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  ended_at     INTEGER NOT NULL,
  ip           TEXT NOT NULL,
  user_agent   TEXT NOT NULL
) STRICT;
CREATE INDEX session_user ON session (user);
CREATE INDEX session_expires ON session (expires_at);
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at <> 0;

CREATE TABLE ticket (
  key        BLOB PRIMARY KEY,
  purpose    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_expires ON ticket (expires_at);
CREATE INDEX ticket_used ON ticket (used_at) WHERE used_at <> 0;

CREATE TABLE attempts (
  key       TEXT PRIMARY KEY,
  count     INTEGER NOT NULL,
  since     INTEGER NOT NULL,
  locked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_since ON attempts (since);

CREATE TABLE interaction (
  id          TEXT PRIMARY KEY,
  browser     BLOB NOT NULL,
  client      TEXT NOT NULL,
  parameters  TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  account     TEXT NOT NULL,
  logged_in   INTEGER NOT NULL,
  switch      INTEGER NOT NULL,
  consented   TEXT NOT NULL,
  decided     INTEGER NOT NULL,
  answered_at INTEGER NOT NULL
) STRICT;
CREATE INDEX interaction_expires ON interaction (expires_at);

CREATE TABLE grant (
  id         TEXT PRIMARY KEY,
  client     TEXT NOT NULL REFERENCES client ON DELETE CASCADE,
  user       TEXT NOT NULL REFERENCES user ON DELETE CASCADE,
  scope      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX grant_live ON grant (user, client) WHERE revoked_at = 0;
CREATE INDEX grant_user ON grant (user);
CREATE INDEX grant_client ON grant (client);
CREATE INDEX grant_revoked ON grant (revoked_at) WHERE revoked_at <> 0;

-- A code has no foreign key: it would need one more index on the way of every sign-in, and codes are few, because the
-- sweep removes them after a day. Deleting a client or a user reads them all.
CREATE TABLE code (
  digest       BLOB PRIMARY KEY,
  grant_id     TEXT NOT NULL,
  client       TEXT NOT NULL,
  user         TEXT NOT NULL,
  session      TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  scope        TEXT NOT NULL,
  nonce        TEXT NOT NULL,
  challenge    TEXT NOT NULL,
  auth_time    INTEGER NOT NULL,
  amr          TEXT NOT NULL,
  acr          TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  redeemed_at  INTEGER NOT NULL,
  replayed_at  INTEGER NOT NULL,
  family       TEXT NOT NULL
) STRICT;
CREATE INDEX code_expires ON code (expires_at);

-- A family outlives its session by design, so the session is only named.
CREATE TABLE token_family (
  id            TEXT PRIMARY KEY,
  grant_id      TEXT NOT NULL REFERENCES grant ON DELETE CASCADE,
  client        TEXT NOT NULL,
  user          TEXT NOT NULL,
  session       TEXT NOT NULL,
  scope         TEXT NOT NULL,
  refresh       INTEGER NOT NULL,
  salt          BLOB NOT NULL,
  generation    INTEGER NOT NULL,
  nonce         TEXT NOT NULL,
  auth_time     INTEGER NOT NULL,
  amr           TEXT NOT NULL,
  acr           TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  rotated_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  revoked_at    INTEGER NOT NULL,
  revoke_reason TEXT NOT NULL
) STRICT;
CREATE INDEX token_family_grant ON token_family (grant_id);
CREATE INDEX token_family_session ON token_family (session) WHERE revoked_at = 0;
CREATE INDEX token_family_expires ON token_family (expires_at);
CREATE INDEX token_family_revoked ON token_family (revoked_at) WHERE revoked_at <> 0;

CREATE TABLE event (
  seq        INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  kind       TEXT NOT NULL,
  request_id TEXT NOT NULL,
  ip         TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  client     TEXT NOT NULL,
  user       TEXT NOT NULL,
  session    TEXT NOT NULL,
  grant_id   TEXT NOT NULL,
  family     TEXT NOT NULL,
  facts      TEXT NOT NULL
) STRICT;
