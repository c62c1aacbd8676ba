/**
 * Serves one connection of one listener: picks the protocol, the role behind it and what it allows,
 * and starts the pump. The one place where a listener's name becomes a session.
 */
import { imapRole } from '../access/imap.ts'
import { TrackingPolicy } from '../access/mtqp.ts'
import { pop3Role } from '../access/pop3.ts'
import type { Answer as ImapAnswer, ServerEvent as ImapEvent } from '../imap/server/question.ts'
import { ServerSession as ImapSession } from '../imap/server/session.ts'
import type { AcceptGauge } from '../inbound/door.ts'
import { localRole } from '../inbound/local.ts'
import { mxRole } from '../inbound/mx.ts'
import { odmrRole } from '../inbound/odmr.ts'
import { Reception } from '../inbound/reception.ts'
import type { Role } from '../inbound/role.ts'
import { submissionRole } from '../inbound/submission.ts'
import type { Guest, Visit } from '../limit/visit.ts'
import { roleOf as trackingRole } from '../mtqp/server/role.ts'
import { ServerSession as MtqpSession } from '../mtqp/server/session.ts'
import type { Answer as PopAnswer } from '../pop3/server/question.ts'
import { ServerSession as PopSession } from '../pop3/server/session.ts'
import type { LoginQuestion } from '../sasl/mechanism.ts'
import { roleOf } from '../smtp/server/role.ts'
import { ServerSession } from '../smtp/server/session.ts'
import type { Endpoint, Noted, Role as PumpRole } from '../wire/effect.ts'
import { isWithin, type Network, parseNetwork } from '../wire/network.ts'
import type { Connection, SecureOptions } from '../world/net.ts'
import { DeflatedConnection } from '../world/node/deflated.ts'
import { behindProxy } from '../world/proxied.ts'
import { type Pumping, pump } from '../world/pump.ts'
import { isSasl, mechanismsOf } from './auth.ts'
import type { House } from './house.ts'
import { imapSettings } from './imap-settings.ts'
import { floorOf } from './least-speed.ts'
import { doorOf } from './listener-door.ts'
import { scheduleOf } from './schedules.ts'
import { isImplicitTls, type MailName, type SmtpName } from './settings/listener-name.ts'
import type { ListenerName, Settings } from './settings/settings.ts'
import { type SmtpDialect, smtpSettings } from './smtp-dialect.ts'

/** 'inetd' is where strangers of the MX listener are handed over by others. */
export type ServedName = SmtpName | MailName | 'inetd'

/** How long a trusted proxy may take for its header: time for one lost packet to be sent again. */
const PROXY_MS = 5_000

/** What every session may be told. */
type SessionEvent =
  | { readonly kind: 'shutdown'; readonly last?: true }
  | { readonly kind: 'dismissed'; readonly why: string }

/** A provider whom we have asked for our mail is welcome from wherever he is. */
const ANYBODY = ['0.0.0.0/0', '::/0'].map(parseNetwork).filter(each => each !== undefined)

const NOBODY: readonly Network[] = []

/** One session, as its visit and its pump know it: one object for each of thousands, where closures and promises were ten. */
class Standing implements Guest {
  readonly #sessions: Pick<Sessions, 'ended'>
  visit: Visit | undefined
  running: Pumping<SessionEvent> | undefined
  over = false

  constructor(sessions: Pick<Sessions, 'ended'>) {
    this.#sessions = sessions
  }

  dismiss(why: string): void {
    this.running?.tell({ kind: 'dismissed', why })
  }

  gone(): void {
    this.over = true
    this.#sessions.ended(this)
  }
}

/** How long a peer has at least to hang up, once a shutdown has told it to. */
const FAREWELL_MS = 1_000

/** The sessions that stand, so that a shutdown can tell them. */
export class Sessions {
  readonly #house: House
  readonly #standing = new Set<Standing>()
  readonly #gauge: AcceptGauge = { underWay: 0 }
  readonly #roles: Readonly<Record<SmtpName, Role>>
  readonly #dialects = new Map<SmtpName, SmtpDialect>()
  readonly #identities = new Map<ListenerName, () => SecureOptions>()

