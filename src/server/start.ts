/**
 * Starts a Postrider in the real world and keeps it until it is told to go. The order matters:
 * settings, sockets and keys first, then privileges are dropped, then the data folder is locked and
 * opened, then the self-test, and only then is the first octet read.
 */
import { join, resolve } from 'node:path'
import { nextDue } from '../queue/reader.ts'
import { openStore } from '../store/open.ts'
import { sweep } from '../store/sweep.ts'
import type { Listening } from '../world/net.ts'
import { pathExists } from '../world/node/config-file.ts'
import { listenHttp } from '../world/node/http.ts'
import {
  type FileIdentity,
  inheritedSockets,
  loadIdentity,
  nodeClock,
  nodeLog,
  nodeNet,
  nodeWorld,
  onSignals,
  writeSelfMadeCertificate,
} from '../world/node/index.ts'
import { lockDirectory } from '../world/node/lock.ts'
import { become, hostAddresses, onFaults, serverProcess } from '../world/node/server-process.ts'
import type { World } from '../world/world.ts'
import { BODIES, contextOf, controlApp, DATABASE } from './control.ts'
import { DEMO_DOMAIN, type DemoAccount, prepareDemo } from './demo.ts'
import { type Epoch, type EpochSource, loadEpoch } from './epoch.ts'
import { buildHouse, type House } from './house.ts'
import { httpApp } from './http.ts'
import { Listeners } from './listeners.ts'
import { readyJson, readyText } from './ready.ts'
import { STORE_MODULES } from './rooms.ts'
import { findOpenRelay } from './self-test.ts'
import { Sessions } from './serve.ts'
import type { Settings } from './settings.ts'
import { formatSettingError } from './settings-errors.ts'
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

/** A start that failed for a reason the operator can act on. */
export class StartError extends Error {
  /** One of sysexits: 78 config, 69 unavailable, 77 not allowed, 74 I/O. */
  readonly exit: number
  constructor(exit: number, message: string) {
    super(message)
    this.exit = exit
  }
}

const IDENTITY_CHECK_MS = 5_000
const UPKEEP_MS = 30_000
const SWEEP_MS = 3_600_000
const SESSION_GRACE_MS = 10_000
const JOB_GRACE_MS = 15_000

/** Starts; resolves when every listener accepts. Rejects with StartError. */
export async function start(options: StartOptions): Promise<Running> {
  let epoch = await firstEpoch(options)
  const settings = () => epoch.settings
  const log = nodeLog({ level: settings().log.level })
  for (const warning of epoch.warnings) log.warn('config', { warning })
  const user = become(settings().user, settings().data, options.demo === true)
  if ('refused' in user) throw new StartError(77, user.refused)
  if (user.asRoot)
    log.warn('root', { warning: 'serving as root: for tests and demos only; set `user`' })

  const listeners = new Listeners(nodeNet)
  await listeners.bind(settings(), inheritedSockets()).catch(fail(69))
  const identity = await openIdentity(settings(), log)
  user.drop()

  const { data } = settings()
  const lock = lockDirectory(data)
  if (lock.held)
    throw new StartError(75, `another server runs on ${data}: stop it first, or use another --data`)
  const { servers } = settings().dns
  const world: World = {
    ...(await nodeWorld({
      bodiesDirectory: join(data, BODIES),
      ...(servers ? { dns: { servers } } : {}),
    })),
    log,
  }
  const { clock } = world
  const store = await openStore({
    path: join(data, DATABASE),
    modules: STORE_MODULES,
    clock,
    log,
  }).catch(fail(74))
  const house = await buildHouse({
    world,
    store,
    settings,
    hooks: () => epoch.hooks,
    identity,
    ourAddresses: hostAddresses,
  })
  await declare(house, settings())
  const accounts = options.demo ? await prepareDemo(house.accounts.accounts, world.random) : []
  await house.domains.refresh()
  const relays = await findOpenRelay(house)
  if (relays.length > 0)
    throw new StartError(
      78,
      `self-test: this server would relay for strangers: ${relays.join(' ')}`,
    )

  await listeners.bindLocal(settings()).catch(fail(69))
  const sessions = new Sessions(house)
  const places = () => ({ ...listeners.places(), ...(http ? { http: http.local.port } : {}) })
  const http = await openHttp(house, settings()).catch(fail(69))
  const { pid, startedAt } = serverProcess
  const context = contextOf(house, {
    pid,
    version: version(),
    startedAt,
    get epoch() {
      return epoch.hash
    },
    get listeners() {
      return places()
    },
  })
  const control = await listenHttp(
    { kind: 'unix', path: settings().listeners.control.path, mode: 0o600 },
    controlApp(context).fetch,
  )
  await house.worker.start()
  const upkeep = keepUp(house, identity)
  listeners.serve(sessions)

  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= (async () => {
      log.info('stopping')
      upkeep.end()
      await listeners.close()
      await Promise.all([http?.close(), control.close()])
      await sessions.shutdown(SESSION_GRACE_MS)
      await house.worker.stop(JOB_GRACE_MS)
      epoch.hooks?.close()
      await store.close()
      lock.release()
      log.info('stopped')
    })()
    return stopping
  }
  const reload = async () => {
    identity.refresh()
    const next = await loadEpoch(options, { clock, log })
    if ('errors' in next) {
      log.error('reload.refused', { errors: next.errors.map(formatSettingError) })
      return
    }
    const old = epoch
    epoch = next
    old.hooks?.close()
    await declare(house, next.settings).catch((error: unknown) =>
      log.error('reload.declare', { error: String(error) }),
    )
    house.changed()
    log.info('reloaded', { epoch: next.hash, warnings: next.warnings })
  }
  onSignals(['SIGHUP'], () => void reload())
  onSignals(['SIGTERM', 'SIGINT'], () => {
    // The second one does not wait.
    if (stopping) serverProcess.exit(130)
    void stop().then(
      () => serverProcess.exit(0),
      (error: unknown) => {
        log.error('stop.failed', { error: String(error) })
        serverProcess.exit(70)
      },
    )
  })
  onFaults((kind, error) =>
    log.error(kind, { error: error instanceof Error ? error.stack : String(error) }),
  )

  announce(options, settings(), places(), accounts, identityFiles(settings()).certFile)
  log.info('ready', { epoch: epoch.hash, listeners: places() })
  return { house, stop }
}

