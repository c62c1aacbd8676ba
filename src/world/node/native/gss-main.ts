/**
 * The helper process that holds the GSS library, its credentials and its contexts (gss.ts asks it). A context
 * that nobody comes back to is freed after a minute: clients who hang up within a login cost no more than that.
 */
import type { GssForm } from '../../gss.ts'
import { FLAG, GssError, GssLibrary, type Stepped } from './gss-library.ts'
import { loadKoffi, type Pointer } from './koffi.ts'
import { serve } from './neighbour.ts'

export type Question =
  /** For which of these services is there a key? */
  | ({ readonly kind: 'probe'; readonly services: readonly string[] } & Keytab)
  | ({
      readonly kind: 'accept'
      readonly context?: number
      readonly form: GssForm
      readonly token: Uint8Array
      readonly service: string
      /** Tried one after the other: the library has no way to ask which one a client means. */
      readonly bindings: readonly Uint8Array[]
    } & Keytab)
  | {
      readonly kind: 'initiate'
      readonly context?: number
      readonly form: GssForm
      readonly token: Uint8Array
      readonly target: string
      readonly binding?: Uint8Array
      /** Keys of a credential store (`ccache`, `client_keytab`). */
      readonly store: Readonly<Record<string, string>>
      readonly principal?: string
      readonly library?: string
    }
  | { readonly kind: 'wrap' | 'unwrap'; readonly context: number; readonly octets: Uint8Array }
  | { readonly kind: 'free'; readonly context: number }

interface Keytab {
  readonly keytab?: string
  /** Where the library is, if not where it is looked for. */
  readonly library?: string
}

export type Answer =
  | { readonly kind: 'services'; readonly services: readonly string[]; readonly why: string }
  | {
      readonly kind: 'stepped'
      readonly context: number
      readonly octets: Uint8Array
      readonly complete: boolean
      readonly flags: number
      readonly principal: string
    }
  | { readonly kind: 'octets'; readonly octets: Uint8Array }
  | { readonly kind: 'denied' | 'unavailable'; readonly why: string }
  | undefined

const TOKEN_MAX = 65_536
const CONTEXTS_MAX = 2048
const CONTEXT_MS = 60_000
const SWEEP_MS = 10_000
/** GSS_S_BAD_BINDINGS */
const BAD_BINDINGS = 4 << 16

interface Kept {
  readonly id: number
  pointer: Pointer
  readonly credentials: Pointer
  /** Credentials of an initiator are its own; those of an acceptor are everybody's. */
  readonly own: boolean
  readonly form: GssForm
  readonly since: number
  /** True while a thread works with it: it is never freed under one. */
  busy: boolean
  /** Nobody comes back to it: it is freed as soon as the thread is done. */
  given: boolean
}

const contexts = new Map<number, Kept>()
const acceptors = new Map<string, Promise<Pointer>>()
let nextId = 1
let opened: Promise<GssLibrary> | undefined

function library(file: string | undefined): Promise<GssLibrary> {
  if (opened !== undefined) return opened
  const opening = loadKoffi().then(koffi => new GssLibrary(koffi, file))
  opened = opening
  // What was missing may have been installed when it is asked for again.
  opening.catch(() => {
    opened = undefined
  })
  return opening
}

serve(async asked => {
  const question = asked as Question
  switch (question.kind) {
    case 'probe':
      return probe(question)
    case 'accept':
    case 'initiate':
      return step(question)
    case 'wrap':
    case 'unwrap':
      return protect(question)
    case 'free':
      return free(question.context)
  }
})

async function probe({
  keytab,
  library: file,
  services,
}: Extract<Question, { kind: 'probe' }>): Promise<Answer> {
  const found: string[] = []
  let why = ''
  const gss = await library(file)
  for (const service of services) {
    try {
      await acceptor(gss, 'krb5', service, keytab)
      found.push(service)
    } catch (error) {
      why = wordsOf(error)
    }
  }
  return { kind: 'services', services: found, why }
}

/** The key of a service; '' is any that is there. The library reads the keytab anew for each token. */
function acceptor(
  gss: GssLibrary,
  form: GssForm,
  service: string,
  keytab: string | undefined,
  replays?: 'no replay cache',
): Promise<Pointer> {
  const key = JSON.stringify([form, service, keytab, replays])
  const known = acceptors.get(key)
  if (known !== undefined) return known
  const acquired = acquireKey(gss, form, service, keytab, replays)
  acceptors.set(key, acquired)
  acquired.catch(() => acceptors.delete(key))
  return acquired
}

function acquireKey(
  gss: GssLibrary,
  form: GssForm,
  service: string,
  keytab: string | undefined,
  replays: 'no replay cache' | undefined,
): Promise<Pointer> {
  // Without a host a service is that of any host (krb5_sname_match): we may have several names.
  const name = service === '' ? undefined : ({ text: service, kind: 'service' } as const)
  const store = {
    ...(keytab !== undefined && { keytab }),
    ...(replays !== undefined && { rcache: 'none:' }),
  }
  return gss.acquire('accept', form, name, store)
}

