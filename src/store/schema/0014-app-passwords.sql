-- App passwords: of an account, made by a machine for one program each, with what they may be used for.
CREATE TABLE app_password (
  id TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL,
  label TEXT NOT NULL,
  scopes TEXT NOT NULL,                    -- words: 'smtp imap pop3'
  created_at INTEGER NOT NULL,
  used_at INTEGER                          -- to the hour
) WITHOUT ROWID;

CREATE INDEX app_password_account ON app_password (account_id);

CREATE TABLE app_verifier (
  app_id TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- src/account/verifier.ts
  verifier TEXT NOT NULL,
  PRIMARY KEY (app_id, kind)
) WITHOUT ROWID;
