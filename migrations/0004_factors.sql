-- Second factors: what a user has beside the password, the codes that stand in for a lost one, and sign-ins that wait for
-- one.

CREATE TABLE factor (
  id              TEXT PRIMARY KEY,
  user            TEXT NOT NULL REFERENCES user ON DELETE CASCADE,
  kind            TEXT NOT NULL,
  name            TEXT NOT NULL,
  sealed          BLOB NOT NULL,
  last_step       INTEGER NOT NULL,
  credential_id   BLOB NOT NULL,
  public_key      BLOB NOT NULL,
  sign_count      INTEGER NOT NULL,
  aaguid          BLOB NOT NULL,
  backup_eligible INTEGER NOT NULL,
  backed_up       INTEGER NOT NULL,
  transports      TEXT NOT NULL,
  created_at      INTEGER NOT NULL,
  confirmed_at    INTEGER NOT NULL,
  last_used_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX factor_user ON factor (user);
CREATE INDEX factor_offered ON factor (created_at) WHERE confirmed_at = 0;
CREATE UNIQUE INDEX factor_credential ON factor (credential_id) WHERE credential_id <> x'';

-- The digests of the codes that are left, one after the other.
CREATE TABLE recovery_codes (
  user    TEXT PRIMARY KEY REFERENCES user ON DELETE CASCADE,
  digests BLOB NOT NULL,
  made_at INTEGER NOT NULL
) STRICT;

CREATE TABLE challenge (
  key         BLOB PRIMARY KEY,
  user        TEXT NOT NULL REFERENCES user ON DELETE CASCADE,
  session     TEXT NOT NULL,
  interaction TEXT NOT NULL,
  password_at INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX challenge_user ON challenge (user);
CREATE INDEX challenge_expires ON challenge (expires_at);

-- When the user last showed with the password alone that they are still there, in a session that began with more.
ALTER TABLE session ADD COLUMN confirmed_at INTEGER NOT NULL DEFAULT 0;
