/** What a running server does now and then: certificates that changed, domains of other nodes, the sweep. */
import { clearFolder } from '../access/imap-expunge.ts'
import { doomedFolders } from '../mailbox/folder.ts'
import { forgetOld } from '../mailbox/forget.ts'
import { releaseKept } from '../mailbox/kept.ts'
import { sweepReadings } from '../mailbox/reading.ts'
import { sweepTransfers } from '../queue/transfer-sweep.ts'
import { StoreError } from '../store/store.ts'
import { sweep, sweepStaged } from '../store/sweep.ts'
import type { Fetcher } from './fetcher.ts'
import type { House } from './house.ts'

const IDENTITY_CHECK_MS = 5_000
/** How exactly the times of `fetch` are kept. */
const FETCH_CHECK_MS = 1_000
const DOMAINS_MS = 30_000
const SWEEP_MS = 3_600_000
/** A start has enough to do: the first of these looks comes this much later. */
const FIRST_SWEEP_MS = 10_000
/** The clock of file times may be this much behind ours. */
const FILE_CLOCK_MS = 50

/** Begins the upkeep; the result ends it. */
export function keepUp(house: House, fetcher: Fetcher, refreshIdentity: () => unknown): () => void {
  const { clock, log, disk } = house.world
  let ended = false
  const attempt = (run: () => unknown) =>
    Promise.resolve()
      .then(run)
      .catch((error: unknown) => {
        // A sweep that was under way when the server stopped.
        if (ended && error instanceof StoreError && error.reason === 'closed') return
        log.error('upkeep', { error: String(error) })
      })
  const every = (ms: number, run: () => unknown, firstMs = ms) => {
    if (ended) return
    clock.after(firstMs, () => void attempt(run).finally(() => every(ms, run)))
  }
  const clean = async () => {
    const { queue, checkpoint } = house.settings()
    await sweepTransfers(house.store, disk, {
      keepMs: checkpoint.keep,
      rememberMs: checkpoint.remember,
    })
    await sweep({ store: house.store, disk, clock, keepSettledMs: queue.keepLedger })
    await forgetOld(house.store, clock.now())
    await sweepReadings(house.store)
    await house.bans.sweep()
    await releaseKept(house.store, clock.now() - house.settings().undelete.keep, names => {
      for (const name of names) void attempt(() => disk.remove(name))
    })
  }
  // Before the first connection is served: what is staged without a row was a dead predecessor's.
  const { store } = house
  void attempt(() => sweepStaged({ store, disk, clock, stagedGraceMs: FILE_CLOCK_MS }))
  // Folders that were deleted and not emptied.
  void attempt(async () => {
    for (const id of await store.read(doomedFolders, null)) {
      const keeps = () => house.settings().undelete.keep > 0
      await clearFolder({ store, world: house.world, keeps, log }, id)
    }
  })
  every(IDENTITY_CHECK_MS, refreshIdentity)
  every(FETCH_CHECK_MS, () => fetcher.tick())
  every(DOMAINS_MS, () => house.domains.refresh())
  every(SWEEP_MS, clean, FIRST_SWEEP_MS)
  return () => {
    ended = true
    house.bans.close()
    house.shared?.close()
  }
}
