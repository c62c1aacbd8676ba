/**
 * The exclusive-access lock on a maildrop (RFC 1939 §4): one POP3 session at a time for each account.
 * It does not keep IMAP or delivery out, which never change a message that a POP3 session has listed,
 * at most remove it.
 *
 * `MaildropLocks` is kept in memory: it dies with the process, as the sessions do, and is right where
 * one process has the store to itself. Where nodes share it, cluster/maildrop-locks.ts is used.
 */

/** Takes the lock of an account; undefined where another session has it. Rejects only if the store does. */
export interface MaildropLocking {
  acquire(accountId: number): MaildropLock | undefined | Promise<MaildropLock | undefined>
}

export interface MaildropLock {
  /** Whether the lock is still ours: asked before messages are removed in its name. */
  held(): boolean | Promise<boolean>
  /** Frees the lock; a second call does nothing. Never rejects; settles when others may have it. */
  release(): void | Promise<void>
}

/** A lock that is asked and freed at once. */
export interface OwnMaildropLock extends MaildropLock {
  held(): boolean
  release(): void
}

export class MaildropLocks implements MaildropLocking {
  readonly #held = new Set<number>()

  acquire(accountId: number): OwnMaildropLock | undefined {
    if (this.#held.has(accountId)) return undefined
    this.#held.add(accountId)
    let free = false
    return {
      held: () => !free,
      release: () => {
        if (free) return
        free = true
        this.#held.delete(accountId)
      },
    }
  }
}
