/**
 * From AUTHORIZATION into TRANSACTION (RFC 1939 §4): the account is known, now its maildrop is
 * locked and listed. Called by PASS and AUTH. A maildrop that cannot be opened leaves the client
 * where it was, free to try again or to quit.
 */
import type { Account } from '../../sasl/mechanism.ts'
import { err, ok, replies } from '../reply.ts'
import { Maildrop } from './maildrop.ts'
import { ask, type Input, type Step, type Turn } from './turn.ts'

export function* enter(turn: Turn, account: Account): Generator<Step, boolean, Input> {
  const peer = { ...turn.peer, account }
  const opened = yield* ask<'open'>({ kind: 'open', peer, account })
  switch (opened.kind) {
    case 'opened': {
      const maildrop = new Maildrop(opened.listing)
      turn.enter(peer, maildrop)
      turn.send(ok(`maildrop has ${maildrop.count} messages (${maildrop.octets} octets)`))
      return true
    }
    case 'inUse':
      return turn.refuse(replies.inUse)
    case 'tooSoon':
      return turn.refuse(replies.tooSoon)
    case 'refused':
      return turn.refuse(err(opened.why, opened.code))
  }
}
