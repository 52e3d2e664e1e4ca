-- Telling applications that a session ended: where each wants to hear it, who took part in which session, and what is
-- still to be said.

ALTER TABLE client ADD COLUMN back_channel_logout_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE client ADD COLUMN back_channel_logout_session INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN front_channel_logout_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE client ADD COLUMN front_channel_logout_session INTEGER NOT NULL DEFAULT 0;

-- Kept as long as the session: a family that was revoked or swept does not sign anybody out of an application.
CREATE TABLE session_client (
  session TEXT NOT NULL REFERENCES session ON DELETE CASCADE,
  client  TEXT NOT NULL,
  PRIMARY KEY (session, client)
) STRICT, WITHOUT ROWID;
INSERT INTO session_client SELECT DISTINCT f.session, f.client FROM token_family f JOIN session s ON s.id = f.session;

-- A notice outlives its session and its user, of whom an application is still signed in.
CREATE TABLE logout_notice (
  id           TEXT PRIMARY KEY,
  client       TEXT NOT NULL,
  session      TEXT NOT NULL,
  sub          TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  attempts     INTEGER NOT NULL,
  next_at      INTEGER NOT NULL,
  delivered_at INTEGER NOT NULL,
  failed_at    INTEGER NOT NULL,
  last_error   TEXT NOT NULL
) STRICT;
CREATE INDEX logout_notice_next ON logout_notice (next_at) WHERE next_at <> 0;
CREATE INDEX logout_notice_created ON logout_notice (created_at);
CREATE INDEX logout_notice_session ON logout_notice (session);
