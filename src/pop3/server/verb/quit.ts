/**
 * QUIT (RFC 1939 §4, §6). In AUTHORIZATION it says goodbye; in TRANSACTION it leads into UPDATE, the
 * only place where a message is ever removed, and +OK follows only once that is durable.
 */
import { err, ok, replies } from '../../reply.ts'
import { ask, type Input, type Step, type Turn } from '../turn.ts'

export function* quit(turn: Turn, argument: string): Generator<Step, boolean, Input> {
  if (argument !== '') return turn.refuse(replies.noArguments)
  if (turn.state === 'authorization') turn.send(ok('goodbye'))
  return true
}

/** The UPDATE state; the connection closes behind it. */
export function* update(turn: Turn): Generator<Step, boolean, Input> {
  // Asked even where nothing was marked: the lock is given back before the client is told to go.
  const uids = turn.maildrop.markedUids()
  const answer = yield* ask<'commit'>({ kind: 'commit', peer: turn.peer, uids })
  if (answer.kind === 'refused') {
    return turn.refuse(err(`some deleted messages were not removed: ${answer.why}`, answer.code))
  }
  turn.send(ok(`goodbye, ${turn.maildrop.count} messages left`))
  return true
}
