/** What SMTP and LMTP say to who is turned away by a limit (limit/visit.ts) or by what we cannot do just now. */
import type { Admission } from '../limit/visit.ts'
import { defer, type Verdict } from '../mail/verdict.ts'

type Turned = Extract<Admission, { readonly kind: 'turned' }>

/** RFC 5321 §3.1, §3.8; RFC 3463: security status for what he did, system status for what we cannot. */
export function turnedAway({ by, why }: Turned): Verdict {
  return defer(421, by === 'load' ? '3.2' : '7.0', why)
}

/** RFC 5321 §4.2.3: 452 where it is we who have no room, 450 where he is to come later. */
export function noMessage({ by, why }: Turned): Verdict {
  return by === 'load' ? defer(452, '3.1', why) : defer(450, '7.1', why)
}

export const SERVICE_DOWN = defer(
  451,
  '3.0',
  'the message could not be stored just now; try again later',
)
export const BUSY = defer(451, '3.2', 'too many messages at once; try again in a moment')
export const TOO_MANY_RECIPIENTS = defer(
  450,
  '7.1',
  'too many recipients in a short time; try again later',
)

/** Whether a recipient was refused since there is nobody of that name, not for what he may do. */
export function isNobody(verdict: Verdict): boolean {
  return verdict.kind === 'refuse' && verdict.detail === '1.1'
}
