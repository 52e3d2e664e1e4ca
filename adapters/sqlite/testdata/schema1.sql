-- A database of the release with schema 1, as it was after sign-ins, refreshes, a replay and a failed attempt.
PRAGMA application_id = 1282689913;
PRAGMA user_version = 1;

CREATE TABLE revision (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  changes INTEGER NOT NULL,
  config  INTEGER NOT NULL
) STRICT;

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

CREATE TABLE ticket (
  key        BLOB PRIMARY KEY,
  purpose    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
  key       TEXT PRIMARY KEY,
  count     INTEGER NOT NULL,
  since     INTEGER NOT NULL,
  locked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE TABLE grant (
  id         TEXT PRIMARY KEY,
  client     TEXT NOT NULL REFERENCES client ON DELETE CASCADE,
  user       TEXT NOT NULL REFERENCES user ON DELETE CASCADE,
  scope      TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT;

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

INSERT INTO revision VALUES (1, 5, 4);

INSERT INTO settings VALUES (1, 'Example Organisation', 'mailto:help@example.com');

INSERT INTO signing_key VALUES ('ajina2og6fc4beyx', 'ES256', X'7B226B7479223A224543222C22757365223A22736967222C22616C67223A224553323536222C226B6964223A22616A696E61326F673666633462657978222C22637276223A22502D323536222C2278223A226862512D48446830465279524375596175585A6F73707436485A4D31577A33366345767743424B646C4159222C2279223A224A664446655F464C6F4D6F6834374A70334A4A6C4C74644A6F3879313032446642744D47332D61594A5945227D', X'012B466CAF9DC923B47E5AEF471873D460889B4048E62BCCDD72DA24619D809F57ECDE5BB51246B9904829CBE1BDE8187258374DCC3E96C40F1E6E7293A543053D195E05524C7F43B1313934668FC21E506316C79E8DBFC27E6302CDB3123ED301D9EF8B09CBF6F5BF0132ED214BA90C02EFC49E6470C2F01FBE00ADF43DFE996D8FA63492B29C20C87871DF3EA403D2DF43E5A51230D50490D169A25C06C3B37814F3BCEB0255', 1795242124583, 1795242124583);
INSERT INTO signing_key VALUES ('gpou5pd54icsqk3n', 'RS256', X'7B226B7479223A22525341222C22757365223A22736967222C22616C67223A225253323536222C226B6964223A2267706F753570643534696373716B336E222C226E223A2277712D46642D42526B67504145506C546D44373476553367556B3270354536534C644966573569465F477566437A72504D577A33696A365961754B67745462426B646C343231686966767A51566D777644514E55694B49715648525F776C785A47454F6867464A446A6A7441372D4C63315138714C48365A6B6833684563726830715631495875706844506545344E5949494950726979534D77374B592D666B715F53494E6B6D444F74564D384F5273455951496A737751545F69575978735A6C33676373525A45735561465A74304F6D7233306F67775038784266756B486A32554F6F63687A712D4A512D337959326A344D3056614E6B5F4744616934624154385F52654D70545736534F2D383647745943466C55456C344D5A694859432D467963736668705F66362D6335626955724B326B6535674C6B6553424F3546765258616B2D576F6D585A4637476A6543394D42343477222C2265223A2241514142227D', X'013E21C49BBAFB16E27CCA572DCFEDD3E553869B0A6F07AFE3FEE8DE663D3AE2298EFF919768B879DF5A9C6990E1D8D547A17864A72B10905BD5A041A989E8C3885C0DD4428962AD7C2F955651CF23CAC922A8B3EA9BBE6A0A7BD8E09ADC954B52533B691E802F5F315187F575727B591CFDC44BB2C1FADBBE7AC18B77B37B86FC63D0D6CFBDDF89BE04FB87D5D4C4DAA3257FE8CC8669A3D811A4C1EACD0A60CC46E83755F95E5B3FCB856E88019E49520E9058422FE9F4D0A1101781FFCAB1E1066940D3322B082EA87CC687E5B9BE98ABFAC1F7EB21DBC0429BA8AC762228DD21DF5D7F5DED2E2573562771063DAA538CE2092939002969E55C2775C6E2BDE06D1E20AE9509857B1359D2F4BBD8E11047616DFF76EBE8B16D530D2175131C59B30E83B9A5D8F619D0FFDD19F4B109958B8508C1DC932D5D6F6A408F6393375BBBB07074A7268395C9A9B9AB5818699E65C136047F3F89C643F9E968C4107689B68751EE46632871DCC78A4E668EB822410EB5821F0B64D68C079A1EB020357928396A9DB9FA4BC0F1B8031E076A9EA9B12ACC7F407E0494CF8D6F1D390CD449C121C0764B3B86411B590EE806DDB9C4B7E4FA62FB164BA2C636507810EF6E6C890B836211DB657019B2D782F3D4C9760A3FF3226F4F3D0B5093B15D5D4DE579F5C26CC8BDC486E5A600F726F16B232EDE375BFF9352C0FF2F41370FD381BC60532AFA761FB5C0BF352C9E618E3C9C3261D37BCE79E83C1AED2390079FC7B2E7F29C893067AE7DAB3B0F9809C373D4E83E91180265EDEBE3AC32C08C51E0FB45EBFD693A98C1F38DD1355D2EC18ECC9549FD7F12828C5B01936C98D994FA83C90F4DCAF8DB84825D293ACC742553F3C20F2FB7D21FB55C0F2EE34F5A15B2E46D1C7AA87869498FBD07651C7F80978C16EEC41853902BDC5DE1F22B15D679DC3D0AA5B4486FF2E430CC7D1B5AE66D2B987D033DC5FFA92961AEB0A5150B1FB03812204505A1F1E12031B15DC898C8B5DA29641A45A46737CA225712F616F5389727021678F9F307B7B84BBC9B6CF394192C67C67810D60B334ABA83316FF7CFDAB18E58369006BD6860019372F0FE5566C1783B67B1CABE2871E61C4796D4D160D8A42B834DECB76501B8D1B4B8DB0CCC31CD0E7757BAA0917D316B484083FE029A52BD801E1CFA4A3F2169F52B4D2BAF6DA06CBA6CD8B577634E148D60CAB281F8D4CF340F21E01D0F0912EAD624CFE164CC945CA43531715E17310040573156804314207E6574F62EC9CC7C2F0EA12179D6AB6DE37B860D953BAB26845F7A9753470A912B197C4034674FB0C6D87CD71CBA69C44CFA2F7D624CF1D3EBAAEC134ADB027A5DBE8E2625D875CFAF02CB7A5967E6CCDE65A5DB0391666A955576D64CC322A8A09641D069DE3A76AC22BC9C0AFE7357A7B1A348585BE0DE32492DCEF2DC16D2D4A48EA9E3A7170FDE32C2E981809E70E8BACB5148233A3E44811ABDC5C071FBB6A9D2D2673406BCB1AF9FF5E5788AD143C54880D7168AEE8A98B6F2E57561823947F9FBC9E281B8359082C21E9CE3A3D7A2A6954AE5D7A5968F9A38FD72998B51130FDD95F5431683101BC4876F80CD636AF4B472890AAF772570791EBAC29E7B78782BA9228EAEB8A16691CE96CFA40820167B1140F4E2CA90489630A9A156FD8C4D14677626167FA53F283FD66E255D9553ACC0804E3CB45C977AE0DD7B52C0DA862F223DFE115BD07F752D921DA67437CFE72F2F8CC872', 1795242124583, 1795242124583);

INSERT INTO client VALUES ('web', X'44CCD1BF9709D007AF1C095265A6A08CEEEE39DF6B9A89FEB324786FAF834E7C', 'Web application', '["https://app.test/cb"]', '', '', '["authorization_code","refresh_token"]', '["code"]', 'openid profile email address phone groups offline_access', '', -1000, '', '', '', '', '', 'strict', '{"RequirePKCE":true,"AllowPlain":false,"RequireState":true,"RequireNonce":true,"RequireOpenID":true,"AllowNoBinding":false,"IgnoreUnknownScopes":false,"ClaimsInIDToken":true,"RefreshWithoutOffline":false,"RotateRefreshTokens":true,"RedirectURIOptional":false,"LowerCaseTokenType":false,"IDTokenAlg":"ES256","CodeLifetime":120000000000,"AccessTokenLifetime":900000000000,"RefreshGrace":0}', 1795242124583, 1795242124583, 0);
INSERT INTO client VALUES ('evil', X'44CCD1BF9709D007AF1C095265A6A08CEEEE39DF6B9A89FEB324786FAF834E7C', '', '["https://evil.test/cb"]', '', '', '["authorization_code","refresh_token"]', '["code"]', 'openid profile email address phone groups offline_access', '', -1000, '', '', '', '', '', 'strict', '{"RequirePKCE":true,"AllowPlain":false,"RequireState":true,"RequireNonce":true,"RequireOpenID":true,"AllowNoBinding":false,"IgnoreUnknownScopes":false,"ClaimsInIDToken":true,"RefreshWithoutOffline":false,"RotateRefreshTokens":true,"RedirectURIOptional":false,"LowerCaseTokenType":false,"IDTokenAlg":"ES256","CodeLifetime":120000000000,"AccessTokenLifetime":900000000000,"RefreshGrace":0}', 1795242124583, 1795242124583, 0);
INSERT INTO client VALUES ('spa', X'0000000000000000000000000000000000000000000000000000000000000000', '', '["https://spa.test/cb"]', '', '["https://spa.test"]', '["authorization_code","refresh_token"]', '["code"]', 'openid profile email address phone groups offline_access', 'none', -1000, '', '', '', '', '', 'strict', '{"RequirePKCE":true,"AllowPlain":false,"RequireState":true,"RequireNonce":true,"RequireOpenID":true,"AllowNoBinding":false,"IgnoreUnknownScopes":false,"ClaimsInIDToken":true,"RefreshWithoutOffline":false,"RotateRefreshTokens":true,"RedirectURIOptional":false,"LowerCaseTokenType":false,"IDTokenAlg":"ES256","CodeLifetime":120000000000,"AccessTokenLifetime":900000000000,"RefreshGrace":0}', 1795242124583, 1795242124583, 0);
INSERT INTO client VALUES ('native', X'0000000000000000000000000000000000000000000000000000000000000000', '', '["http://127.0.0.1/cb","com.example.app:/cb"]', '', '["http://127.0.0.1"]', '["authorization_code","refresh_token"]', '["code"]', 'openid profile email address phone groups offline_access', 'none', -1000, '', '', '', '', '', 'strict', '{"RequirePKCE":true,"AllowPlain":false,"RequireState":true,"RequireNonce":true,"RequireOpenID":true,"AllowNoBinding":false,"IgnoreUnknownScopes":false,"ClaimsInIDToken":true,"RefreshWithoutOffline":false,"RotateRefreshTokens":true,"RedirectURIOptional":false,"LowerCaseTokenType":false,"IDTokenAlg":"ES256","CodeLifetime":120000000000,"AccessTokenLifetime":900000000000,"RefreshGrace":0}', 1795242124583, 1795242124583, 0);
INSERT INTO client VALUES ('loose', X'44CCD1BF9709D007AF1C095265A6A08CEEEE39DF6B9A89FEB324786FAF834E7C', '', '["https://loose.test/cb?x=1"]', '', '', '["authorization_code","refresh_token"]', '["code"]', 'openid profile email address phone groups offline_access', '', -1000, '', '', '', '', '', 'standard', '{"RequirePKCE":false,"AllowPlain":false,"RequireState":true,"RequireNonce":false,"RequireOpenID":true,"AllowNoBinding":false,"IgnoreUnknownScopes":true,"ClaimsInIDToken":true,"RefreshWithoutOffline":false,"RotateRefreshTokens":true,"RedirectURIOptional":false,"LowerCaseTokenType":false,"IDTokenAlg":"RS256","CodeLifetime":120000000000,"AccessTokenLifetime":900000000000,"RefreshGrace":0}', 1795242124583, 1795242124583, 0);

INSERT INTO user VALUES ('usr_q4h5zq6ttrrsbons', 'alice', '$pbkdf2-sha256-pepper$i=1000$IqS9KudZOpKGq2Lk1E0fIg$C8O+LeZgrumrm0WLrbPVD8495uTm7JcTBHotG9MjjRI', 'alice@example.com', 1, '{"name":"Alice Adams","given_name":"Alice","family_name":"Adams","phone_number":"+62 21 1","address":{"country":"Indonesia"}}', '["staff"]', 0, 1795242124583, 1795242124583, 1795242124583, 0);
INSERT INTO user VALUES ('usr_nphlzy7z5ywxocrx', 'bob', '$pbkdf2-sha256-pepper$i=1000$fGGMa7a+dIKEdVThTvA8Lg$t9ejgXg+m2jjzRpIP9+JiwGJ+cgu1/imCAhjKbYee6I', 'bob@example.com', 0, '{}', '', 0, 1795242124583, 1795242124583, 1795242124583, 0);
INSERT INTO user VALUES ('usr_5cfs5ocsupyvn2hb', 'carol', '$pbkdf2-sha256-pepper$i=1000$1FwRD5dcqB4fvPlKgJVebQ$YWyKGxRz2FSUNjy7USNQvX+hCa5L9Vl5WHScum1FD0M', '', 0, '{}', '', 1, 1795242124583, 1795242124583, 1795242124583, 0);
INSERT INTO user VALUES ('usr_r27ikh23g64wip4y', 'dave', '$pbkdf2-sha256-pepper$i=1000$8FiaydmxljlY8ZUhoMEVHQ$aEjF644k6rpBLT7yC8UBWi0bfUwLsit4O3UXcJk4uG4', '', 0, '{}', '', 0, 1795242124583, 1795242124583, 1795242124583, 1795242124583);

INSERT INTO session VALUES ('sid_nwrqoktjupcno4lx', X'838B7DA01D119406E19D99DD7506A6A14BF766C792298C7B25EAB7256C37AEC2', 'usr_q4h5zq6ttrrsbons', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242124583, 43200000, 1795846924583, 0, '127.0.0.1', 'Go-http-client/1.1');
INSERT INTO session VALUES ('sid_q4rfw5dtbi6viiyz', X'A6FCD0EBC9D9D1E550A829E1D104B888BC501A61DF314C4FC7F526FF2E4C0C91', 'usr_nphlzy7z5ywxocrx', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242124583, 43200000, 1795846924583, 0, '127.0.0.1', 'Go-http-client/1.1');

INSERT INTO ticket VALUES (X'14069429150ABCBF244C4C2FB2C4C46A49C93CA9457263ECD9EBB176DE3A58BB', 'setup', 1795242124583, 1795243924583, 0);

INSERT INTO attempts VALUES ('ip:127.0.0.1', 1, 1795242124583, 0);
INSERT INTO attempts VALUES ('user:usr_nphlzy7z5ywxocrx', 1, 1795242124583, 0);
INSERT INTO attempts VALUES ('user:usr_q4h5zq6ttrrsbons', 0, 1795242124583, 0);

INSERT INTO interaction VALUES ('IP2PBLXUSCQVASVEEFGJTWNOGAPHUCKKX5LXICHNCAY4XAW2VLC3', X'5215C0C4F714D4F2801A53650A0BC1085AE5D368D13957D9B3C56B4735D99994', 'web', '{"client_id":"web","code_challenge":"qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8","code_challenge_method":"S256","nonce":"nonce of web","redirect_uri":"https://app.test/cb","response_type":"code","scope":"openid profile email offline_access","state":"state of web"}', 1795242124583, 1795245724583, 'usr_q4h5zq6ttrrsbons', 1, 0, 'openid profile email offline_access', 1, 1795242124583);
INSERT INTO interaction VALUES ('GU7F3IJR42OEQVMWB7P7A6JKNZOQTA6EODLZEV2S7ALKXEMZQDGK', X'C609E159C52114C50616E265E190782E1E9160BB9C5C684DCBEA68F08FC7F5EC', 'evil', '{"client_id":"evil","code_challenge":"qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8","code_challenge_method":"S256","nonce":"nonce of evil","redirect_uri":"https://evil.test/cb","response_type":"code","scope":"openid profile email offline_access","state":"state of evil"}', 1795242124583, 1795245724583, 'usr_nphlzy7z5ywxocrx', 1, 0, 'openid profile email offline_access', 1, 1795242124583);
INSERT INTO interaction VALUES ('GT263V4LT7I32Z476XDH3DCQ33PIWEHUIYSPMLDNWZU6V6IBUE25', X'9A3E3B122F38F124478A8FAF94E154E44073FED1D266CC40C185F653091CBEC9', 'web', '{"client_id":"web","code_challenge":"qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8","code_challenge_method":"S256","nonce":"nonce of web","redirect_uri":"https://app.test/cb","response_type":"code","scope":"openid profile email offline_access","state":"state of web"}', 1795242124583, 1795245724583, '', 0, 0, '', 0, 0);
INSERT INTO interaction VALUES ('DRIKWMBOHFE4XHBIDR6CDNVEP2IDDFXTAULU2XQXHRRCZ73PYQNJ', X'32FBE02E3EE0E79C3C1E0D37540A778B35F10AE2870370372D937D9B8A094911', 'spa', '{"client_id":"spa","code_challenge":"qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8","code_challenge_method":"S256","nonce":"nonce of spa","redirect_uri":"https://spa.test/cb","response_type":"code","scope":"openid profile email offline_access","state":"state of spa"}', 1795242124583, 1795245724583, '', 0, 0, '', 0, 0);

INSERT INTO grant VALUES ('n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'openid profile email offline_access', 1795242124583, 1795242124583, 0);
INSERT INTO grant VALUES ('cd2iv7nmfenybjnn', 'evil', 'usr_nphlzy7z5ywxocrx', 'openid profile email offline_access', 1795242124583, 1795242124583, 0);

INSERT INTO code VALUES (X'2B9A239E1663D4C50DEBB6CCCE746F5905A9322E81A4B38C20DED60AFE1948A3', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'https://app.test/cb', 'openid profile email offline_access', 'nonce of web', 'S256:qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242244583, 1795242124583, 0, 'n3p2f7hm72y2kolu.tptv753c37yropek');
INSERT INTO code VALUES (X'408C3598B4168384397560C156C8984E1706A26FBE6752DC2BC119FFA93162C0', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'https://app.test/cb', 'openid profile email offline_access', 'nonce of web', 'S256:qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242244583, 1795242124583, 1795242124583, 'n3p2f7hm72y2kolu.axzsuwofhx2u3fci');
INSERT INTO code VALUES (X'F372D9513F03CCA101CE1C2CCA06C89B9327C640C9EB2A05098FACC5CCD93863', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'https://app.test/cb', 'openid profile email offline_access', 'nonce of web', 'S256:qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242244583, 1795242124583, 0, 'n3p2f7hm72y2kolu.hgyna2v22ne5ywah');
INSERT INTO code VALUES (X'5BFAD450E4C3C2D870FD07640DF173C78A7CC0F3030AFFEF091FD133875290BC', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'https://app.test/cb', 'openid profile email offline_access', 'nonce of web', 'S256:qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242244583, 0, 0, '');
INSERT INTO code VALUES (X'A5B4AE60F9C4467077D9065D4F90EEF002E778479F96A762590C0D24C648DED1', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'https://app.test/cb', 'openid profile email offline_access', 'nonce of web', 'S256:qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242244583, 1795242124583, 0, 'n3p2f7hm72y2kolu.7nbuacebwziniowk');
INSERT INTO code VALUES (X'5E0FDA522976D3DB2F6E5F46049481DB49091AF7F92DFFAE8C312C0EB994340B', 'cd2iv7nmfenybjnn', 'evil', 'usr_nphlzy7z5ywxocrx', 'sid_q4rfw5dtbi6viiyz', 'https://evil.test/cb', 'openid profile email offline_access', 'nonce of evil', 'S256:qbPYGz5TiEt4QlKn1sGPJUfFyBtvKz0tbEtw1bZ2vW8', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242244583, 1795242124583, 0, 'cd2iv7nmfenybjnn.ve7pc6j52gzelmpi');

INSERT INTO token_family VALUES ('n3p2f7hm72y2kolu.tptv753c37yropek', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'openid profile email offline_access', 1, X'34AF2723864C68B008BA695C633EBE5A', 2, 'nonce of web', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242124583, 1803018124583, 0, '');
INSERT INTO token_family VALUES ('n3p2f7hm72y2kolu.axzsuwofhx2u3fci', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'openid profile email offline_access', 1, X'9FDCE66AB0258019071075E2594C9669', 1, 'nonce of web', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242124583, 1803018124583, 1795242124583, 'code replayed');
INSERT INTO token_family VALUES ('n3p2f7hm72y2kolu.hgyna2v22ne5ywah', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'openid profile email offline_access', 1, X'FF19FCC7D9DB36A516741F15B9EAB008', 1, 'nonce of web', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242124583, 1803018124583, 0, '');
INSERT INTO token_family VALUES ('n3p2f7hm72y2kolu.7nbuacebwziniowk', 'n3p2f7hm72y2kolu', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'openid profile email offline_access', 1, X'4D4A4A6ADB6D11CF16B5823E70FFC417', 2, 'nonce of web', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242124583, 1803018124583, 0, '');
INSERT INTO token_family VALUES ('cd2iv7nmfenybjnn.ve7pc6j52gzelmpi', 'cd2iv7nmfenybjnn', 'evil', 'usr_nphlzy7z5ywxocrx', 'sid_q4rfw5dtbi6viiyz', 'openid profile email offline_access', 1, X'00563B113AE8919F03CC67727E47A22D', 1, 'nonce of evil', 1795242124583, '["pwd"]', 'urn:sso:loa:pwd', 1795242124583, 1795242124583, 1803018124583, 0, '');

INSERT INTO event VALUES (1, 1795242124583, 'key.created', '', '', '', '', '', '', '', '', '{"alg":"ES256","kid":"ajina2og6fc4beyx"}');
INSERT INTO event VALUES (2, 1795242124583, 'key.created', '', '', '', '', '', '', '', '', '{"alg":"RS256","kid":"gpou5pd54icsqk3n"}');
INSERT INTO event VALUES (3, 1795242124583, 'user.created', 'req_test', '', '', '', 'usr_q4h5zq6ttrrsbons', '', '', '', '{"changed":"email, email_verified, claims.name, claims.given_name, claims.family_name, claims.phone_number, claims.address.country, groups"}');
INSERT INTO event VALUES (4, 1795242124583, 'user.created', 'req_test', '', '', '', 'usr_nphlzy7z5ywxocrx', '', '', '', '{"changed":"email"}');
INSERT INTO event VALUES (5, 1795242124583, 'user.created', 'req_test', '', '', '', 'usr_5cfs5ocsupyvn2hb', '', '', '', '{"changed":"admin"}');
INSERT INTO event VALUES (6, 1795242124583, 'user.created', 'req_test', '', '', '', 'usr_r27ikh23g64wip4y', '', '', '', '{"changed":"disabled"}');
INSERT INTO event VALUES (7, 1795242124583, 'client.created', 'req_test', '', '', 'web', '', '', '', '', '{"changed":"client_name, redirect_uris, grant_types, response_types, scope, default_max_age, profile, id_token_signed_response_alg, require_pkce, require_state, require_nonce, require_openid, claims_in_id_token, rotate_refresh_tokens, code_lifetime, access_token_lifetime"}');
INSERT INTO event VALUES (8, 1795242124583, 'client.created', 'req_test', '', '', 'evil', '', '', '', '', '{"changed":"redirect_uris, grant_types, response_types, scope, default_max_age, profile, id_token_signed_response_alg, require_pkce, require_state, require_nonce, require_openid, claims_in_id_token, rotate_refresh_tokens, code_lifetime, access_token_lifetime"}');
INSERT INTO event VALUES (9, 1795242124583, 'client.created', 'req_test', '', '', 'spa', '', '', '', '', '{"changed":"redirect_uris, allowed_origins, grant_types, response_types, scope, token_endpoint_auth_method, default_max_age, profile, id_token_signed_response_alg, require_pkce, require_state, require_nonce, require_openid, claims_in_id_token, rotate_refresh_tokens, code_lifetime, access_token_lifetime"}');
INSERT INTO event VALUES (10, 1795242124583, 'client.created', 'req_test', '', '', 'native', '', '', '', '', '{"changed":"redirect_uris, allowed_origins, grant_types, response_types, scope, token_endpoint_auth_method, default_max_age, profile, id_token_signed_response_alg, require_pkce, require_state, require_nonce, require_openid, claims_in_id_token, rotate_refresh_tokens, code_lifetime, access_token_lifetime"}');
INSERT INTO event VALUES (11, 1795242124583, 'client.created', 'req_test', '', '', 'loose', '', '', '', '', '{"changed":"redirect_uris, grant_types, response_types, scope, default_max_age, profile, id_token_signed_response_alg, require_state, require_openid, ignore_unknown_scopes, claims_in_id_token, rotate_refresh_tokens, code_lifetime, access_token_lifetime"}');
INSERT INTO event VALUES (12, 1795242124583, 'settings.changed', 'req_test', '', '', '', '', '', '', '', '{"changed":"organisation_name, support"}');
INSERT INTO event VALUES (13, 1795242124583, 'auth.interaction.start', 'req_7g7nhrzm5aynfj3y', '127.0.0.1', 'Go-http-client/1.1', 'web', '', '', '', '', '');
INSERT INTO event VALUES (14, 1795242124583, 'auth.login.ok', 'req_f7ksnr4e6u6c6sph', '127.0.0.1', 'Go-http-client/1.1', '', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', '', '', '{"amr":"pwd"}');
INSERT INTO event VALUES (15, 1795242124583, 'consent.grant', 'req_bcshq3xttlqvurob', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', '', '', '', '{"scope":"openid profile email offline_access"}');
INSERT INTO event VALUES (16, 1795242124583, 'code.issued', 'req_bcshq3xttlqvurob', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', '', '');
INSERT INTO event VALUES (17, 1795242124583, 'code.redeemed', 'req_y6xxrwjgiq6l3xph', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.tptv753c37yropek', '');
INSERT INTO event VALUES (18, 1795242124583, 'token.issued', 'req_y6xxrwjgiq6l3xph', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.tptv753c37yropek', '');
INSERT INTO event VALUES (19, 1795242124583, 'token.refresh', 'req_djjtx5lwdjzjdv6k', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.tptv753c37yropek', '');
INSERT INTO event VALUES (20, 1795242124583, 'code.issued', 'req_iwi2ambkljhepo6i', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', '', '');
INSERT INTO event VALUES (21, 1795242124583, 'code.redeemed', 'req_bjvv55okzz4tgovs', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.axzsuwofhx2u3fci', '');
INSERT INTO event VALUES (22, 1795242124583, 'token.issued', 'req_bjvv55okzz4tgovs', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.axzsuwofhx2u3fci', '');
INSERT INTO event VALUES (23, 1795242124583, 'code.replay', 'req_x5uvgorlx7zvfh2s', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.axzsuwofhx2u3fci', '{"description":"the code was already used: every token issued from it is now revoked","error":"invalid_grant","reason":"replayed"}');
INSERT INTO event VALUES (24, 1795242124583, 'code.issued', 'req_vukgkdldey424etw', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', '', '');
INSERT INTO event VALUES (25, 1795242124583, 'code.redeemed', 'req_hjv6nipxsqjdowzm', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.hgyna2v22ne5ywah', '');
INSERT INTO event VALUES (26, 1795242124583, 'token.issued', 'req_hjv6nipxsqjdowzm', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.hgyna2v22ne5ywah', '');
INSERT INTO event VALUES (27, 1795242124583, 'code.issued', 'req_ggompetmuiu3bext', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', '', '');
INSERT INTO event VALUES (28, 1795242124583, 'code.issued', 'req_hy5x6pwsf2sxrq3c', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', '', '');
INSERT INTO event VALUES (29, 1795242124583, 'code.redeemed', 'req_daxgmuscyai5uwoj', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.7nbuacebwziniowk', '');
INSERT INTO event VALUES (30, 1795242124583, 'token.issued', 'req_daxgmuscyai5uwoj', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.7nbuacebwziniowk', '');
INSERT INTO event VALUES (31, 1795242124583, 'token.refresh', 'req_ho7bghlehqexiwyo', '127.0.0.1', 'Go-http-client/1.1', 'web', 'usr_q4h5zq6ttrrsbons', 'sid_nwrqoktjupcno4lx', 'n3p2f7hm72y2kolu', 'n3p2f7hm72y2kolu.7nbuacebwziniowk', '');
INSERT INTO event VALUES (32, 1795242124583, 'auth.interaction.start', 'req_6ofvsilrquynwvtv', '127.0.0.1', 'Go-http-client/1.1', 'evil', '', '', '', '', '');
INSERT INTO event VALUES (33, 1795242124583, 'auth.login.ok', 'req_syjupxj7j7uad4po', '127.0.0.1', 'Go-http-client/1.1', '', 'usr_nphlzy7z5ywxocrx', 'sid_q4rfw5dtbi6viiyz', '', '', '{"amr":"pwd"}');
INSERT INTO event VALUES (34, 1795242124583, 'consent.grant', 'req_v3eatvjq746i5opc', '127.0.0.1', 'Go-http-client/1.1', 'evil', 'usr_nphlzy7z5ywxocrx', '', '', '', '{"scope":"openid profile email offline_access"}');
INSERT INTO event VALUES (35, 1795242124583, 'code.issued', 'req_v3eatvjq746i5opc', '127.0.0.1', 'Go-http-client/1.1', 'evil', 'usr_nphlzy7z5ywxocrx', 'sid_q4rfw5dtbi6viiyz', 'cd2iv7nmfenybjnn', '', '');
INSERT INTO event VALUES (36, 1795242124583, 'code.redeemed', 'req_ppezhxjmvtcktryd', '127.0.0.1', 'Go-http-client/1.1', 'evil', 'usr_nphlzy7z5ywxocrx', 'sid_q4rfw5dtbi6viiyz', 'cd2iv7nmfenybjnn', 'cd2iv7nmfenybjnn.ve7pc6j52gzelmpi', '');
INSERT INTO event VALUES (37, 1795242124583, 'token.issued', 'req_ppezhxjmvtcktryd', '127.0.0.1', 'Go-http-client/1.1', 'evil', 'usr_nphlzy7z5ywxocrx', 'sid_q4rfw5dtbi6viiyz', 'cd2iv7nmfenybjnn', 'cd2iv7nmfenybjnn.ve7pc6j52gzelmpi', '');
INSERT INTO event VALUES (38, 1795242124583, 'auth.interaction.start', 'req_fvco7djp6o6hi6rv', '127.0.0.1', 'Go-http-client/1.1', 'web', '', '', '', '', '');
INSERT INTO event VALUES (39, 1795242124583, 'auth.interaction.start', 'req_gcwhpi4vptzxzt5t', '127.0.0.1', 'Go-http-client/1.1', 'spa', '', '', '', '', '');
INSERT INTO event VALUES (40, 1795242124583, 'auth.login.fail', 'req_zw6uxvalvdz36beo', '127.0.0.1', 'Go-http-client/1.1', '', 'usr_nphlzy7z5ywxocrx', '', '', '', '{"name":"bob"}');

CREATE INDEX user_email ON user (email) WHERE email <> '' AND email_verified = 1;
CREATE INDEX user_admin ON user (admin) WHERE admin = 1;
CREATE INDEX session_user ON session (user);
CREATE INDEX session_expires ON session (expires_at);
CREATE INDEX session_ended ON session (ended_at) WHERE ended_at <> 0;
CREATE INDEX ticket_expires ON ticket (expires_at);
CREATE INDEX ticket_used ON ticket (used_at) WHERE used_at <> 0;
CREATE INDEX attempts_since ON attempts (since);
CREATE INDEX interaction_expires ON interaction (expires_at);
CREATE UNIQUE INDEX grant_live ON grant (user, client) WHERE revoked_at = 0;
CREATE INDEX grant_user ON grant (user);
CREATE INDEX grant_client ON grant (client);
CREATE INDEX grant_revoked ON grant (revoked_at) WHERE revoked_at <> 0;
CREATE INDEX code_expires ON code (expires_at);
CREATE INDEX token_family_grant ON token_family (grant_id);
CREATE INDEX token_family_session ON token_family (session) WHERE revoked_at = 0;
CREATE INDEX token_family_expires ON token_family (expires_at);
CREATE INDEX token_family_revoked ON token_family (revoked_at) WHERE revoked_at <> 0;
