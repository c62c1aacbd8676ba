/**
 * The legality of IMAP in one table (RFC 9051 §3): in which states a command may be given. Where success
 * leads is said by the command itself, since SELECT may fail into another state than it came from.
 */
import type { CommandName } from './commands.ts'

export type State =
  /** §3.1: who is it? */
  | 'not authenticated'
  /** §3.2. */
  | 'authenticated'
  /** §3.3: a mailbox is open. */
  | 'selected'
  /** §3.4: the connection closes. */
  | 'logout'

const everywhere = ['not authenticated', 'authenticated', 'selected'] as const
const before = ['not authenticated'] as const
const after = ['authenticated', 'selected'] as const
const open = ['selected'] as const

export const legality: Readonly<Record<CommandName, readonly State[]>> = {
  CAPABILITY: everywhere,
  NOOP: everywhere,
  LOGOUT: everywhere,
  ID: everywhere,
  STARTTLS: before,
  AUTHENTICATE: before,
  LOGIN: before,
  UNAUTHENTICATE: after,
  ENABLE: after,
  SELECT: after,
  EXAMINE: after,
  CREATE: after,
  DELETE: after,
  RENAME: after,
  SUBSCRIBE: after,
  UNSUBSCRIBE: after,
  LIST: after,
  LSUB: after,
  NAMESPACE: after,
  GETACL: after,
  SETACL: after,
  DELETEACL: after,
  LISTRIGHTS: after,
  MYRIGHTS: after,
  NOTIFY: after,
  GENURLAUTH: after,
  RESETKEY: after,
  URLFETCH: after,
  ESEARCH: after,
  UIDBATCHES: open,
  CANCELUPDATE: open,
  COMPRESS: after,
  GETMETADATA: after,
  SETMETADATA: after,
  STATUS: after,
  GETQUOTA: after,
  GETQUOTAROOT: after,
  SETQUOTA: after,
  APPEND: after,
  REPLACE: open,
  'UID REPLACE': open,
  IDLE: after,
  CLOSE: open,
  UNSELECT: open,
  CHECK: open,
  EXPUNGE: open,
  SEARCH: open,
  SORT: open,
  THREAD: open,
  FETCH: open,
  STORE: open,
  COPY: open,
  MOVE: open,
  'UID EXPUNGE': open,
  'UID SEARCH': open,
  'UID SORT': open,
  'UID THREAD': open,
  'UID FETCH': open,
  'UID STORE': open,
  'UID COPY': open,
  'UID MOVE': open,
}
