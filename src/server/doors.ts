/** The faces of a running server beside its mail listeners: /metrics and the control socket. */
import { isLoopback } from '../limit/loopback.ts'
import { nextDueIn } from '../queue/reader.ts'
import { serverProcess } from '../world/node/host.ts'
import { type Fetch, listenHttp } from '../world/node/http.ts'
import { processVitals } from '../world/node/vitals.ts'
import type { World } from '../world/world.ts'
import { depths } from './depths.ts'
import { startFailure } from './exit-error.ts'
import type { Fetcher } from './fetcher.ts'
import type { House } from './house.ts'
import type { Watched } from './http.ts'
import { cannotListen, type Listeners } from './listeners.ts'
import { contextOf } from './operation/context.ts'
import { version } from './version.ts'

export interface Doors {
  /** The port or path of every listener, `http` among them. */
  places(): Record<string, number | string>
  close(): Promise<void>
}

/** What the faces tell beside the house: the hash of the config in force, and that we are going. */
export interface DoorFacts {
  readonly epochHash: () => string
  readonly draining: () => boolean
  readonly fetcher: Fetcher
}

/** How long the store may take to answer before we are not ready. */
const READY_MS = 2_000

export async function openDoors(
  house: House,
  listeners: Listeners,
  { epochHash, draining, fetcher }: DoorFacts,
): Promise<Doors> {
  const { http: where, control } = house.settings().listeners
  const vitals = processVitals()
  const waiting = depths(house.store, house.world.clock)
  const watched = {
    metrics: house.metrics,
    vitals: () => [...vitals(), ...waiting()],
    notReady: async () => (draining() ? 'draining' : (overloaded(house) ?? notReady(house))),
    degraded: () => degraded(house),
  }
  const place = { kind: 'tcp', address: where.address, port: where.port } as const
  const http = where.enabled
    ? await listenHttp(place, () => watch(house, watched))
        .catch(error => {
          throw cannotListen('http', place, error)
        })
        .catch(startFailure(69))
    : undefined
  const places = () => ({ ...listeners.places(), ...(http ? { http: http.local.port } : {}) })
  const { pid, startedAt } = serverProcess
  const facts = () => ({
    pid,
    version: version(),
    startedAt,
    epoch: epochHash(),
    listeners: places(),
  })
  const context = contextOf(house, { facts, fetcher })
  const socket = await listenHttp(
    { kind: 'unix', path: control.path, mode: 0o600 },
    async () => (await import('./control-app.ts')).controlApp(context).fetch,
  ).catch(startFailure(69))
  return {
    places,
    close: async () => {
      await Promise.all([http?.close(), socket.close()])
    },
  }
}

/** Loaded with the first request. Beyond loopback it goes by any name: those who reach it are told by it anyway. */
async function watch(house: House, watched: Omit<Watched, 'answersTo'>): Promise<Fetch> {
  const { httpApp, isOwnHost } = await import('./http.ts')
  const { hostname, listeners } = house.settings()
  const local = isLoopback(listeners.http.address)
  const answersTo = (host: string) => !local || isOwnHost(host, hostname)
  return httpApp({ ...watched, answersTo }).fetch
}

/** What there is too much of: a balancer is to send work to others. */
function overloaded({ load }: House): string | undefined {
  return load.causes.length === 0 ? undefined : `overloaded: ${load.causes.join(', ')}`
}

/** Ready is who can read its store, and soon: a network that is cut gives no answer at all. */
function notReady({ store, world }: House): Promise<string | undefined> {
  const read = store.read(nextDueIn, null)
  return troubleOf(read, world, 'the database does not answer')
}

/**
 * Where large bodies cannot be reached, mail that is small goes in and out as ever: to be taken out of a
 * balancer for it would stop that too, and on every node at once.
 */
function degraded({ world }: House): Promise<string | undefined> {
  const probe = world.disk.probe?.() ?? Promise.resolve()
  return troubleOf(probe, world, 'what keeps large bodies does not answer')
}

function troubleOf(
  attempt: Promise<unknown>,
  { clock }: World,
  silent: string,
): Promise<string | undefined> {
  const trouble = attempt.then(
    () => undefined,
    error => String(error),
  )
  return new Promise(resolve => {
    const late = clock.after(READY_MS, () => resolve(silent))
    void trouble.then(reason => {
      late.cancel()
      resolve(reason)
    })
  })
}
