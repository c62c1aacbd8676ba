/** What a client mechanism does next, as the protocol rooms see it (smtp/client/auth.ts, pop3/client/login.ts). */
import type { AsideStep } from '../world/aside.ts'
import type { ClientMechanism, ClientStep } from './mechanism.ts'

export type Rounds = ReturnType<ClientMechanism['start']>

export type Round =
  /** A response to be sent. */
  | { readonly kind: 'said'; readonly octets: Uint8Array }
  /** It is over: with a server that has proven itself, or not, and then perhaps why. */
  | { readonly kind: 'over'; readonly proven: boolean; readonly why: string | undefined }

/** A step that is done elsewhere first. */
export type Asked = { readonly kind: 'asked'; readonly step: AsideStep }

export function roundOf(step: IteratorResult<ClientStep, boolean | string>): Round | Asked {
  const { value } = step
  if (step.done === true) {
    const why = typeof value === 'string' ? value : undefined
    return { kind: 'over', proven: value === true, why }
  }
  const { value: said } = step
  return said instanceof Uint8Array ? { kind: 'said', octets: said } : { kind: 'asked', step: said }
}
