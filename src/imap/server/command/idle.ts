/** IDLE (RFC 2177, RFC 9051 §6.3.13): what happens is told when it happens, until the client says DONE. */
import type { Cursor } from '../../cursor.ts'
import { tellNews } from '../news.ts'
import {
  bad,
  type Line,
  lineOrChange,
  no,
  type Overlong,
  ok,
  type Result,
  type Running,
  readAway,
  type Turn,
} from '../turn.ts'
import { tellWatched } from './notify.ts'

export function* idle(turn: Turn, cursor: Cursor): Running<Result> {
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  turn.send('+ idling\r\n')
  // What came between the last command and this one is news too.
  yield* tellNews(turn, true)
  for (;;) {
    if (turn.state === 'logout') return no('the mailbox is gone', 'NONEXISTENT')
    const heard = yield* lineOrChange()
    if (heard.kind === 'changed') {
      yield* tellNews(turn, true)
      yield* tellWatched(turn)
    } else if (isDone(heard)) return ok('IDLE completed')
    else {
      yield* readAway(turn, heard.literal)
      return bad('DONE is all that may be said in IDLE')
    }
  }
}

function isDone(heard: Line | Overlong): boolean {
  return heard.kind === 'line' && heard.literal === undefined && heard.text.toUpperCase() === 'DONE'
}
