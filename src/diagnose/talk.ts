/**
 * Speaks with one address, from the connect to QUIT, by the very session that carries mail (transport/hop.ts,
 * smtp/client). What came of it is judged by the steps in host/. Up to three connections: one to look; one without
 * TLS, where TLS fails and clear text may do; one to log in, which proves the server first. It ends within its time,
 * whatever the peer does.
 */
import type { Reply } from '../mail/status.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import type { HopFacts, Trouble } from '../smtp/client/question.ts'
import { timeouts } from '../smtp/client/state.ts'
import { type HopOptions, secureOptions, takeOver } from '../transport/hop.ts'
import type { Host } from '../transport/hosts.ts'
import { inTheClear, type TlsPolicy, tlsPolicy } from '../transport/tls-policy.ts'
import type { DisklessWorld } from '../world/world.ts'
import { type Connected, connectTo, secureNow } from './connecting.ts'
import { Transcript } from './transcript.ts'

/** How the connection is secured: by STARTTLS where it is offered, from the first octet, or not at all. */
export type TlsWish = 'starttls' | 'implicit' | 'never'

/** MAIL with one sender and RCPT for several recipients, as they stand on the wire. */
export interface Asking {
  /** What is to be learned by it: whether mail is taken, or whether it is carried for strangers. */
  readonly about: 'recipients' | 'relaying'
  readonly reversePath: string
  readonly forwardPaths: readonly string[]
}

export interface TalkOptions {
  readonly host: Host
  readonly port: number
  readonly tls: TlsWish
  /** What we call ourselves. */
  readonly hostname: string
  readonly asking: readonly Asking[]
  readonly login?: Credentials
  /** Further trusted roots, PEM. */
  readonly roots?: string
  /** Take any certificate, even for a login. */
  readonly anyCertificate?: boolean
  /** Fingerprints of which its certificate must have one before a password is given to it. */
  readonly pins?: readonly string[]
  readonly connectTimeoutMs: number
  readonly replyTimeoutMs: number
  /** For one connection from its greeting on. */
  readonly wholeTimeoutMs: number
}

export interface Asked extends Asking {
  readonly mail: Reply
  readonly recipients: readonly Reply[]
}

/** What came of one connection. */
export interface Visit {
  readonly facts?: HopFacts
  readonly trouble?: Trouble
  /** It took longer than `wholeTimeoutMs`. */
  readonly cutOff: boolean
}

export interface Talk {
  readonly transcript: Transcript
  readonly connect: Pick<Connected, 'tookMs' | 'fault'>
  /** Why the first handshake failed, in OpenSSL's words. */
  readonly tlsFault?: string
  /** The first connection. */
  readonly visit: Visit
  /** The one without TLS, where TLS failed. */
  readonly clearVisit?: Visit
  /** The one that logged in. */
  readonly loginVisit?: Visit
  readonly asked: readonly Asked[]
}

interface Gathering {
  readonly world: DisklessWorld
  readonly options: TalkOptions
  readonly transcript: Transcript
  connect: Talk['connect']
  tlsFault: string | undefined
  readonly asked: Asked[]
}

/** Never rejects. */
export async function talk(world: DisklessWorld, options: TalkOptions): Promise<Talk> {
  const transcript = new Transcript(world.clock)
  const gathering: Gathering = {
    world,
    options,
    transcript,
    connect: { tookMs: 0 },
    tlsFault: undefined,
    asked: [],
  }
  const policy = looking(options)
  const { login } = options
  const asking = login === undefined ? options.asking : []
  let clearVisit: Visit | undefined
  let visit = await once(gathering, policy, asking)
  if (visit.trouble?.phase === 'tls' && policy.clearInstead && !visit.cutOff) {
    transcript.note('once more, without TLS')
    clearVisit = await once(gathering, inTheClear(policy), asking)
    // What went wrong first stays what there is to tell of the first.
    visit = { ...visit, ...(clearVisit.facts && { facts: clearVisit.facts }) }
  }
  const loginVisit = login && visit.facts && (await loggedIn(gathering, login))
  const { connect, asked, tlsFault } = gathering
  return {
    transcript,
    connect,
    visit,
    asked,
    ...(tlsFault === undefined ? {} : { tlsFault }),
    ...(clearVisit && { clearVisit }),
    ...(loginVisit && { loginVisit }),
  }
}

