-- Fewer pages for each accepted message, version 8: an index goes that only the sweep asked, which now
-- walks by the id. A node of version 7 goes on beside it: its sweep reads more, and finds the same.

DROP INDEX message_settled;
