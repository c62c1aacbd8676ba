-- What searching, sorting and threading ask of a header, version 24. A node of version 23 goes on beside it: it has
-- a scanner of its own, and finds anew what was found by the other.

-- '' where it is not known. As access/heading.ts writes it.
ALTER TABLE reading ADD COLUMN heading TEXT NOT NULL DEFAULT '';
