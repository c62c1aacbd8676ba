/**
 * Hands one message to a server and waits for its word: the client side of `send` and `sendmail`.
 * One connection, one transaction; what comes back is an outcome for each recipient, or the trouble
 * that kept the message from being offered at all. A probe asks whether one would be taken.
 */
import type { Outcome } from '../mail/outcome.ts'
import type { Reply } from '../mail/status.ts'
import type { Credentials } from '../sasl/mechanism.ts'
import type {
  Carry,
  ClientAnswer,
  ClientEvent,
  ClientQuestion,
  HopFacts,
  Probe,
  Trouble,
} from '../smtp/client/question.ts'
import { ClientSession } from '../smtp/client/session.ts'
import { timeouts } from '../smtp/client/state.ts'
import { type AsideStep, doAside } from '../world/aside.ts'
import { silent } from '../world/log.ts'
import type { Connection, SecureOptions } from '../world/net.ts'
import { nodeClock } from '../world/node/clock.ts'
import { nodeRandom } from '../world/node/random.ts'
import { nodeStretch } from '../world/node/stretch.ts'
import { pump } from '../world/pump.ts'
import { EXIT } from './exit.ts'

export interface Submitting {
  readonly connection: Connection
  /** Our name in EHLO. */
  readonly hostname: string
  readonly startTls: 'never' | 'opportunistic' | 'require'
  /** How the server's certificate is taken, should TLS be used. */
  readonly tls?: SecureOptions
  readonly login?: Credentials
  /** True where nobody can listen in: a Unix socket, loopback. */
  readonly trustedPlace: boolean
  readonly timeoutMs?: number
  /** Makes the message once the server has said who it is. */
  readonly carry: (facts: HopFacts) => Carry | Probe
}

export interface Submitted {
  /** In the order of the envelope's recipients; empty where nothing was offered. */
  readonly outcomes: readonly Outcome[]
  /** What was said to a probe: to MAIL, then to each recipient it came to. */
  readonly replies: readonly Reply[]
  readonly trouble?: Trouble
  readonly dialogue: string
}

/** Submits; never rejects. */
export function submit(submitting: Submitting): Promise<Submitted> {
  return new Promise(resolve => {
    let outcomes: readonly Outcome[] = []
    let replies: readonly Reply[] = []
    let trouble: Trouble | undefined
    let session: ClientSession | undefined
    let offered = false
    const heard = (question: ClientQuestion): ClientAnswer | Promise<ClientAnswer> => {
      if (question.kind === 'aside') return asideAnswer(question.step)
      if (question.kind === 'ready') {
        if (offered) return { kind: 'quit' }
        offered = true
        return submitting.carry(question.facts)
      }
      if (question.kind === 'outcomes') outcomes = question.outcomes
      if (question.kind === 'probed') replies = [question.mail, ...question.recipients]
      if ('trouble' in question) trouble ??= question.trouble
      return { kind: 'noted' }
    }
    pump<ClientQuestion, ClientAnswer, ClientEvent>({
      connection: submitting.connection,
      clock: nodeClock,
      log: silent,
      role: { ask: heard, failed: () => ({ kind: 'quit' }) },
      session: sink => {
        session = new ClientSession(settingsOf(submitting), sink)
        return session
      },
      ...(submitting.tls !== undefined && { identity: () => submitting.tls as SecureOptions }),
      onClosed: error => {
        if (outcomes.length + replies.length === 0 && trouble === undefined) {
          session?.tell({ kind: 'lost', why: error?.message ?? 'the connection was lost' })
        }
        const dialogue = session?.dialogue.text() ?? ''
        resolve({ outcomes, replies, dialogue, ...(trouble !== undefined && { trouble }) })
      },
    })
  })
}

async function asideAnswer(step: AsideStep): Promise<ClientAnswer> {
  return { kind: 'aside', answer: await doAside({ stretch: nodeStretch }, step) }
}

function settingsOf(submitting: Submitting): ConstructorParameters<typeof ClientSession>[0] {
  const { hostname, startTls, login, connection, trustedPlace, timeoutMs } = submitting
  return {
    hostname,
    protocol: 'smtp',
    startTls,
    plaintextLogin: trustedPlace,
    without: [],
    timeouts: timeouts(timeoutMs),
    dialogueAlways: true,
    chance: count => nodeRandom.octets(count),
    now: () => nodeClock.now(),
    ...(connection.tls !== undefined && { tls: connection.tls }),
    ...(login !== undefined && { login }),
  }
}

/** The exit code for what came of it, and one line for each recipient that was not taken. */
export function verdictOf(
  submitted: Pick<Submitted, 'outcomes' | 'trouble'>,
  recipients: readonly string[],
): { readonly exit: number; readonly problems: readonly string[] } {
  const { outcomes, trouble } = submitted
  if (outcomes.length === 0) {
    const reason = trouble?.reason ?? 'nothing was offered'
    if (trouble?.kind !== 'failed') return { exit: EXIT.tempFail, problems: [reason] }
    return {
      exit: trouble.phase === 'auth' ? EXIT.noPermission : EXIT.unavailable,
      problems: [reason],
    }
  }
  let exit: number = EXIT.ok
  const problems: string[] = []
  for (const [i, outcome] of outcomes.entries()) {
    if (outcome.kind === 'delivered') continue
    problems.push(`${recipients[i] ?? 'message'}: ${outcome.status} ${outcome.reason}`)
    const code = outcome.kind === 'deferred' ? EXIT.tempFail : failedExit(outcome.status)
    // What will not get better by waiting is what the caller must hear of.
    if (exit === EXIT.ok || exit === EXIT.tempFail) exit = code
  }
  return { exit, problems }
}

/** What is worse than waiting, by its status. */
export function failedExit(status: string): number {
  if (/^5\.1\.[1236]$/.test(status)) return EXIT.noUser
  if (status.startsWith('5.6.') || status === '5.3.4') return EXIT.data
  if (status.startsWith('5.7.')) return EXIT.noPermission
  return EXIT.unavailable
}