async function step(question: Extract<Question, { kind: 'accept' | 'initiate' }>): Promise<Answer> {
  if (question.token.length > TOKEN_MAX) return { kind: 'denied', why: 'the token is too long' }
  const gss = await library(question.library)
  if (question.context === undefined) makeRoom(gss)
  const known = question.context === undefined ? undefined : contexts.get(question.context)
  if (question.context !== undefined && (known === undefined || known.busy))
    return { kind: 'denied', why: 'the context is gone' }
  let kept = known
  try {
    kept ??= await begun(gss, question)
    if (question.context === undefined) contexts.set(kept.id, kept)
    kept.busy = true
    const stepped = await run(gss, kept, question)
    kept.pointer = stepped.context
    return told(kept, stepped)
  } catch (error) {
    // The library's context went with the failure (gss-library.ts).
    if (kept !== undefined) {
      kept.pointer = null
      forget(gss, kept)
    }
    const theirs = question.kind === 'accept' && error instanceof GssError
    const denied = theirs && (await hasKey(gss, question))
    return { kind: denied ? 'denied' : 'unavailable', why: wordsOf(error) }
  } finally {
    if (kept !== undefined) kept.busy = false
    if (kept?.given) forget(gss, kept)
  }
}

async function begun(
  gss: GssLibrary,
  question: Extract<Question, { kind: 'accept' | 'initiate' }>,
): Promise<Kept> {
  const { form } = question
  const now = { since: performance.now(), busy: true, given: false }
  const rest = { id: nextId++, pointer: null, form, ...now }
  if (question.kind === 'accept') {
    const credentials = await acceptor(gss, form, question.service, question.keytab)
    return { ...rest, credentials, own: false }
  }
  const { principal, store } = question
  const name =
    principal === undefined ? undefined : ({ text: principal, kind: 'principal' } as const)
  return { ...rest, credentials: await gss.acquire('initiate', form, name, store), own: true }
}

async function run(
  gss: GssLibrary,
  kept: Kept,
  question: Extract<Question, { kind: 'accept' | 'initiate' }>,
): Promise<Stepped> {
  const { pointer, credentials, form } = kept
  const { token } = question
  if (question.kind === 'initiate') {
    // Raw Kerberos is wrapped with, for the layers of RFC 4752; SPNEGO ends without.
    const wanted = FLAG.mutual | (form === 'krb5' ? FLAG.integrity : 0)
    return gss.initiate(
      pointer,
      credentials,
      form,
      question.target,
      token,
      question.binding,
      wanted,
    )
  }
  const [first, ...others] = question.bindings
  try {
    return await gss.accept(pointer, credentials, token, first)
  } catch (error) {
    if (!isOtherBinding(error) || pointer !== null) throw error
    return await acceptOther(gss, question, others)
  }
}

/**
 * The same first token under other bindings. It is fresh, as the library has looked that up before it came to the
 * binding; a second look would find it in the replay cache, which these credentials are therefore without.
 */
async function acceptOther(
  gss: GssLibrary,
  { form, service, keytab, token }: Extract<Question, { kind: 'accept' }>,
  bindings: readonly Uint8Array[],
): Promise<Stepped> {
  const credentials = await acceptor(gss, form, service, keytab, 'no replay cache')
  for (const [i, binding] of bindings.entries()) {
    try {
      return await gss.accept(null, credentials, token, binding)
    } catch (error) {
      if (!isOtherBinding(error) || i === bindings.length - 1) throw error
    }
  }
  throw new Error('bound to another connection')
}

function isOtherBinding(error: unknown): boolean {
  return error instanceof GssError && (error.major & 0xff0000) === BAD_BINDINGS
}

/** What fails without a key is ours to mend, and for now; the library says the same of both. */
async function hasKey(
  gss: GssLibrary,
  { form, service, keytab }: Extract<Question, { kind: 'accept' }>,
): Promise<boolean> {
  try {
    gss.release(await acquireKey(gss, form, service, keytab, undefined))
    return true
  } catch {
    return false
  }
}

function told(kept: Kept, { token, complete, flags, principal = '' }: Stepped): Answer {
  const context = kept.id
  return { kind: 'stepped', context, octets: token, complete, flags, principal }
}

async function protect({
  kind,
  context,
  octets,
}: Extract<Question, { kind: 'wrap' | 'unwrap' }>): Promise<Answer> {
  const kept = contexts.get(context)
  if (kept === undefined || kept.busy || octets.length > TOKEN_MAX)
    return { kind: 'denied', why: 'the context is gone' }
  const gss = await library(undefined)
  try {
    return { kind: 'octets', octets: gss[kind](kept.pointer, octets) }
  } catch (error) {
    forget(gss, kept)
    return { kind: 'denied', why: wordsOf(error) }
  }
}

async function free(context: number): Promise<undefined> {
  const kept = contexts.get(context)
  if (kept === undefined) return
  if (kept.busy) kept.given = true
  else forget(await library(undefined), kept)
}

/** Once only: what is given back twice would end this process. */
function forget(gss: GssLibrary, kept: Kept): void {
  if (!contexts.delete(kept.id)) return
  gss.free(kept.pointer)
  kept.pointer = null
  if (kept.own) gss.release(kept.credentials)
}

/** Of too many the oldest go: a login takes two steps, and they are made at once. */
function makeRoom(gss: GssLibrary): void {
  const idle = [...contexts.values()].filter(kept => !kept.busy)
  for (const kept of idle.slice(0, Math.max(0, contexts.size + 1 - CONTEXTS_MAX))) forget(gss, kept)
}

/** Contexts are in the order of their making. */
function sweep(gss: GssLibrary): void {
  for (const kept of contexts.values()) {
    if (performance.now() - kept.since < CONTEXT_MS) return
    if (!kept.busy) forget(gss, kept)
  }
}

setInterval(() => void opened?.then(sweep, () => {}), SWEEP_MS).unref()

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
