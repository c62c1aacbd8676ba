/** Takes away what is kept of transactions with a name for longer than it may be. Called by server/upkeep.ts. */
import type { Store } from '../store/store.ts'
import type { Disk } from '../world/disk.ts'
import { expireTransfers } from './transfer.ts'

/** All that is due, slice by slice, each a job of its own. */
export async function sweepTransfers(
  store: Store,
  disk: Pick<Disk, 'remove'>,
  ages: { readonly keepMs: number; readonly rememberMs: number },
): Promise<void> {
  for (;;) {
    const { released, more } = await store.write(expireTransfers, ages)
    for (const name of released) await disk.remove(name)
    if (!more) return
  }
}
