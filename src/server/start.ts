/**
 * Starts a Postrider in the real world and keeps it until it is told to go. The order matters:
 * settings, sockets and keys first, then privileges are dropped, then the data folder is locked and
 * opened, then the self-test, and only then is the first octet read.
 */
import { join, resolve } from 'node:path'
import { Node } from '../cluster/node.ts'
import { firstDamage } from '../store/check.ts'
import type { Log } from '../world/log.ts'
import { become, hostAddresses, onFaults, serverProcess } from '../world/node/host.ts'
import { nodeLog, nodeNet } from '../world/node/index.ts'
import { optimizeSooner } from '../world/node/optimize.ts'
import { descriptorLimit, inheritedSockets, onSignals } from '../world/node/process.ts'
import { forgetCompiled, MUCH_WORK, spareAtRest } from '../world/node/spare.ts'
import { keepSpareRoom } from '../world/node/spare-room.ts'
import { processLoad } from '../world/node/vitals.ts'
import { othersOf } from './authorities.ts'
import { CurrentEpoch } from './current-epoch.ts'
import type { DemoAccount } from './demo.ts'
import { type Doors, openDoors } from './doors.ts'
import type { EpochSource } from './epoch.ts'
import { ExitError, startFailure } from './exit-error.ts'
import { Fetcher } from './fetcher.ts'
import { DATABASE, type Folder, openFolder } from './folder.ts'
import { declare, furnish } from './furnish.ts'
import { buildHouse, type House } from './house.ts'
import { identityFiles, openIdentity, PemFiles } from './identity.ts'
import { Listeners } from './listeners.ts'
import { oneMore } from './one-more.ts'
import { readyJson, readyText } from './ready.ts'
import { Sessions } from './serve.ts'
import { DEMO_DOMAIN } from './settings/demo-domain.ts'
import type { Judge } from './settings/judge.ts'
import type { Settings } from './settings/settings.ts'
import { keepUp } from './upkeep.ts'
import { version } from './version.ts'

/** The flags of `postrider start`. */
export interface StartOptions extends EpochSource {
  /** Print one line of JSON when every listener accepts. */
  readonly json?: boolean
}

export interface Running {
  readonly house: House
  /** Stops gracefully: no new connections, sessions told, loads finished, leases given back. */
  stop(): Promise<void>
}

const SESSION_GRACE_MS = 10_000
const JOB_GRACE_MS = 15_000
const DESCRIPTORS_MIN = 64

/** What has begun before a start itself, so that nothing waits for it. */
export interface Begun {
  /** Who has begun to wait for the config. */
  readonly judge?: Judge | undefined
  /** Whether a SIGHUP has come meanwhile: the config may have been read before it was changed. */
  readonly hungUp?: (() => boolean) | undefined
}

/** Starts; resolves when every listener accepts. Rejects with ExitError. */
export async function start(options: StartOptions, begun: Begun = {}): Promise<Running> {
  forgetCompiled()
  refuseFewDescriptors()
  const current = await CurrentEpoch.first(options, begun.judge)
  const { settings, hooks } = current
  const log = nodeLog({ level: settings().log.level })
  for (const warning of current.epoch.warnings) log.warn('config', { warning })
  const user = become(settings().user, settings().data, options.demo === true)
  if ('refused' in user) throw new ExitError(user.exit, user.refused)
  if (user.asRoot) log.warn('root', { warning: 'serving as root: for tests and demos only' })

  const listeners = new Listeners(nodeNet)
  await listeners.bind(settings(), inheritedSockets()).catch(startFailure(69))
  const identity = await openIdentity(settings(), log, user.own)
  const pems = new PemFiles(log)
  await pems.readAll(settings())
  user.drop()

  const folder = await openSoundFolder(settings(), log)
  const { world, store } = folder
  const house = await buildHouse({
    ...{ world, store, settings, hooks, identity },
    pem: file => pems.read(file),
    ourAddresses: hostAddresses,
    vitals: processLoad,
    others: await othersOf(settings, hooks, world),
  })
  const accounts = await furnish(house, options.demo === true)

  await listeners.bindLocal(settings()).catch(startFailure(69))
  const node = nodeOf(house, () => current.epoch.shared)
  const sessions = new Sessions(house)
  const fetcher = new Fetcher(house, connection => sessions.receive(connection))
  const facts = { epochHash: () => current.epoch.hash, draining: () => node.draining, fetcher }
  const doors = await openDoors(house, listeners, facts)
  await node.enter().catch(startFailure(74))
  await house.worker.start()
  keepRoom(house)
  const endUpkeep = keepUp(house, fetcher, () => keepFiles(house, identity, pems))
  listeners.serve(sessions)
  const endSparing = spareAtRest(() => isAtWork(house))

  /** The order of a stop is that of a start, backwards; /ready says meanwhile that we are going. */
  const stop = async () => {
    log.info('stopping')
    node.drain()
    endUpkeep()
    endSparing()
    await listeners.close()
    await sessions.shutdown(SESSION_GRACE_MS)
    await house.worker.stop(JOB_GRACE_MS)
    await Promise.all([node.leave(), doors.close()])
    current.close()
    await folder.close()
    log.info('stopped')
  }
  const reload = async () => {
    identity.refresh()
    if (!(await current.next(log, next => pems.readAll(next).then(() => declare(house, next)))))
      return
    house.changed()
    node.changed()
  }
  obeySignals(house, stop, reload, begun.hungUp?.() === true)
  announce(options, house, doors, accounts)
  optimizeSooner()
  log.info('ready', { epoch: current.epoch.hash, listeners: doors.places() })
  return { house, stop }
}

