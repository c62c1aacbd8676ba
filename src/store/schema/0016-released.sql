-- Rules of the config may hold mail, version 16: only a new column, so that version 15 goes on beside it.

-- When the operator let a held recipient go: his word counts for more than the rule that held it.
ALTER TABLE recipient ADD COLUMN released_at INTEGER;
