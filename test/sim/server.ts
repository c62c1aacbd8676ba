/**
 * One mail server of the simulated town: a host, a store in memory, and a house with its listeners.
 * It can lose its machine at any moment; what is left is what the store has committed and the disk
 * has sealed, and the next life is built on that alone. Made by town.ts.
 *
 * Where a domain has two, the second stands beside the first: on its store and its disk, which neither
 * takes along when it dies (seat.ts).
 */

import { cheapHashCost } from '../../src/account/settings.ts'
import { forgetOld } from '../../src/mailbox/forget.ts'
import { sweepReadings } from '../../src/mailbox/reading.ts'
import { sweepTransfers } from '../../src/queue/transfer-sweep.ts'
import { bodyDisk } from '../../src/server/bodies.ts'
import { Fetcher } from '../../src/server/fetcher.ts'
import { buildHouse, type House } from '../../src/server/house.ts'
import { type ServedName, Sessions } from '../../src/server/serve.ts'
import { type Config, type Settings, settingsSchema } from '../../src/server/settings/settings.ts'
import type { Finding, StagedFile } from '../../src/store/check.ts'
import { type MemoryFault, type MemoryStore, openMemoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { sweep } from '../../src/store/sweep.ts'
import { type Host, type Internet, simIdentity } from '../../src/world/sim/index.ts'
import type { Ledger } from './ledger.ts'
import { granted, settle } from './residents.ts'
import { Seat } from './seat.ts'

export interface ServerPlan {
  /** The domain it takes mail for; its host is mx.<domain>. */
  readonly domain: string
  /** Local parts of its accounts; the password of each is 'secret of ' and its address. */
  readonly accounts: readonly string[]
  /** Local part to addresses, here or elsewhere. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>
  readonly config?: Config
  /** How many nodes share its store; one if not given. */
  readonly nodes?: number
  /** How often its workers look where nothing is known to be due. */
  readonly pollMs?: number
}

const PORTS: Readonly<Record<Exclude<ServedName, 'local' | 'inetd'>, number>> = {
  smtp: 25,
  submission: 587,
  submissions: 465,
  lmtp: 24,
  odmr: 366,
  pop3: 110,
  pop3s: 995,
  imap: 143,
  imaps: 993,
  mtqp: 1038,
}

/** LMTP is there by a Unix socket too. */
export const LMTP_SOCKET = '/run/lmtp.sock'

/** Nothing in the town may hang on polling: what is due must be known. */
const POLL_MS = 12 * 3_600_000
const SWEEP_MS = 24 * 3_600_000
/** How long a machine that has crashed takes to be back. */
export const REBOOT_MS = 20_000

export interface Crash {
  readonly at: number
  readonly commit: number | undefined
}

export class MailServer {
  readonly plan: ServerPlan
  readonly host: Host
  readonly ledger: Ledger
  /** Of all nodes of its domain. */
  readonly crashes: Crash[]
  /** Commits that were made to fail without a crash; after the commit, what failed is there. Likewise. */
  readonly failures: { readonly at: number; readonly after: boolean }[]
  /** Staged bodies that somebody has spoilt. */
  readonly spoilt: Set<string>
  house!: House
  /** Asks for mail that others keep for this server. */
  fetcher!: Fetcher
  /** Asked at each commit of a running town (memory.ts); undefined is none. */
  faultAt: ((commit: number) => MemoryFault | undefined) | undefined
  /** Asked at each write of a node that shares its store: what happens to that node alone. */
  writeFaultAt: ((write: number) => MemoryFault | undefined) | undefined
  /** False leaves the machine down after a crash. */
  reboots = true
  readonly #internet: Internet
  readonly #keeper: Host
  readonly #settings: Settings
  #store!: MemoryStore
  /** The node whose store it is, where it is not ours alone. */
  readonly #beside: MailServer | undefined
  #seat: Seat | undefined
  /** Commits before the town was opened: they belong to nobody's journey. */
  #before = 0
  /** Of a node that shares its store, over all lives, since somebody asks. */
  #writes = 0
  #up = true
  #sessions: Sessions | undefined

  /** @param n which of its domain's nodes it is; `beside` is the first of them */
  constructor(
    { internet, keeper, ledger }: { internet: Internet; keeper: Host; ledger: Ledger },
    plan: ServerPlan,
    address: string,
    { n, beside }: { n: number; beside?: MailServer } = { n: 0 },
  ) {
    this.plan = plan
    this.#internet = internet
    this.#keeper = keeper
    this.#beside = beside
    this.ledger = ledger
    this.crashes = beside?.crashes ?? []
    this.failures = beside?.failures ?? []
    this.spoilt = beside?.spoilt ?? new Set()
    const name = nameOf(plan.domain, n)
    const disk = beside === undefined ? {} : { disk: beside.host.disk }
    this.host = internet.host({ name, addresses: [address], ...disk })
    const mx = Array.from({ length: n + 1 }, (_, i) => [10, nameOf(plan.domain, i)] as const)
    internet.zones.set(plan.domain, { mx })
    this.#settings = settingsSchema.parse({ hostname: name, ...plan.config })
  }

  get name(): string {
    return this.host.name
  }

  /** Commits since the town was opened that changed something, over all lives. */
  get commits(): number {
    return this.store.changes - this.#before
  }

  /** Builds the first life, with its domain, accounts and aliases. */
  async open(): Promise<void> {
    if (this.#beside !== undefined) {
      await this.#build()
      await this.#serve()
      return
    }
    this.#store = await openMemoryStore({
      // A database that several share is a machine of its own, with a clock of its own.
      now: () => (this.isShared ? this.#internet.now : this.host.world.clock.now()),
      faultAt: commit => this.#faultAt(commit - this.#before),
      committed: (tx, commit) => this.ledger.look(tx, commit - this.#before),
      stopped: () => this.#crashed(this.commits),
    })
    await this.#build()
    const { accounts } = this.house.accounts
    const { domain, accounts: names, aliases = {} } = this.plan
    granted(await accounts.addDomain(domain))
    const { auth, listeners } = this.plan.config ?? {}
    const rules = JSON.stringify([auth, listeners])
    for (const name of names) await settle(this.house, `${name}@${domain}`, rules)
    for (const [name, targets] of Object.entries(aliases)) {
      granted(await accounts.addAlias(`${name}@${domain}`, targets))
    }
    await this.house.domains.refresh()
    this.#before = this.#store.changes
    this.ledger.begin()
    await this.#serve()
  }

  /** False from a crash until the next life begins. */
  get isUp(): boolean {
    return this.#up
  }

  /** The machine stops: whatever was not committed or sealed is gone. It comes back by itself. */
  crash(): void {
    this.#crashed(undefined)
  }

  /** Starts a machine that was to stay down. */
  wakeUp(): void {
    this.reboots = true
    if (!this.#up) void this.restart().catch(() => this.crash())
  }

  /** An orderly stop, as SIGTERM makes it: listeners last, so that it is the harder case. */
  async stop(): Promise<void> {
    const { house } = this
    await this.#sessions?.shutdown(10_000)
    await house.worker.stop(15_000)
    if (this.#up && house === this.house) this.crash()
  }

  /** The machine starts again, on the same store and disk. */
  async restart(): Promise<void> {
    this.host.restart()
    this.#up = true
    if (!this.isShared) this.#store = await this.#store.restart()
    await this.#build()
    await this.#serve()
  }

  /** Every broken invariant of store and disk. */
  async findings(): Promise<readonly Finding[]> {
    const staged: StagedFile[] = []
    for await (const file of this.house.world.disk.list()) staged.push(file)
    return this.store.check(staged)
  }

  get store(): MemoryStore {
    return this.#beside?.store ?? this.#store
  }

  /** Whether other nodes have the same store. */
  get isShared(): boolean {
    return (this.plan.nodes ?? 1) > 1
  }

  /** The store as this life of this node has it, where it shares one. */
  get seat(): Seat | undefined {
    return this.#seat
  }

  #view(): Store {
    if (!this.isShared) return this.#store
    const { host } = this
    this.#seat = new Seat(this.store, host.world.clock, {
      slot: this.#beside === undefined ? 0 : 1,
      faultAt: () => this.writeFaultAt?.(++this.#writes),
      stopped: () => this.#crashed(undefined),
      failed: after => this.failures.push({ at: this.#internet.now, after }),
    })
    return this.#seat
  }

  #faultAt(commit: number): MemoryFault | undefined {
    const fault = commit > 0 ? this.faultAt?.(commit) : undefined
    if (fault && fault.how !== 'crash') {
      this.failures.push({ at: this.#internet.now, after: fault.at === 'after commit' })
    }
    return fault
  }

  #crashed(commit: number | undefined): void {
    this.crashes.push({ at: this.#internet.now, commit })
    this.#up = false
    this.host.crash()
    if (this.isShared) this.#seat?.crash()
    else this.#store.crash()
    this.ledger.note('the machine stops')
    if (!this.reboots) return
    const { clock } = this.#keeper.world
    // A start that fails ends the process, and whoever started it starts it again.
    clock.after(REBOOT_MS, () => void this.restart().catch(() => this.crash()))
  }

  async #build(): Promise<void> {
    const store = this.#view()
    const { world } = this.host
    // As a real server has it where its nodes share a PostgreSQL.
    const placed = this.isShared
      ? { ...this.#settings, database: 'postgres://town' }
      : this.#settings
    this.house = await buildHouse({
      world: { ...world, disk: await bodyDisk(placed, world, store) },
      store,
      settings: () => this.#settings,
      hooks: () => undefined,
      identity: simIdentity([this.name]),
      // A certificate is its name there (world/sim/tls.ts).
      pem: file => file,
      ourAddresses: () => this.host.addresses,
      hashCost: cheapHashCost,
      pollMs: this.plan.pollMs ?? POLL_MS,
    })
  }

  async #serve(): Promise<void> {
    const { house } = this
    const { net } = house.world
    await house.worker.start()
    this.#sweepRegularly(house)
    const sessions = new Sessions(house)
    this.#sessions = sessions
    this.fetcher = new Fetcher(house, connection => sessions.receive(connection))
    for (const [name, port] of Object.entries(PORTS)) {
      await net.listen({ kind: 'tcp', address: '0.0.0.0', port }, connection => {
        void sessions.serve(name as ServedName, connection)
      })
    }
    await net.listen({ kind: 'unix', path: LMTP_SOCKET, mode: 0o660 }, connection => {
      void sessions.serve('lmtp', connection)
    })
  }

  #sweepRegularly({ store, world: { disk, clock, log } }: House): void {
    const clean = async () => {
      await sweepTransfers(store, disk, { keepMs: SWEEP_MS, rememberMs: 7 * SWEEP_MS })
      await sweep({ store, disk, clock })
      await forgetOld(store, clock.now())
      await sweepReadings(store)
    }
    const once = () => {
      clean().then(
        () => clock.after(SWEEP_MS, once),
        (error: unknown) => {
          log.error('sweep', { error: String(error) })
          clock.after(SWEEP_MS, once)
        },
      )
    }
    once()
  }
}

function nameOf(domain: string, n: number): string {
  return n === 0 ? `mx.${domain}` : `mx${n + 1}.${domain}`
}
