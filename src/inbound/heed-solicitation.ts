/**
 * `Solicitation: keywords` (RFC 3865 §2.5): which classes of solicitation a message is of. Called by heed.ts.
 * Classes that are not wanted refuse it; all of them go on in SOLICIT of MAIL (§2.7).
 */
import type { Envelope } from '../mail/envelope.ts'
import { formatSolicitations, parseSolicitations, unwantedOf } from '../mail/solicitation.ts'
import { refuse } from '../mail/verdict.ts'
import type { Header } from '../message/header.ts'
import type { Heeded } from './heed.ts'

export const SOLICITATION = 'solicitation'

export function heedSolicitation(
  envelope: Envelope,
  header: Header,
  unwanted: readonly string[],
): Partial<Heeded> {
  const classes = header
    .all(SOLICITATION)
    .flatMap(field => parseSolicitations(header.text(field).replace(/\s+/g, '')) ?? [])
  const matched = unwantedOf(classes, unwanted)
  if (matched.length > 0) {
    const text = `SOLICIT=${formatSolicitations(matched)} is not wanted here`
    return { refused: refuse(550, '7.1', text) }
  }
  const whole = parseSolicitations(formatSolicitations(classes))
  if (whole === undefined || envelope.sender.solicitations !== undefined) return {}
  return { envelope: { ...envelope, sender: { ...envelope.sender, solicitations: whole } } }
}
