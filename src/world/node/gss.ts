/**
 * The system's GSS library (MIT Kerberos), in a helper process of its own (native/gss-main.ts): the port of
 * world/gss.ts. Made by server/kerberos.ts, and by whoever logs in at others with a ticket.
 */
import type { Gss, GssAnswer, GssContext, GssStep, Ticket } from '../gss.ts'
import { FLAG } from './native/gss-library.ts'
import type { Answer, Question } from './native/gss-main.ts'
import { Neighbour } from './native/neighbour.ts'

/** Accepting reads files; whoever initiates may wait for a KDC. */
const ACCEPT_MS = 10_000
const INITIATE_MS = 30_000

export interface KeyOptions {
  /** The keytab of our services; absent: the system's own. */
  readonly keytab?: string
  /** The service whose key is used in place of the protocol's; `*` is any that the keytab has. */
  readonly service?: string
  /** The library, where it is not looked for. */
  readonly library?: string
}

/** Nobody is logged in with it yet: one process does for all. */
const neighbour = new Neighbour(new URL('./native/gss-main.ts', import.meta.url))

/** Which of these services have a key; none, and why, where the library or the package is missing. */
export async function servicesOf(
  options: KeyOptions,
  services: readonly string[],
): Promise<{ readonly services: readonly string[]; readonly why: string }> {
  const { service } = options
  try {
    const wanted = service === undefined ? services : [nameOf(service)]
    const answer = await ask({ kind: 'probe', ...keys(options), services: wanted }, ACCEPT_MS)
    if (answer?.kind !== 'services') return { services: [], why: 'no answer' }
    const all = service !== undefined && answer.services.length > 0
    return all ? { services, why: '' } : answer
  } catch (error) {
    return { services: [], why: whyNot(error) }
  }
}

export function nodeGss(options: KeyOptions): Gss {
  return {
    async step(step) {
      try {
        const question = questionOf(step, options)
        const answer = await ask(question, step.kind === 'initiate' ? INITIATE_MS : ACCEPT_MS)
        return answerOf(step, answer)
      } catch (error) {
        if ('octets' in step) step.context.free()
        return { kind: 'unavailable', why: `kerberos: ${whyNot(error)}` }
      }
    },
  }
}

function ask(question: Question, timeoutMs: number): Promise<Answer> {
  return neighbour.ask(question, timeoutMs) as Promise<Answer>
}

function questionOf(step: GssStep, options: KeyOptions): Question {
  if ('octets' in step) return { ...step, context: step.context.id }
  const { form, token, context } = step
  const common = { form, token, ...(context !== undefined && { context: context.id }) }
  if (step.kind === 'accept') {
    const service = options.service ?? step.service
    const { bindings } = step
    return { ...common, kind: 'accept', service: nameOf(service), bindings, ...keys(options) }
  }
  const { ticket, target, binding } = step
  const { principal } = ticket
  const { library } = options
  return {
    ...{ ...common, kind: 'initiate', target, store: storeOf(ticket) },
    ...(principal !== undefined && { principal }),
    ...(binding !== undefined && { binding }),
    ...(library !== undefined && { library }),
  }
}

function keys({ keytab, library }: KeyOptions) {
  return { ...(keytab !== undefined && { keytab }), ...(library !== undefined && { library }) }
}

const nameOf = (service: string) => (service === '*' ? '' : service)

/** Tickets that a keytab gets us are kept in memory, for each principal. */
function storeOf({ cache, keytab, principal = '' }: Ticket): Readonly<Record<string, string>> {
  return {
    ...(keytab !== undefined && { client_keytab: keytab }),
    ...(cache !== undefined && { ccache: cache }),
    ...(cache === undefined && keytab !== undefined && { ccache: `MEMORY:${keytab}:${principal}` }),
  }
}

function answerOf(step: GssStep, answer: Answer): GssAnswer {
  switch (answer?.kind) {
    case 'stepped': {
      const { octets, complete, flags, principal } = answer
      const has = (flag: number) => (flags & flag) !== 0
      const established = {
        ...{ principal, mutual: has(FLAG.mutual), integrity: has(FLAG.integrity) },
        ...{ confidentiality: has(FLAG.confidentiality), bound: has(FLAG.bound) },
      }
      const context = contextOf(answer.context)
      return { kind: 'gss', context, octets, complete, ...(complete && { established }) }
    }
    case 'octets': {
      const context = 'context' in step && step.context
      if (!context) return { kind: 'unavailable', why: 'no context' }
      return { kind: 'gss', context, octets: answer.octets, complete: true }
    }
    case 'denied':
    case 'unavailable':
      return { kind: answer.kind, why: `kerberos: ${answer.why}` }
    case 'services':
    case undefined:
      return { kind: 'unavailable', why: 'kerberos: no answer' }
  }
}

function contextOf(id: number): GssContext {
  return { id, free: () => neighbour.tell({ kind: 'free', context: id } satisfies Question) }
}

/** A package that is not there is told as what to do about it. */
function whyNot(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  return /Cannot find (?:package|module) 'koffi'/.test(words)
    ? 'the optional package koffi is not installed'
    : words
}
