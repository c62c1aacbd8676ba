/**
 * The replies of MTQP (RFC 3887 §2.3): a status indicator, reasons behind slashes for machines, and a text
 * for people. `+OK+` has lines behind it, dotted as in POP3.
 */
const TEXT_MAX = 400

/** Reasons of §3, §4, §6. */
export type Reason =
  | 'MTQP'
  | 'admin'
  | 'unavailable'
  | 'noinfo'
  | 'tls-in-progress'
  | 'bad-fqdn'
  | 'unsupported'

export type Indicator = '+OK' | '+OK+' | '-TEMP' | '-ERR' | '-BAD'

export function reply(indicator: Indicator, text: string, ...reasons: readonly Reason[]): string {
  const said = text.slice(0, TEXT_MAX).replace(/[^\x20-\x7e]/g, '?')
  return `${indicator}${reasons.map(reason => `/${reason}`).join('')} ${said}\r\n`
}
