-- Messages that their senders may ask about (RFC 3885), version 9: only an index, so that version 8 goes on beside it.

-- By the name the sender gave. What asks for nothing beyond the core is never in it, and pays nothing for it.
CREATE INDEX message_tracked ON message (envelope_id) WHERE envelope_id IS NOT NULL AND parameters IS NOT NULL;
