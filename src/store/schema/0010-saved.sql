-- When a message came into its mailbox (RFC 8514), where that is not its internal_date: copied, moved, or put there by
-- a client. A delivery writes nothing here.
ALTER TABLE mailbox_message ADD COLUMN saved_at INTEGER;