/** Any certificate will do to look at: it is judged from what it says. */
function looking({ tls }: TalkOptions): TlsPolicy {
  const modes = { starttls: 'opportunistic', implicit: 'implicit', never: 'never' } as const
  return { ...tlsPolicy(modes[tls]), trust: 'opportunistic' }
}

/** A password is given to a server that is proven, or to this very machine. */
async function loggedIn(gathering: Gathering, login: Credentials): Promise<Visit> {
  const { options, transcript } = gathering
  const here = /^(?:127\.|::1$)/.test(options.host.address)
  const trusted = here || options.anyCertificate === true
  const policy = looking(options)
  transcript.note('once more, to log in')
  return once(
    gathering,
    {
      ...policy,
      startTls: policy.startTls === 'opportunistic' && !here ? 'require' : policy.startTls,
      trust: trusted ? 'opportunistic' : 'verify',
      plaintextLogin: here,
      clearInstead: false,
    },
    options.asking,
    login,
  )
}

/** One connection. */
async function once(
  gathering: Gathering,
  tls: TlsPolicy,
  asking: readonly Asking[],
  login?: Credentials,
): Promise<Visit> {
  const { world, options, transcript } = gathering
  const { clock } = world
  const hop = hopOptions(options, tls, transcript, login)
  transcript.begin()
  const { connection, ...connect } = await connectTo(world, options, transcript)
  gathering.connect = connect
  if (connection === undefined) return { cutOff: false }
  let cutOff = false
  const late = clock.after(options.wholeTimeoutMs, () => {
    cutOff = true
    transcript.note(`cut off after ${Math.round(options.wholeTimeoutMs / 1000)} s`)
    connection.destroy()
  })
  try {
    if (tls.implicit) {
      const fault = await secureNow(connection, secureOptions(hop), transcript)
      if (fault !== undefined) {
        gathering.tlsFault ??= fault
        return { cutOff, trouble: tlsTrouble(fault) }
      }
    }
    const opened = await takeOver(world, connection, hop)
    if (opened.kind === 'trouble') {
      if (login === undefined) noteHandshake(gathering, opened.trouble)
      return { cutOff, trouble: opened.trouble }
    }
    const { facts } = opened.hop
    const said = facts && { facts }
    for (const each of asking) {
      const answer = await opened.hop.probe({
        kind: 'probe',
        reversePath: each.reversePath,
        forwardPaths: each.forwardPaths,
      })
      if (answer.kind === 'trouble') return { cutOff, ...said, trouble: answer.trouble }
      gathering.asked.push({ ...each, mail: answer.mail, recipients: answer.recipients })
    }
    opened.hop.leave()
    await opened.hop.goodbye
    return { cutOff, ...said }
  } finally {
    late.cancel()
  }
}

function noteHandshake(gathering: Gathering, { phase, reply, reason }: Trouble): void {
  if (phase === 'tls' && reply === undefined) gathering.tlsFault ??= reason
}

function tlsTrouble(reason: string): Trouble {
  return { kind: 'deferred', phase: 'tls', status: '4.7.5', reason }
}

function hopOptions(
  options: TalkOptions,
  tls: TlsPolicy,
  transcript: Transcript,
  login: Credentials | undefined,
): HopOptions {
  const { host, port, hostname, connectTimeoutMs, replyTimeoutMs, roots, pins } = options
  return {
    host,
    port,
    hostname,
    protocol: 'smtp',
    tls,
    connectTimeoutMs,
    timeouts: timeouts(replyTimeoutMs),
    witness: event => transcript.witness(event),
    ...(roots === undefined ? {} : { roots }),
    ...(login === undefined ? {} : { login }),
    // To look at it any certificate will do.
    ...(pins !== undefined && tls.trust === 'verify' ? { pins } : {}),
  }
}
