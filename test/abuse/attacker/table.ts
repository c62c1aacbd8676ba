/** All attacks, those first that need no account. */
import type { Attack } from './attack.ts'
import { crowds } from './crowds.ts'
import { floods } from './floods.ts'
import { handshakes } from './handshakes.ts'
import { mailboxes } from './mailboxes.ts'
import { slow } from './slow.ts'

export const attacks: readonly Attack[] = [
  ...slow,
  ...floods,
  ...crowds,
  ...handshakes,
  ...mailboxes,
]
