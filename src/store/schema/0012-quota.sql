-- How much an account may hold (RFC 9208), version 12: only columns, so that version 11 goes on beside it.

-- NULL is what the config says for all; 0 is no limit. What is held is the sum over its mailboxes.
ALTER TABLE account ADD COLUMN quota_octets INTEGER;
ALTER TABLE account ADD COLUMN quota_messages INTEGER;
