/**
 * Opens every listener of the settings. Sockets are bound first, before privileges are dropped;
 * connections that come in the meantime are held and served when the house stands.
 */
import type { Connection, ListenAddress, Listening, Net } from '../world/net.ts'
import type { ServedName, Sessions } from './serve.ts'
import { MAIL_LISTENERS } from './settings/listener-name.ts'
import type { Settings } from './settings/settings.ts'

/** A socket the service manager opened for us, by the listener's name. */
export interface Inherited {
  readonly fd: number
  readonly name: string
}

export class Listeners {
  readonly #net: Net
  readonly #open = new Map<ServedName, Listening>()
  #sessions: Sessions | undefined
  #held: { readonly name: ServedName; readonly connection: Connection }[] = []

  constructor(net: Net) {
    this.#net = net
  }

  /** Binds the TCP listeners; rejects with a line that names the listener and the setting. */
  async bind(settings: Settings, inherited: readonly Inherited[]): Promise<void> {
    for (const name of MAIL_LISTENERS) {
      const listener = settings.listeners[name]
      if (!listener.enabled || ('path' in listener && listener.path)) continue
      const passed = inherited.find(socket => socket.name === name)
      const where: ListenAddress = passed
        ? { kind: 'inherited', fd: passed.fd }
        : { kind: 'tcp', address: listener.address, port: listener.port }
      await this.#listen(name, where)
    }
  }

  /** Binds the Unix sockets: in the data folder, hence only once that is locked. */
  async bindLocal(settings: Settings): Promise<void> {
    const { local, lmtp, inetd } = settings.listeners
    // Any user of the machine may hand in mail; LMTP is for who may open it by group.
    if (local.enabled) await this.#listen('local', { kind: 'unix', path: local.path, mode: 0o666 })
    if (inetd.enabled) await this.#listen('inetd', { kind: 'unix', path: inetd.path, mode: 0o600 })
    if (lmtp.enabled && lmtp.path) {
      await this.#listen('lmtp', { kind: 'unix', path: lmtp.path, mode: 0o660 })
    }
  }

  /** From now on connections are served, those held first. */
  serve(sessions: Sessions): void {
    this.#sessions = sessions
    for (const { name, connection } of this.#held) void sessions.serve(name, connection)
    this.#held = []
  }

  /** The TCP port of each listener, or the path of a Unix socket. */
  places(): Record<string, number | string> {
    const entries = [...this.#open].map(([name, { local }]) => [name, local.port || local.address])
    return Object.fromEntries(entries) as Record<string, number | string>
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(listening => listening.close()))
  }

  async #listen(name: ServedName, where: ListenAddress): Promise<void> {
    const accept = (connection: Connection) => this.#accept(name, connection)
    try {
      this.#open.set(name, await this.#net.listen(where, accept))
    } catch (error) {
      // A machine without IPv6 has no `::`; every address of it is an IPv4 one.
      if (where.kind === 'tcp' && where.address === '::' && isUnsupported(error)) {
        await this.#listen(name, { ...where, address: '0.0.0.0' })
        return
      }
      throw cannotListen(name, where, error)
    }
  }

  #accept(name: ServedName, connection: Connection): void {
    if (this.#sessions) void this.#sessions.serve(name, connection)
    else this.#held.push({ name, connection })
  }
}

/** Which listener it was, where, and what can be done. */
export function cannotListen(name: string, where: ListenAddress, error: unknown): Error {
  const place =
    where.kind === 'tcp'
      ? `${where.address} port ${where.port}`
      : `'${'path' in where ? where.path : where.fd}'`
  // Node names the place a second time.
  const reason = (error instanceof Error ? error.message : String(error)).replace(/ \S+:\d+$/, '')
  return new Error(`listeners.${name}: cannot listen on ${place}: ${reason}${remedyFor(error)}`)
}

/** What an operator can do about an address that cannot be had. */
function remedyFor(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return '; stop what listens there, or set another port'
  if (code === 'EACCES') {
    return '; start as root with `user` set, give it CAP_NET_BIND_SERVICE, or set a port from 1024'
  }
  return ''
}

function isUnsupported(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL'
}
