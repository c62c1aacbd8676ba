/**
 * Removes any number of messages from a mailbox, slice by slice, so that mail coming in never waits
 * behind it. Called by access/ for POP3's UPDATE state and for EXPUNGE.
 */
import type { Store } from '../store/store.ts'
import { EXPUNGE_SLICE, expungeSlice } from './writer.ts'

/**
 * Resolves once all are durably gone, with the names on Disk that the caller is to remove now. A
 * rejection leaves the slices done so far done: each message is either wholly there or gone.
 * `removed` hears of the names as their slices commit, so that a later failure forgets none.
 */
export async function expunge(
  store: Store,
  mailboxId: number,
  uids: readonly number[],
  removed: (staged: readonly string[]) => void,
  /** For a while an operator can bring them back (kept.ts). */
  keep = false,
): Promise<void> {
  for (let from = 0; from < uids.length; from += EXPUNGE_SLICE) {
    const slice = uids.slice(from, from + EXPUNGE_SLICE)
    const { staged } = await store.write(expungeSlice, { mailboxId, uids: slice, keep })
    if (staged.length > 0) removed(staged)
  }
}
