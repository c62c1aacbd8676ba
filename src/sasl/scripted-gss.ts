/**
 * The system's GSS library, played for tests: tokens in the frame of RFC 2743 with words in them, wrapping that is
 * seen, and contexts that are counted. Both sides, so that client and server meet through it.
 */
import type { Established, Gss, GssAnswer, GssContext, GssForm, GssStep } from '../world/gss.ts'

const OIDS: Readonly<Record<GssForm, string>> = {
  krb5: '06092a864886f712010202',
  spnego: '06062b0601050502',
}

/** An InitialContextToken around this. */
export function firstToken(form: GssForm, inner: string): Buffer {
  const content = Buffer.concat([Buffer.from(OIDS[form], 'hex'), Buffer.from(inner)])
  return Buffer.concat([Buffer.of(0x60, content.length), content])
}

export interface PlayedGss extends Gss {
  /** The same, at once. */
  answer(step: GssStep): GssAnswer
  readonly steps: GssStep[]
  /** Contexts that nobody has given back. */
  open(): number
}

/** @param tokens what the acceptor says, one by one; the context stands with the last */
export function playedGss(
  tokens: readonly string[] = ['last'],
  over: Partial<Established> = {},
): PlayedGss {
  const steps: GssStep[] = []
  const left = [...tokens]
  let open = 0
  const begun = (step: { readonly context?: GssContext }): GssContext => {
    if (step.context !== undefined) return step.context
    open++
    return { id: 1, free: () => void open-- }
  }
  const established = (side: string): Established => ({
    ...{ principal: `${side}@EXAMPLE.ORG`, mutual: true, integrity: true },
    ...{ confidentiality: true, bound: false, ...over },
  })
  const stepped = (
    context: GssContext,
    words: string | Buffer,
    complete: boolean,
    side: string,
  ) => ({
    ...{ kind: 'gss' as const, context, octets: Buffer.from(words), complete },
    ...(complete && { established: established(side) }),
  })
  const answer = (step: GssStep): GssAnswer => {
    steps.push(step)
    if (step.kind === 'accept') {
      const words = left.shift() ?? ''
      return stepped(begun(step), words, left.length === 0, 'joe')
    }
    if (step.kind === 'initiate') {
      const first = step.context === undefined
      const context = begun(step)
      if (first) return stepped(context, firstToken(step.form, step.target), false, 'mx')
      return stepped(context, '', Buffer.from(step.token).toString() === 'last', 'mx')
    }
    const { context, octets } = step
    const plain = Buffer.from(octets)
    if (step.kind === 'wrap') {
      const wrapped = Buffer.concat([Buffer.from('w:'), plain])
      return { kind: 'gss', context, octets: wrapped, complete: true }
    }
    return plain.subarray(0, 2).toString() === 'w:'
      ? { kind: 'gss', context, octets: plain.subarray(2), complete: true }
      : { kind: 'denied', why: 'not wrapped' }
  }
  return { answer, step: async step => answer(step), steps, open: () => open }
}