  constructor(house: House) {
    this.#house = house
    const submission = submissionRole(house.inbound)
    const mx = mxRole(house.inbound)
    const local = localRole(house.inbound)
    this.#roles = { smtp: mx, lmtp: mx, submission, submissions: submission, local, odmr: odmrRole }
  }

  get count(): number {
    return this.#standing.size
  }

  /** Takes a connection over; never rejects. */
  async serve(name: ServedName, accepted: Connection): Promise<void> {
    const { metrics, world, visits } = this.#house
    const connection = await this.#clientOf(name, accepted)
    if (connection === undefined) return
    const { address } = connection.remote
    metrics.connection(name)
    const standing = new Standing(this)
    const visit = visits.begin(
      address,
      this.#trusted(name, connection.remote, accepted.remote),
      standing,
    )
    standing.visit = visit
    try {
      if (isImplicitTls(name)) {
        if (visit.admission().kind === 'turned') {
          visits.end(visit)
          return connection.destroy()
        }
        await connection.secure(this.#tls(name))
      }
      standing.running = this.#start(name === 'inetd' ? 'smtp' : name, connection, visit, standing)
    } catch (error) {
      visits.end(visit)
      world.log.debug('tls.failed', { listener: name, remote: address, error: String(error) })
      return
    }
    if (!standing.over) this.#standing.add(standing)
  }

  ended(standing: Standing): void {
    this.#standing.delete(standing)
    if (standing.visit !== undefined) this.#house.visits.end(standing.visit)
  }

  /**
   * A provider's connection of our own making, on which the roles have changed: he sends now what he has
   * kept for us (RFC 2645 §5.3). Resolves when it is gone.
   */
  async receive(connection: Connection): Promise<void> {
    const standing = new Standing(this)
    const visit = this.#house.visits.begin(connection.remote.address, ANYBODY, {
      dismiss: () => undefined,
    })
    standing.visit = visit
    const running = this.#start('smtp', connection, visit, standing)
    standing.running = running
    if (!standing.over) this.#standing.add(standing)
    await running.closed
  }

  /** Peers that speak for others at a listener: what one of them does is not his own doing. */
  #trusted(name: ServedName, client: Endpoint, peer: Endpoint): readonly Network[] {
    const listener = this.#house.settings().listeners[name]
    const speaksForItself = client.address === peer.address && 'proxyProtocol' in listener
    const proxies = speaksForItself ? listener.proxyProtocol : []
    const tellers = 'xclient' in listener ? listener.xclient : []
    return proxies.length + tellers.length === 0 ? NOBODY : [...proxies, ...tellers]
  }

  /**
   * Tells every session that we are going (421, -ERR); resolves when all is said, or after the grace, when who is in
   * the middle of a transaction hears it too (RFC 5321 §3.8). Who has heard it and does not hang up keeps nobody waiting.
   */
  async shutdown(graceMs: number): Promise<void> {
    const { clock } = this.#house.world
    const all = [...this.#standing].flatMap(({ running }) => running ?? [])
    for (const running of all) running.tell({ kind: 'shutdown' })
    const gone = Promise.all(all.map(running => running.closed))
    const turn = () => new Promise<void>(resolve => clock.after(FAREWELL_MS, resolve))
    const end = clock.monotonic() + graceMs
    do await Promise.race([gone, turn()])
    while (clock.monotonic() < end && all.some(running => !running.parting))
    for (const { running } of this.#standing) {
      running?.tell({ kind: 'shutdown', last: true })
      running?.close()
    }
  }

  /**
   * The client's own connection: behind the PROXY header where the peer is a proxy we trust. From
   * anybody else such a header is never looked for.
   */
  async #clientOf(name: ServedName, connection: Connection): Promise<Connection | undefined> {
    const { world, settings } = this.#house
    const listener = settings().listeners[name]
    const proxies = 'proxyProtocol' in listener ? listener.proxyProtocol : []
    const { address } = connection.remote
    if (name !== 'inetd' && !isWithin(address, proxies)) return connection
    const behind = await behindProxy(connection, world.clock, PROXY_MS)
    if (!('fault' in behind)) return behind
    world.log.info('proxy.refused', { listener: name, remote: address, reason: behind.fault })
    return undefined
  }

  /** One function for all sessions of a listener. */
  #identityOf(name: ListenerName): () => SecureOptions {
    const known = this.#identities.get(name)
    if (known !== undefined) return known
    const made = () => this.#tls(name)
    this.#identities.set(name, made)
    return made
  }

  #tls(name: ListenerName): SecureOptions {
    const { identity, pem, settings } = this.#house
    const listener = settings().listeners[name]
    const asked = 'clientCertificates' in listener ? listener.clientCertificates : undefined
    if (asked === undefined) return { side: 'server', identity }
    const clients = { roots: pem(asked.roots), required: asked.required }
    return { side: 'server', identity, clients }
  }

  #start(
    name: Exclude<ServedName, 'inetd'>,
    connection: Connection,
    visit: Visit,
    owner: Standing,
  ): Pumping<SessionEvent> {
    const { world } = this.#house
    const identity = this.#identityOf(name)
    const { limits } = this.#house.settings()
    const base = {
      connection,
      clock: world.clock,
      log: world.log,
      identity,
      owner,
      ...floorOf(limits),
    }
    const noted = (what: Noted) => visit.noted(what)
    const ends = { remote: connection.remote, local: connection.local }
    if (name === 'pop3' || name === 'pop3s') {
      const settings = popSettings(this.#house, name)
      return pump({
        ...base,
        role: admitted(pop3Role(this.#popAccess(visit), ends), visit, POP3_TURNED),
        session: sink => new PopSession(sink, settings, peerOf(connection)),
      })
    }
    if (name === 'imap' || name === 'imaps') return this.#startImap(name, connection, visit, owner)
    if (name === 'mtqp') {
      const policy = new TrackingPolicy(this.#trackingAccess(), visit)
      const settings = mtqpSettings(this.#house)
      return pump({
        ...base,
        role: { ...trackingRole(policy), noted },
        session: sink => new MtqpSession(sink, settings, peerOf(connection)),
      })
    }
    const { settings, door } = this.#dialectOf(name)
    const policy = new Reception(this.#house.inbound, this.#roles[name], {
      ...door,
      visitor: visit,
    })
    return pump({
      ...base,
      role: roleOf(policy, visit),
      handOver: given => this.#exchanged(policy, given),
      session: sink => new ServerSession(sink, settings, ends, connection.tls),
    })
  }

  /** What happens in the open mailbox is told to the session, which asks then. */
  #startImap(name: 'imap' | 'imaps', connection: Connection, visit: Visit, owner: Standing) {
    const { world } = this.#house
    const settings = imapSettings(this.#house, name)
    let running: Pumping<ImapEvent> | undefined
    const changed = () => running?.tell({ kind: 'changed' })
    const role = imapRole(this.#imapAccess(visit), connection, changed)
    running = pump({
      connection,
      clock: world.clock,
      log: world.log,
      identity: this.#identityOf(name),
      owner,
      ...floorOf(this.#house.settings().limits),
      role: admitted(role, visit, IMAP_TURNED),
      compress: plain => new DeflatedConnection(plain),
      session: sink => new ImapSession(sink, settings, peerOf(connection)),
    })
    return running
  }

  /** The roles have changed: from here on the customer is the server (RFC 2645 §5.3). */
  async #exchanged({ exchanged }: Reception, connection: Connection): Promise<void> {
    if (exchanged === undefined) connection.destroy()
    else await this.#house.onDemand.sendOver(connection, exchanged.peer, exchanged.domains)
  }

  /** One object for all sessions of an epoch: what a dialect costs is paid once (smtp/extension). */
  #dialectOf(name: SmtpName): SmtpDialect {
    const of = this.#house.settings()
    const known = this.#dialects.get(name)
    if (known?.of === of) return known
    const settings = smtpSettings(this.#house, name)
    const door = { ...doorOf(of, name, settings), gauge: this.#gauge }
    const made = { of, settings, door }
    this.#dialects.set(name, made)
    return made
  }

  #imapAccess(visit: Visit) {
    const { world, store, login, mailWatch, inbound, settings } = this.#house
    return {
      keeps: () => settings().undelete.keep > 0,
      quota: () => ({ octets: settings().quota.storage, messages: settings().quota.messages }),
      world,
      store,
      log: world.log,
      watch: mailWatch,
      identify: inbound.identify,
      inlineUpToOctets: () => settings().bodies.inlineUpTo,
      room: inbound.room,
      login: (question: LoginQuestion) => login(question, visit, 'imap'),
    }
  }

  #trackingAccess() {
    const { world, store, settings } = this.#house
    return {
      store,
      clock: world.clock,
      hostname: () => settings().hostname,
      expireMs: (address: string) => scheduleOf(settings(), address).expireMs,
    }
  }

  #popAccess(visit: Visit) {
    const { world, store, login, maildropLocks, settings } = this.#house
    return {
      world,
      store,
      maildropLocks,
      keeps: () => settings().undelete.keep > 0,
      log: world.log,
      login: (question: LoginQuestion) => login(question, visit, 'pop3'),
    }
  }
}

function peerOf({ remote, local, tls }: Connection) {
  return { remote, local, ...(tls ? { tls } : {}) }
}

function mtqpSettings({ settings, identity }: House) {
  const { hostname, listeners, limits } = settings()
  return {
    hostname,
    startTls: listeners.mtqp.startTls,
    isOurs: (domain: string) =>
      identity.covers?.(domain) ?? domain.toLowerCase() === hostname.toLowerCase(),
    idleTimeoutMs: limits.popTimeout,
    // Guesses at secrets are errors too: few are enough for a person's mistakes.
    errorsMax: Math.min(limits.errors, 10),
  }
}

function popSettings(house: House, name: 'pop3' | 'pop3s') {
  const settings: Settings = house.settings()
  return {
    hostname: settings.hostname,
    implementation: 'Postrider',
    startTls: name === 'pop3' && settings.listeners.pop3.startTls,
    plaintextAuth: name === 'pop3' && settings.listeners.pop3.plaintextAuth,
    mechanisms: mechanismsOf(house, name).filter(isSasl),
    apop: mechanismsOf(house, name).includes('APOP'),
    loginTimeoutMs: settings.limits.loginTime,
    idleTimeoutMs: settings.limits.popTimeout,
    errorsMax: settings.limits.errors,
    loginFailuresMax: settings.limits.loginFailuresPerSession,
    chance: (octets: number) => house.world.random.octets(octets),
  }
}

/** RFC 9051 §7.1.5 and RFC 5530; RFC 3206 §4: it is not for ever. */
const IMAP_TURNED = (why: string): ImapAnswer => ({ kind: 'no', code: 'UNAVAILABLE', why })
const POP3_TURNED = (why: string): PopAnswer => ({ kind: 'refused', code: 'SYS/TEMP', why })

/** A role that turns away whom the limits do not let in, and counts what the others do. */
function admitted<Q extends { readonly kind: string }, A>(
  role: PumpRole<Q, A>,
  visit: Visit,
  turned: (why: string) => A,
): PumpRole<Q, A> {
  return {
    ask(question) {
      const admission = question.kind === 'connect' ? visit.admission() : undefined
      return admission?.kind === 'turned' ? turned(admission.why) : role.ask(question)
    },
    failed: (question, error) => role.failed(question, error),
    content: (octets, from, to) => role.content?.(octets, from, to),
    noted: what => visit.noted(what),
    closed: () => role.closed?.(),
  }
}
