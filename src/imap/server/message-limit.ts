/**
 * How many messages one command may work on (RFC 9738): MESSAGELIMIT for all of them, or SAVELIMIT for what puts messages
 * somewhere. What may be done by halves is done for the newest, and the client is told where to go on; the rest is
 * refused. Called by the commands; off where the settings say 0.
 */
import type { SearchKey } from '../search-key.ts'
import { no, type Result, type Turn } from './turn.ts'
import type { View } from './view.ts'

/** What is left of the messages of a command, and the code that tells of the others. */
export interface Limited {
  readonly uids: readonly number[]
  readonly code?: string
}

/** FETCH, STORE, MOVE and UID EXPUNGE: of so many the ones with the highest UIDs. @param uids ascending */
export function newest({ settings }: Turn, uids: readonly number[]): Limited {
  const { messagesMax } = settings
  if (messagesMax === 0 || uids.length <= messagesMax) return { uids }
  const kept = uids.slice(-messagesMax)
  return { uids: kept, code: `MESSAGELIMIT ${messagesMax} ${kept[0]}` }
}

/** The end of a command that did a part: its code, where it has none of its own (§3.1). */
export function limited(turn: Turn, result: Result, { code }: Limited): Result {
  if (code === undefined || result.kind !== 'OK') return result
  if (result.code === undefined) return { ...result, code, text: `${result.text} in part` }
  turn.send(`* NO [${code}] only the newest were looked at\r\n`)
  return result
}

/** COPY, APPEND, SORT and THREAD are done whole or not at all: why not. */
export function tooMany({ settings }: Turn, messages: number, saves: boolean): Result | undefined {
  const { messagesMax, savesMax } = settings
  const most = messagesMax > 0 ? messagesMax : saves ? savesMax : 0
  return most > 0 && messages > most
    ? no(`no more than ${most} messages at once`, `MESSAGELIMIT ${most}`)
    : undefined
}

/** What a search looks at: the messages that its sets leave. */
export function candidates(
  view: View,
  saved: readonly number[],
  key: SearchKey,
): readonly number[] {
  const keys = key.kind === 'and' ? key.keys : [key]
  let uids: readonly number[] = Array.from(view.uids)
  for (const each of keys) {
    if (each.kind !== 'uid' && each.kind !== 'sequence') continue
    const named =
      each.kind === 'uid' ? view.byUid(each.set, saved) : (view.bySequence(each.set, saved) ?? [])
    const wanted = new Set(named)
    uids = uids.filter(uid => wanted.has(uid))
  }
  return uids
}

/** The same search among the newest, where there are too many. */
export function narrowedSearch(
  turn: Turn,
  view: View,
  key: SearchKey,
): { readonly key: SearchKey; readonly limit: Limited } {
  if (turn.settings.messagesMax === 0) return { key, limit: { uids: [] } }
  const limit = newest(turn, candidates(view, turn.saved, key))
  const [from] = limit.uids
  if (limit.code === undefined || from === undefined) return { key, limit }
  const set = [{ from, to: '*' as const }]
  return { key: { kind: 'and', keys: [{ kind: 'uid', set }, key] }, limit }
}
