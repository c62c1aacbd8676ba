/**
 * Who is turned away for a while, at every door of every node. A ban is a row that all nodes share
 * (ban-row.ts); each keeps those in force in memory, hears of changes by topic, and looks again now and
 * then. To ask costs a look into a map for each length of network that is in use.
 *
 * Memory is bounded: beyond its size the ban that was learned of first is left to the store.
 */
import { everything, type Store } from '../store/store.ts'
import { baseOf, formatNetwork, type Network, parseIp, parseNetwork } from '../wire/network.ts'
import type { World } from '../world/world.ts'
import {
  addBan,
  type BanLengths,
  type BanRow,
  bansAtStart,
  bansChanged,
  bansInForce,
  liftBan,
  sweepBans,
} from './ban-row.ts'
import { bannedWith } from './subject.ts'

/** The topic under which nodes hear that bans have changed. */
const banTopic = 'ban'

export interface Ban {
  readonly network: string
  readonly reason: string
  readonly origin: BanRow['origin']
  /** How often it was banned lately. */
  readonly level: number
  readonly begunAt: number
  readonly untilAt: number
}

interface Standing {
  readonly ban: Ban
  /** By our monotonic clock: a wrong wall clock neither frees nor keeps anybody. */
  readonly endsAt: number
}

const KEPT_MAX = 100_000
const POLL_MS = 30_000
/** A change may become visible so long after the time that it bears. */
const LATE_MS = 60_000

export interface BanNeeds {
  readonly store: Store
  readonly world: Pick<World, 'clock' | 'log'>
  readonly lengths: () => BanLengths
  /** How often the store is looked at where nobody tells of a change; half a minute. */
  readonly pollMs?: number | undefined
}

export class Bans {
  readonly #needs: BanNeeds
  readonly #standing = new Map<string, Standing>()
  /** How many there are of each length of network. */
  readonly #lengths = new Map<number, number>()
  #since = 0
  #looking: Promise<void> | undefined
  #again = false
  #unlisten: (() => void) | undefined
  #ended = false
  #changed: (network: Network, banned: boolean) => void = () => undefined

  /** Use `openBans`. */
  constructor(needs: BanNeeds) {
    this.#needs = needs
  }

