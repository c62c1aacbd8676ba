/**
 * The ODMR role (RFC 2645): a customer logs in and takes his mail. None is taken from him here; that is what
 * the submission port is for.
 */
import { refuse } from '../mail/verdict.ts'
import type { Role } from './role.ts'

const NOT_HERE = refuse(502, '5.1', 'no mail is taken on this port; submit it on 587 or 465')

export const odmrRole: Role = {
  origin: 'submission',
  scope: 'odmr',
  omitted: [],
  mail: () => NOT_HERE,
  rcpt: () => NOT_HERE,
  complete: () => NOT_HERE as Exclude<typeof NOT_HERE, { kind: 'accept' }>,
}
