/** Every command and what carries it out. To add one is a file, a row here and a row in state.ts. */
import type { Cursor } from '../cursor.ts'
import { deleteAcl, getAcl, listRights, myRights, setAcl } from './command/acl.ts'
import { append, appendStreams, replace, replaceStreams, uidReplace } from './command/append.ts'
import { authenticate } from './command/authenticate.ts'
import { close, unselect } from './command/close.ts'
import { compress } from './command/compress.ts'
import { copy, move, uidCopy, uidMove } from './command/copy.ts'
import { enable } from './command/enable.ts'
import { expunge, uidExpunge } from './command/expunge.ts'
import { fetch, uidFetch } from './command/fetch.ts'
import { id } from './command/id.ts'
import { idle } from './command/idle.ts'
import { list, lsub } from './command/list.ts'
import { login } from './command/login.ts'
import { create, remove, rename, subscribe, unsubscribe } from './command/mailboxes.ts'
import { getMetadata, setMetadata } from './command/metadata.ts'
import { multiSearch, uidBatches } from './command/multi-search.ts'
import { namespace } from './command/namespace.ts'
import { notify } from './command/notify.ts'
import { capability, check, logout, noop, unauthenticate } from './command/plain.ts'
import { getQuota, getQuotaRoot, setQuota } from './command/quota.ts'
import { cancelUpdate, search, uidSearch } from './command/search.ts'
import { examine, select } from './command/select.ts'
import { sort, thread, uidSort, uidThread } from './command/sort.ts'
import { starttls } from './command/starttls.ts'
import { status } from './command/status.ts'
import { store, uidStore } from './command/store.ts'
import { genUrlAuth, resetKey, urlFetch } from './command/url.ts'
import type { Command } from './turn.ts'

export interface CommandRow {
  readonly run: Command
  /** Whether expunges may be told before its tagged answer (RFC 9051 §7.5.1). */
  readonly expunges: boolean
  /** It names messages by sequence numbers, which UIDONLY does away with (RFC 9586 §3). */
  readonly byNumber?: true
  /** Whether all before a message literal has come: from there on the command reads for itself. */
  readonly streams?: (cursor: Cursor) => boolean
}

const plain = (run: Command): CommandRow => ({ run, expunges: true })
/** Sequence numbers were in the command, and others may be on their way behind it. */
const numbered = (run: Command): CommandRow => ({ run, expunges: false, byNumber: true })

export const commands = {
  CAPABILITY: plain(capability),
  NOOP: plain(noop),
  LOGOUT: plain(logout),
  ID: plain(id),
  STARTTLS: plain(starttls),
  AUTHENTICATE: plain(authenticate),
  LOGIN: plain(login),
  UNAUTHENTICATE: plain(unauthenticate),
  ENABLE: plain(enable),
  SELECT: plain(select),
  EXAMINE: plain(examine),
  CREATE: plain(create),
  DELETE: plain(remove),
  RENAME: plain(rename),
  SUBSCRIBE: plain(subscribe),
  UNSUBSCRIBE: plain(unsubscribe),
  LIST: plain(list),
  LSUB: plain(lsub),
  NAMESPACE: plain(namespace),
  GETACL: plain(getAcl),
  SETACL: plain(setAcl),
  DELETEACL: plain(deleteAcl),
  LISTRIGHTS: plain(listRights),
  MYRIGHTS: plain(myRights),
  NOTIFY: plain(notify),
  GENURLAUTH: plain(genUrlAuth),
  RESETKEY: plain(resetKey),
  URLFETCH: plain(urlFetch),
  ESEARCH: plain(multiSearch),
  UIDBATCHES: plain(uidBatches),
  CANCELUPDATE: plain(cancelUpdate),
  COMPRESS: plain(compress),
  GETMETADATA: plain(getMetadata),
  SETMETADATA: plain(setMetadata),
  STATUS: plain(status),
  GETQUOTA: plain(getQuota),
  GETQUOTAROOT: plain(getQuotaRoot),
  SETQUOTA: plain(setQuota),
  APPEND: { run: append, expunges: true, streams: appendStreams },
  REPLACE: { run: replace, expunges: true, byNumber: true, streams: replaceStreams },
  'UID REPLACE': { run: uidReplace, expunges: true, streams: replaceStreams },
  IDLE: plain(idle),
  CLOSE: plain(close),
  UNSELECT: plain(unselect),
  CHECK: plain(check),
  EXPUNGE: plain(expunge),
  SEARCH: numbered(search),
  SORT: numbered(sort),
  THREAD: numbered(thread),
  FETCH: numbered(fetch),
  STORE: numbered(store),
  COPY: { run: copy, expunges: true, byNumber: true },
  MOVE: { run: move, expunges: true, byNumber: true },
  'UID EXPUNGE': plain(uidExpunge),
  'UID SEARCH': plain(uidSearch),
  'UID SORT': plain(uidSort),
  'UID THREAD': plain(uidThread),
  'UID FETCH': plain(uidFetch),
  'UID STORE': plain(uidStore),
  'UID COPY': plain(uidCopy),
  'UID MOVE': plain(uidMove),
} as const satisfies Readonly<Record<string, CommandRow>>

export type CommandName = keyof typeof commands

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(commands, word)
}
