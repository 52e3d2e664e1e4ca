-- SIZE users, each with a session, an agreement with the client web and five token families. One in five of what expires did so
-- between 40 and 41 days ago, in another order than that of the rows, so that deleting it touches pages everywhere.
-- Some agreements were ended ten days ago and are still explained by their families.

CREATE TEMP TABLE fill AS
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < SIZE)
  SELECT i, unixepoch() * 1000 AS now, 86400000 AS day FROM n;

INSERT INTO user (id, username, password, email, email_verified, claims, groups, admin, created_at, updated_at, password_changed_at, disabled_at)
  SELECT printf('usr_fill%09d', i), printf('fill%d', i), '', printf('fill%d@example.com', i), 1, '{"name":"One of many, who never signs in"}', '', 0,
    now - 400 * day, now - 400 * day, now - 400 * day, 0 FROM fill;

INSERT INTO session (id, key, user, auth_time, amr, acr, created_at, last_seen_at, idle, expires_at, ended_at, ip, user_agent)
  SELECT printf('ses_fill%09d', i), randomblob(32), printf('usr_fill%09d', i), at, '["pwd"]', 'urn:sso:loa:pwd', at, at, day,
    at + day, 0, '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
  FROM (SELECT *, iif(i % 5 = 0, now - 41 * day - i * 7919 % day, now - 3600000) AS at FROM fill);

INSERT INTO session_client (session, client) SELECT printf('ses_fill%09d', i), 'web' FROM fill;

INSERT INTO grant (id, client, user, scope, created_at, updated_at, revoked_at)
  SELECT printf('grf%09d', i), 'web', printf('usr_fill%09d', i), 'openid profile email offline_access', now - 50 * day, now - 50 * day,
    iif(i % 20 = 1, now - 10 * day - i, 0) FROM fill;

INSERT INTO token_family (id, grant_id, client, user, session, scope, refresh, salt, generation, nonce, auth_time, amr, acr, created_at,
    rotated_at, expires_at, revoked_at, revoke_reason)
  SELECT printf('grf%09d.f%d', i, k), printf('grf%09d', i), 'web', printf('usr_fill%09d', i), printf('ses_fill%09d', i),
    'openid profile email offline_access', 1, randomblob(16), 3, 'n-0S6_WzA2Mj', at, '["pwd"]', 'urn:sso:loa:pwd', at, at,
    iif(k = 0, now - 40 * day - i * 7919 % day, now + 60 * day), iif(i % 20 = 1, now - 10 * day - i, 0), iif(i % 20 = 1, 'grant', '')
  FROM (SELECT i, now, day, value AS k, now - 50 * day + value * day AS at FROM fill, json_each('[0,1,2,3,4]'));

INSERT INTO code (digest, grant_id, client, user, session, redirect_uri, scope, nonce, challenge, auth_time, amr, acr, created_at, expires_at,
    redeemed_at, replayed_at, family)
  SELECT randomblob(32), printf('grf%09d', i), 'web', printf('usr_fill%09d', i), printf('ses_fill%09d', i), 'https://app.test/cb', 'openid', '', '',
    now, '', '', now - 2 * day - i * 7919 % day, now - 2 * day - i * 7919 % day, now - 2 * day, 0, printf('grf%09d.f0', i)
  FROM fill WHERE i % 5 = 0;

DROP TABLE fill;
