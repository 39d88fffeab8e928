-- The tables of bench.yaml as a careful person writes them by hand, and the hand-written server's own tokens.
CREATE TABLE "user" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  username TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  about_me TEXT
) STRICT;

CREATE TABLE post (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('draft', 'published')),
  score INTEGER NOT NULL,
  created_at TEXT NOT NULL
) STRICT;

-- Read backwards, these give created_at and id descending: every index of SQLite ends with the row's id.
CREATE INDEX post_author ON post (user_id, created_at);
CREATE INDEX post_created_at ON post (created_at);
CREATE INDEX post_status ON post (status);

CREATE TABLE token (
  hash BLOB PRIMARY KEY,
  user_id INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
