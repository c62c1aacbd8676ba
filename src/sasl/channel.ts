/**
 * The connection as a mechanism sees it, and which mechanisms may run on it. One rule for every protocol:
 * SMTP's EHLO, POP3's CAPA and IMAP's CAPABILITY offer what `offered` gives, and nothing else may run.
 */
import type { ChannelBindings, TlsFacts } from '../wire/effect.ts'

export interface Channel {
  readonly tls?: TlsFacts | undefined
  /** True where a password may cross the wire as it is, without TLS: on trusted paths only. */
  readonly clear: boolean
}

/** What a mechanism wants of the connection. */
export interface Wants {
  readonly name: string
  /** True where the password itself, or what is as good, crosses the wire (RFC 4954 §4, RFC 8314). */
  readonly plaintext: boolean
  /** 'binding': a channel to be bound to (RFC 5056). 'certificate': one of the client's that was verified. */
  readonly needs?: 'binding' | 'certificate'
}

export type BindingName = keyof ChannelBindings

/** In the order in which a client prefers them: RFC 9266 §1 first. */
export const BINDING_NAMES: readonly BindingName[] = [
  'tls-exporter',
  'tls-unique',
  'tls-server-end-point',
]

/** Whether a mechanism may run on a connection. */
export function fits({ plaintext, needs }: Wants, { tls, clear }: Channel): boolean {
  if (plaintext && tls === undefined && !clear) return false
  if (needs === 'binding') return tls?.bindings !== undefined
  return needs !== 'certificate' || tls?.verified === true
}

/** The octets of a binding; undefined where the connection has none of this name. */
export function bindingOf(tls: TlsFacts | undefined, name: string): Uint8Array | undefined {
  const known = BINDING_NAMES.find(each => each === name)
  const text = known && tls?.bindings?.[known]
  return text === undefined ? undefined : Buffer.from(text, 'base64')
}
