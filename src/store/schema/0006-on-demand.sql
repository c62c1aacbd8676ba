-- Mail that is asked for by domain (ETRN, ATRN), version 6: only an index, so that version 5 goes on beside it.

-- What waits for a domain, oldest first. What is carried at its birth is never in it, and pays nothing for it.
CREATE INDEX recipient_domain ON recipient (domain, message_id, n) WHERE state = 'queued';
