/**
 * Who waits for news of an account's mailboxes: open IMAP sessions. News come as wake-ups of the store, from
 * this node and all others (store/store.ts `wake`); they may be lost and they may come for nothing, so
 * whoever hears them asks the store. One for each process.
 */
import { mailTopic } from '../mailbox/topic.ts'
import { everything, type Store } from '../store/store.ts'

export class MailWatch {
  readonly #listeners = new Map<string, Set<() => void>>()

  constructor(store: Pick<Store, 'onWake'>) {
    store.onWake(topic => this.#heard(topic))
  }

  /** Calls `changed` when something may have happened in the account's mailboxes; gives what ends that. */
  watch(accountId: number, changed: () => void): () => void {
    const topic = mailTopic(accountId)
    const listeners = this.#listeners.get(topic) ?? new Set()
    listeners.add(changed)
    this.#listeners.set(topic, listeners)
    return () => {
      listeners.delete(changed)
      if (listeners.size === 0) this.#listeners.delete(topic)
    }
  }

  #heard(topic: string): void {
    const called =
      topic === everything ? [...this.#listeners.values()] : [this.#listeners.get(topic) ?? []]
    for (const listeners of called) for (const changed of listeners) changed()
  }
}