  /** Reads what is in force, and begins to listen. */
  async open(): Promise<void> {
    const { store } = this.#needs
    this.#unlisten = store.onWake(topic => {
      if (topic === banTopic || topic === everything) void this.#look()
    })
    const { now, rows } = await store.read(bansAtStart, null)
    for (const row of rows) this.#take(row, now)
    this.#since = now
    if (!store.alone) this.#pollLater()
  }

  close(): void {
    this.#ended = true
    this.#unlisten?.()
  }

  /** Names who is told of each ban that begins, here or at another node, and of each that is lifted. */
  onChange(listen: (network: Network, banned: boolean) => void): void {
    this.#changed = listen
  }

  get size(): number {
    return this.#standing.size
  }

  /** The ban that an address is under. */
  of(address: string): Ban | undefined {
    if (this.#standing.size === 0) return undefined
    const octets = parseIp(address)
    if (octets === undefined) return undefined
    for (const bits of this.#lengths.keys()) {
      const standing = this.#current(formatNetwork(baseOf({ octets, bits })))
      if (standing !== undefined) return standing.ban
    }
    return undefined
  }

  /** A limit was reached: at once here, and durable soon. Never rejects. */
  add(address: string, reason: string): void {
    const network = bannedWith(address)
    const lengths = this.#needs.lengths()
    if (network === undefined || lengths.first === 0 || this.of(address) !== undefined) return
    const { clock, log } = this.#needs.world
    const name = formatNetwork(baseOf(network))
    const now = clock.now()
    // Good until the store has said how long it really is.
    const row = { level: 1, begun_at: now, until_at: now + lengths.first, reason }
    this.#take({ ...row, network: name, origin: 'limit' }, now)
    this.#write({ network: name, reason, origin: 'limit' }).catch((error: unknown) =>
      log.warn('ban.not-kept', { network: name, error: String(error) }),
    )
  }

  /** An operator's word; rejects where the store does. */
  ban(network: Network, reason: string, forMs?: number): Promise<Ban> {
    const name = formatNetwork(baseOf(network))
    return this.#write({ network: name, reason, origin: 'operator' }, forMs)
  }

  /** Ends the ban of a network; false where there was none. */
  async lift(network: Network): Promise<boolean> {
    const { store, world } = this.#needs
    const name = formatNetwork(baseOf(network))
    const lifted = await store.write(liftBan, name)
    this.#drop(name)
    this.#changed(network, false)
    if (lifted) world.log.info('ban.lifted', { network: name })
    this.#tell()
    return lifted
  }

  /** All that are in force, of all nodes. */
  async list(): Promise<readonly Ban[]> {
    const { rows } = await this.#needs.store.read(bansInForce, null)
    return rows.map(banOf)
  }

  /** Forgets rows that count no more. */
  async sweep(): Promise<void> {
    while ((await this.#needs.store.write(sweepBans, this.#needs.lengths().forget)) === 1000) {
      // A slice at a time: accepts do not wait for it.
    }
  }

  async #write(ban: Pick<Ban, 'network' | 'reason' | 'origin'>, forMs?: number): Promise<Ban> {
    const { store, world, lengths } = this.#needs
    const asked = { ...ban, lengths: lengths(), ...(forMs !== undefined && { forMs }) }
    const { now, row } = await store.write(addBan, asked)
    // What was lifted meanwhile is not taken up again.
    if (ban.origin === 'operator' || this.#standing.has(row.network)) this.#take(row, now)
    const { network, reason, origin, level } = row
    const seconds = Math.round((row.until_at - row.begun_at) / 1000)
    world.log.info('ban', { network, reason, origin, level, seconds })
    this.#tell()
    return banOf(row)
  }

  #tell(): void {
    if (!this.#needs.store.alone) this.#needs.store.wake(banTopic)
  }

  #take(row: BanRow, now: number): void {
    const { clock } = this.#needs.world
    const known = this.#standing.has(row.network)
    const network = parseNetwork(row.network)
    if (network === undefined) return
    this.#drop(row.network)
    const inForce = row.until_at > now
    if (inForce) {
      this.#makeRoom()
      const endsAt = clock.monotonic() + (row.until_at - now)
      this.#standing.set(row.network, { ban: banOf(row), endsAt })
      this.#lengths.set(network.bits, (this.#lengths.get(network.bits) ?? 0) + 1)
    }
    if (known !== inForce) this.#changed(network, inForce)
  }

  #makeRoom(): void {
    if (this.#standing.size < KEPT_MAX) return
    const [oldest] = this.#standing.keys()
    if (oldest !== undefined) this.#drop(oldest)
  }

  #current(name: string): Standing | undefined {
    const standing = this.#standing.get(name)
    if (standing === undefined || standing.endsAt > this.#needs.world.clock.monotonic()) {
      return standing
    }
    this.#drop(name)
    return undefined
  }

  #drop(name: string): void {
    if (!this.#standing.delete(name)) return
    const bits = parseNetwork(name)?.bits ?? 0
    const left = (this.#lengths.get(bits) ?? 1) - 1
    if (left === 0) this.#lengths.delete(bits)
    else this.#lengths.set(bits, left)
  }

  /** Reads what has changed; one look at a time, and another behind it where it was asked for meanwhile. */
  #look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true
      return this.#looking
    }
    const { store, world } = this.#needs
    this.#looking = store
      .read(bansChanged, this.#since - LATE_MS)
      .then(({ now, rows }) => {
        for (const row of rows) this.#take(row, now)
        this.#since = now
      })
      .catch((error: unknown) => world.log.warn('ban.look', { error: String(error) }))
      .finally(() => {
        this.#looking = undefined
        if (this.#again) {
          this.#again = false
          void this.#look()
        }
      })
    return this.#looking
  }

  #pollLater(): void {
    this.#needs.world.clock.after(this.#needs.pollMs ?? POLL_MS, () => {
      if (this.#ended) return
      void this.#look()
      this.#pollLater()
    })
  }
}

/** The bans of a store, read. Rejects where the store does. */
export async function openBans(needs: BanNeeds): Promise<Bans> {
  const bans = new Bans(needs)
  await bans.open()
  return bans
}

function banOf({ network, reason, origin, level, begun_at, until_at }: BanRow): Ban {
  return { network, reason, origin, level, begunAt: begun_at, untilAt: until_at }
}