async function firstEpoch(options: StartOptions): Promise<Epoch> {
  const result = await loadEpoch(options, { clock: nodeClock })
  if (!('errors' in result)) return result
  const lines = result.errors.map(error => `  ${formatSettingError(error)}`)
  throw new StartError(
    78,
    `the config has ${lines.length === 1 ? 'an error' : 'errors'}:\n${lines.join('\n')}`,
  )
}

function fail(exit: number): (error: unknown) => never {
  return error => {
    throw new StartError(exit, error instanceof Error ? error.message : String(error))
  }
}

/** The rows that the config file declares. */
async function declare(house: House, settings: Settings): Promise<void> {
  const declared = await house.accounts.accounts.declare({
    domains: settings.domains.map(d => (typeof d === 'string' ? { name: d } : d)),
    aliases: Object.entries(settings.aliases).map(([address, target]) => ({
      address,
      targets: typeof target === 'string' ? [target] : target,
    })),
  })
  if (declared.kind === 'refused')
    throw new StartError(78, `the config declares: ${declared.whys.join('; ')}`)
}

function identityFiles(settings: Settings) {
  return settings.tls
    ? { certFile: settings.tls.certificate, keyFile: settings.tls.key }
    : { certFile: join(settings.data, 'certificate.pem'), keyFile: join(settings.data, 'key.pem') }
}

async function openIdentity(settings: Settings, log: World['log']): Promise<FileIdentity> {
  const files = identityFiles(settings)
  if (!settings.tls && !pathExists(files.certFile)) {
    await writeSelfMadeCertificate(files, [settings.hostname, 'localhost', '127.0.0.1', '::1'])
  }
  try {
    return loadIdentity(files, log)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartError(78, `tls: cannot use ${files.certFile} with ${files.keyFile}: ${reason}`)
  }
}

async function openHttp(house: House, settings: Settings): Promise<Listening | undefined> {
  const { enabled, address, port } = settings.listeners.http
  if (!enabled) return undefined
  const app = httpApp({
    metrics: house.metrics,
    notReady: () =>
      house.store.read(nextDue, null).then(
        () => undefined,
        error => String(error),
      ),
  })
  return listenHttp({ kind: 'tcp', address, port }, app.fetch)
}

/** What is done now and then: certificates that changed, domains of other nodes, the sweep. */
function keepUp(house: House, identity: FileIdentity): { end(): void } {
  const { clock, log, disk } = house.world
  let ended = false
  const every = (ms: number, run: () => unknown) => {
    if (ended) return
    clock.after(ms, () => {
      Promise.resolve()
        .then(run)
        .catch((error: unknown) => log.error('upkeep', { error: String(error) }))
        .finally(() => every(ms, run))
    })
  }
  const clean = () =>
    sweep({ store: house.store, disk, clock, keepSettledMs: house.settings().queue.keepLedger })
  every(IDENTITY_CHECK_MS, () => identity.refresh())
  every(UPKEEP_MS, () => house.domains.refresh())
  every(SWEEP_MS, clean)
  clean().catch((error: unknown) => log.error('upkeep', { error: String(error) }))
  return {
    end: () => {
      ended = true
    },
  }
}

function announce(
  options: StartOptions,
  settings: Settings,
  listeners: Record<string, number | string>,
  accounts: readonly DemoAccount[],
  certFile: string,
): void {
  const facts = {
    pid: serverProcess.pid,
    listeners,
    domain: options.demo ? DEMO_DOMAIN : settings.hostname,
    accounts,
    certificate: resolve(certFile),
    data: settings.data,
    demo: options.demo === true,
  }
  serverProcess.print(options.json ? readyJson(facts) : readyText(facts))
}