/** With fewer its own files and threads leave none for a connection: it would be ready and serve nobody. */
function refuseFewDescriptors(): void {
  const allowed = descriptorLimit() ?? DESCRIPTORS_MIN
  if (allowed >= DESCRIPTORS_MIN) return
  const remedy = `at least ${DESCRIPTORS_MIN} are needed, and one more for each connection`
  throw new ExitError(71, `only ${allowed} descriptors are allowed (ulimit -n): ${remedy}`)
}

/** A damaged database is named before anything is written into it. */
async function openSoundFolder(settings: Settings, log: Log): Promise<Folder> {
  const { data } = settings
  const folder = await openFolder(settings, log).catch(startFailure(74))
  if (!folder) throw new ExitError(75, heldBy(data))
  const damage = await folder.store.read(firstDamage, null).catch(startFailure(74))
  if (damage === undefined) return folder
  const remedy = "It was left as it is; look with 'postrider check', restore a backup."
  throw new ExitError(74, `${join(data, DATABASE)} is damaged: ${damage}. ${remedy}`)
}

/** Files beside the store: certificates that others renew, and our own for the next start. */
function keepFiles(house: House, ...renewed: readonly { refresh(): unknown }[]): void {
  for (const files of renewed) files.refresh()
  keepRoom(house)
}

/** Room on the disk for the next start; a database elsewhere needs none. */
function keepRoom({ store, settings }: House): void {
  const { data, limits } = settings()
  if (store.alone) void keepSpareRoom(data, limits.freeSpace)
}

/** This server's row among the nodes of its database. */
function nodeOf(house: House, epoch: () => string): Node {
  const { store, world, worker } = house
  const { pid, host, startedAt } = serverProcess
  const life = { id: worker.node, host, pid, startedAt, version: version() }
  const facts = () => ({ ...life, epoch: epoch() })
  return new Node({
    store,
    world,
    facts,
    shared: (nodes, rank) => worker.shape.limits.shared(nodes, rank),
  })
}

function heldBy(data: string): string {
  return `another server runs on ${data}: stop it first, or use another --data`
}

/** SIGHUP reloads; SIGTERM and SIGINT stop, the second one at once. Faults nobody caught are logged. */
function obeySignals(
  house: House,
  stop: () => Promise<void>,
  reload: () => Promise<void>,
  hungUp: boolean,
): void {
  const { log } = house.world
  const failed = (event: string) => (error: unknown) => log.error(event, { error: String(error) })
  let stopping = false
  const again = oneMore(() => reload().catch(failed('reload.refused')))
  const obey = () => {
    if (!stopping) again()
  }
  onSignals(['SIGHUP'], obey)
  if (hungUp) obey()
  onSignals(['SIGTERM', 'SIGINT'], () => {
    if (stopping) serverProcess.exit(130)
    stopping = true
    stop().then(
      () => serverProcess.exit(0),
      error => {
        failed('stop.failed')(error)
        serverProcess.exit(70)
      },
    )
  })
  onFaults((kind, error) => {
    log.error(kind, { error: error instanceof Error ? error.stack : String(error) })
  })
}

/** Tells the operator, or the script, where everything is. */
function announce(
  options: StartOptions,
  house: House,
  doors: Doors,
  accounts: readonly DemoAccount[],
): void {
  const settings = house.settings()
  const facts = {
    pid: serverProcess.pid,
    listeners: doors.places(),
    domain: options.demo ? DEMO_DOMAIN : settings.hostname,
    accounts,
    certificate: resolve(identityFiles(settings)[0].certFile),
    data: settings.data,
    demo: options.demo === true,
  }
  serverProcess.print(options.json ? readyJson(facts) : readyText(facts))
}

/** A crowd that is made to wait is no rest either: who logs in meanwhile would wait for the collection. */
function isAtWork({ store, visits }: House): boolean {
  return visits.crowd.stands || store.stats().jobs > MUCH_WORK
}
