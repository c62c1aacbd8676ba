/** Tells the client what happened in its mailbox (RFC 9051 §5.2): asked for, put into the view, sent. */
import { tellContexts, tellLeaving } from './context.ts'
import { tellFetched } from './told-message.ts'
import { ask, fetchManner, output, type Running, type Turn } from './turn.ts'

/**
 * @param expunges whether sequence numbers may change now. A store that cannot be asked leaves the view as it
 * is: the next command will say why.
 */
export function* tellNews(turn: Turn, expunges: boolean): Running<void> {
  // What is much comes in slices, and others get their turn between them.
  while (yield* tellSlice(turn, expunges)) if (turn.full) yield* output()
}

/** True where there is more. */
function* tellSlice(turn: Turn, expunges: boolean): Running<boolean> {
  const { view } = turn
  if (view === undefined) return false
  const answer = yield* ask<'changes'>({
    kind: 'changes',
    key: view.key,
    sinceModSeq: view.modSeq,
    uidNext: view.uidNext,
  })
  if (answer.kind === 'changes') view.take(answer.changes)
  else if (answer.code === 'NONEXISTENT') {
    // RFC 2180 §3.3: its numbers mean nothing any more, and there is no other way to say so.
    turn.send('* BYE the open mailbox is gone\r\n')
    turn.view = undefined
    turn.state = 'logout'
    return false
  }
  const lastUid = view.uids.at(-1) ?? 0
  if (expunges && turn.contexts.length > 0) tellLeaving(turn, view.leaving)
  const touched = view.takeTouched()
  const text = view.tell({ expunges, ...fetchManner(turn) })
  if (text !== '') turn.send(text)
  const items = turn.watched?.selected?.items ?? []
  if (turn.contexts.length > 0) yield* tellContexts(turn, touched)
  // RFC 5465 §5.1: of new messages what NOTIFY asked for comes along.
  if (items.length > 0 && view.exists > 0) {
    yield* tellFetched(turn, view.uidsBehind(lastUid), items)
  }
  return answer.kind === 'changes' && answer.changes.more === true
}
