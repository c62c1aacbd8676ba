/**
 * An SMTP or LMTP server for a TypeScript program: our session and pump behind a function that
 * takes each message. It keeps nothing: whoever answers with accept has the message. For
 * the whole mail system see server/start.ts.
 */
import type { SessionSettings } from '../smtp/server/question.ts'
import { roleOf } from '../smtp/server/role.ts'
import { ServerSession } from '../smtp/server/session.ts'
import type { Log } from '../world/log.ts'
import type { Connection, Listening, ServerIdentity } from '../world/net.ts'
import { loadIdentity, nodeClock, nodeLog, nodeNet, nodeRandom } from '../world/node/index.ts'
import { type Pumping, pump } from '../world/pump.ts'
import { type Takers, Taking } from './taking.ts'

export interface CreateServerOptions extends Takers {
  /** What the session allows; the defaults are those of a small private server. */
  readonly settings?: Partial<Omit<SessionSettings, 'chance' | 'now'>>
  /** PEM files, read once: offers STARTTLS, or TLS from the first octet with `implicitTls`. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** In place of `tls`: the secure context of the moment. */
  readonly identity?: ServerIdentity
  readonly implicitTls?: boolean
}

export interface EmbeddedServer {
  /** Listens, on loopback unless said; port 0 picks a free one. Resolves with the port, rejects with the system's error (EADDRINUSE). */
  listen(port?: number, address?: string): Promise<number>
  /** Stops listening and tells every session 421, once the message that it is at has its answer. */
  close(): Promise<void>
}

const DEFAULTS: Omit<SessionSettings, 'chance' | 'now' | 'startTls'> = {
  hostname: 'localhost',
  protocol: 'smtp',
  banner: 'Postrider',
  sizeMaxBytes: 25 * 1024 * 1024,
  recipientsMax: 1000,
  recipientDomainsMax: 0,
  bareLineEnds: 'refuse',
  mechanisms: [],
  requireAuth: false,
  service: 'mx',
  with: [],
  without: [],
  xclientFrom: [],
  xforwardFrom: [],
  errorsMax: 20,
  transactionsMax: 10_000,
  commandTimeoutMs: 300_000,
  dataTimeoutMs: 180_000,
  deliverByMinS: 0,
  holdMaxS: 0,
  priorityMax: 0,
  unwanted: [],
}

/** Makes a server; it does nothing before `listen`. Throws where a certificate cannot be used. */
export function createServer(options: CreateServerOptions): EmbeddedServer {
  const log = nodeLog({ level: 'error' })
  const identity = options.identity ?? (options.tls && identityOf(options.tls, log))
  const running = new Set<Pumping<{ readonly kind: 'shutdown' }>>()
  const listening: Listening[] = []
  const settings: SessionSettings = {
    ...DEFAULTS,
    startTls: identity !== undefined && options.implicitTls !== true,
    ...options.settings,
    chance: octets => nodeRandom.octets(octets),
    now: () => nodeClock.now(),
  }

  async function serve(connection: Connection): Promise<void> {
    const tls = () => ({ side: 'server' as const, identity: identity as ServerIdentity })
    if (options.implicitTls) await connection.secure(tls())
    const ends = { remote: connection.remote, local: connection.local }
    const one = pump({
      connection,
      clock: nodeClock,
      log,
      identity: tls,
      role: roleOf(new Taking(options, log)),
      session: sink => new ServerSession(sink, settings, ends, connection.tls),
    })
    running.add(one)
    await one.closed
    running.delete(one)
  }

  return {
    async listen(port = 0, address = '127.0.0.1') {
      const opened = await nodeNet.listen({ kind: 'tcp', address, port }, connection => {
        serve(connection).catch(() => connection.destroy())
      })
      listening.push(opened)
      return opened.local.port
    },
    async close() {
      await Promise.all(listening.map(each => each.close()))
      const all = [...running]
      for (const one of all) one.tell({ kind: 'shutdown' })
      await Promise.all(all.map(one => one.closed))
    },
  }
}

function identityOf(
  { certificate: certFile, key: keyFile }: NonNullable<CreateServerOptions['tls']>,
  log: Log,
): ServerIdentity {
  return loadIdentity({ certFile, keyFile }, log)
}
