/**
 * The exclusive-access lock on a maildrop (RFC 1939 §4): one POP3 session at a time for each account.
 * Kept in memory: it dies with the process, as the sessions do. It does not keep IMAP or delivery
 * out, which never change a message that a POP3 session has listed, at most remove it.
 */
export class MaildropLocks {
  readonly #held = new Set<number>()

  /** Takes the lock of an account; undefined where another session has it. */
  acquire(accountId: number): MaildropLock | undefined {
    if (this.#held.has(accountId)) return undefined
    this.#held.add(accountId)
    let free = false
    return {
      release: () => {
        if (free) return
        free = true
        this.#held.delete(accountId)
      },
    }
  }
}

export interface MaildropLock {
  /** Frees the lock; a second call does nothing. */
  release(): void
}
