/**
 * Exchanges by hand, for tests: contexts in which chance is a constant, one side against what is written
 * down, and both sides against each other.
 */
import { pbkdf2Sync } from 'node:crypto'
import type { Stretched, StretchStep } from '../world/stretch.ts'
import type {
  ClientContext,
  ClientMechanism,
  Credentials,
  LoginAnswer,
  LoginQuestion,
  SaslResult,
  ServerContext,
  ServerMechanism,
} from './mechanism.ts'

const noOctets = new Uint8Array(0)
const chance = (octets: number) => new Uint8Array(octets).fill(7)

export function serverContext(over: Partial<ServerContext> = {}): ServerContext {
  return { chance, offered: [], hostname: 'mx.test', service: 'smtp', ...over }
}

export function clientContext(over: Partial<ClientContext> = {}): ClientContext {
  return { chance, offered: [], hostname: 'mx.test', service: 'smtp', ...over }
}

/** What a client wants stretched, at once. */
export function stretchNow({ hash, password, salt, iterations, octets }: StretchStep): Stretched {
  return { kind: 'stretched', key: pbkdf2Sync(password, salt, iterations, octets, hash) }
}

type Rounds = ReturnType<ClientMechanism['start']>

/** A client whose passwords are stretched at once. */
export function stretching(rounds: Rounds): Pick<Rounds, 'next'> {
  return {
    next(...heard) {
      let step = rounds.next(...heard)
      while (!step.done && !(step.value instanceof Uint8Array) && step.value.kind === 'stretch')
        step = rounds.next(stretchNow(step.value))
      return step
    },
  }
}

export interface Ran {
  readonly result: SaslResult
  readonly challenges: readonly Uint8Array[]
  readonly asked: readonly LoginQuestion[]
}

/** A server mechanism over what a client sends; the first item is the initial response. */
export function runServer(
  mechanism: ServerMechanism,
  sent: readonly (string | Uint8Array | undefined)[],
  answer: (question: LoginQuestion) => LoginAnswer,
  context = serverContext(),
): Ran {
  const inputs = sent.map(item => (typeof item === 'string' ? Buffer.from(item) : item))
  const exchange = mechanism.start(inputs.shift(), context)
  const challenges: Uint8Array[] = []
  const asked: LoginQuestion[] = []
  let step = exchange.next()
  while (!step.done) {
    if (step.value.kind === 'challenge') {
      challenges.push(step.value.octets)
      step = exchange.next(inputs.shift() ?? new Uint8Array(0))
    } else {
      asked.push(step.value.question)
      step = exchange.next(answer(step.value.question))
    }
  }
  return { result: step.value, challenges, asked }
}

export interface Dialogue extends Ran {
  /** What the client says of the server at the end. */
  readonly satisfied: boolean
}

/** Both sides of a mechanism, octets passed from one to the other as a protocol room does. */
export async function dialogue(
  client: ClientMechanism,
  server: ServerMechanism,
  credentials: Credentials,
  answer: (question: LoginQuestion) => LoginAnswer | Promise<LoginAnswer>,
  contexts: { readonly client?: ClientContext; readonly server?: ServerContext } = {},
): Promise<Dialogue> {
  const says = stretching(client.start(credentials, contexts.client ?? clientContext()))
  let satisfied: boolean | undefined
  const next = (challenge: Uint8Array) => {
    const step = satisfied === undefined ? says.next(challenge) : undefined
    if (step?.done === true) satisfied = step.value === true
    return step?.done === false && step.value instanceof Uint8Array ? step.value : noOctets
  }
  const first = next(new Uint8Array(0))
  let waiting = client.serverFirst ? undefined : first
  const initial = client.initial ? waiting : undefined
  if (client.initial) waiting = undefined
  const exchange = server.start(initial, contexts.server ?? serverContext())
  const challenges: Uint8Array[] = []
  const asked: LoginQuestion[] = []
  let step = exchange.next()
  while (!step.done) {
    if (step.value.kind === 'ask') {
      asked.push(step.value.question)
      step = exchange.next(await answer(step.value.question))
      continue
    }
    challenges.push(step.value.octets)
    const response = waiting ?? next(step.value.octets)
    waiting = undefined
    step = exchange.next(response)
  }
  const { value: result } = step
  if (result.kind === 'done' && satisfied === undefined) next(result.final ?? new Uint8Array(0))
  return { result, challenges, asked, satisfied: satisfied === true }
}
