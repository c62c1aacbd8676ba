/**
 * SORT and THREAD (RFC 5256 §3), and SORT with RETURN (...) as of RFC 5267 §3: a search whose result has an order, or
 * is gathered into threads.
 */
import { THREAD_ALGORITHMS, type Thread } from '../../../message/thread.ts'
import type { Cursor } from '../../cursor.ts'
import type { SearchKey } from '../../search-key.ts'
import { readSortCriteria } from '../../sort.ts'
import { isTagTaken, keepUp } from '../context.ts'
import { candidates, tooMany } from '../message-limit.ts'
import { ask, bad, ok, type Result, type Running, refused, type Turn, viewOf } from '../turn.ts'
import type { View } from '../view.ts'
import { asksModSeq, namesNumbers, readKeysIn, unsaved } from './search.ts'
import { formatExtended, readReturn, savedOf } from './search-return.ts'

export const sort = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, false)
export const uidSort = (turn: Turn, cursor: Cursor) => carryOut(turn, cursor, true)
export const thread = (turn: Turn, cursor: Cursor) => threading(turn, cursor, false)
export const uidThread = (turn: Turn, cursor: Cursor) => threading(turn, cursor, true)

/** `sort = "SORT" SP [sort-return-opts SP] sort-criteria SP search-criteria`; the charset is always named. */
function* carryOut(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  cursor.space()
  const options = cursor.take('RETURN ') ? readReturn(cursor) : undefined
  if (options !== undefined) cursor.space()
  const criteria = readSortCriteria(cursor)
  cursor.space()
  const charset = cursor.astring()
  cursor.space()
  const read = readKeysIn(cursor, charset)
  if ('text' in read) return unsaved(turn, options, read)
  if (turn.enabled.uidOnly && namesNumbers(read.key)) return bad('say it by UID', 'UIDREQUIRED')
  if (isTagTaken(turn, options)) return bad('the tag is that of a search which is kept up to date')
  const view = viewOf(turn)
  const refusal = tooManyOf(turn, view, read.key)
  if (refusal !== undefined) return unsaved(turn, options, refusal)
  const search = view.search(read.key, turn.saved)
  const answer = yield* ask<'sort'>({ kind: 'sort', key: view.key, search, criteria })
  if (answer.kind === 'no') return unsaved(turn, options, refused(answer))
  const modSeq = asksModSeq(read.key)
  if (modSeq) turn.condstore()
  const found = answer.uids.map((uid, at) => {
    const sequence = view.sequence(uid)
    return { uid, number: byUid ? uid : sequence, sequence, modSeq: answer.modSeqs[at] ?? 0 }
  })
  if (options !== undefined) {
    const saves = options.some(({ name }) => name === 'SAVE')
    if (saves) turn.saved = savedOf(found, options)
    const silent = options.every(({ name }) => name === 'SAVE')
    const manner = { byUid, modSeq, sorted: true }
    if (!silent) turn.send(formatExtended(turn.tag, found, options, manner))
    if (options.some(({ name }) => name === 'UPDATE')) {
      const uids = new Set(answer.uids)
      const sorted = { criteria, order: answer.uids }
      keepUp(turn, { tag: turn.tag, byUid, key: read.key, uids, sorted })
    }
    return ok('SORT completed')
  }
  const highest = found.reduce((most, each) => Math.max(most, each.modSeq), 0)
  const told = modSeq && found.length > 0 ? ` (MODSEQ ${highest})` : ''
  turn.send(`* SORT${found.map(({ number }) => ` ${number}`).join('')}${told}\r\n`)
  return ok('SORT completed')
}

/** `thread = "THREAD" SP thread-alg SP search-criteria`. */
function* threading(turn: Turn, cursor: Cursor, byUid: boolean): Running<Result> {
  cursor.space()
  const word = cursor.word()
  const algorithm = THREAD_ALGORITHMS.find(each => each === word)
  if (algorithm === undefined) return bad(cursor.fault ?? `THREAD knows no ${word.slice(0, 40)}`)
  cursor.space()
  const charset = cursor.astring()
  cursor.space()
  const read = readKeysIn(cursor, charset)
  if ('text' in read) return read
  if (turn.enabled.uidOnly && namesNumbers(read.key)) return bad('say it by UID', 'UIDREQUIRED')
  const view = viewOf(turn)
  const refusal = tooManyOf(turn, view, read.key)
  if (refusal !== undefined) return refusal
  const search = view.search(read.key, turn.saved)
  const answer = yield* ask<'thread'>({ kind: 'thread', key: view.key, search, algorithm })
  if (answer.kind === 'no') return refused(answer)
  const number = (uid: number) => (byUid ? uid : view.sequence(uid))
  const told = formatThreads(answer.threads, number)
  turn.send(`* THREAD${told === '' ? '' : ` ${told}`}\r\n`)
  return ok('THREAD completed')
}

/** RFC 9738 §3: what is put in order is looked at whole. */
function tooManyOf(turn: Turn, view: View, key: SearchKey): Result | undefined {
  if (turn.settings.messagesMax === 0) return undefined
  return tooMany(turn, candidates(view, turn.saved, key).length, false)
}

/**
 *     thread-list = "(" (thread-members / thread-nested) ")"
 *     thread-members = nz-number *(SP nz-number) [SP thread-nested]
 *     thread-nested = 2*thread-list
 *
 * Written without recursion: threads are as deep as people make them.
 */
function formatThreads(threads: readonly Thread[], number: (uid: number) => number): string {
  const pieces: string[] = []
  const waiting: (Thread | string)[] = [...threads].reverse().flatMap(each => [')', each, '('])
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') {
      pieces.push(next)
      continue
    }
    const { uid, children } = next
    if (uid !== undefined) pieces.push(String(number(uid)))
    const [only] = children
    const lead = uid === undefined || only === undefined ? '' : ' '
    if (children.length === 1 && only !== undefined) waiting.push(only, lead)
    else {
      // One by one: there may be more of them than a call takes arguments.
      for (let n = children.length - 1; n >= 0; n--) waiting.push(')', children[n] as Thread, '(')
      waiting.push(lead)
    }
  }
  return pieces.join('')
}
