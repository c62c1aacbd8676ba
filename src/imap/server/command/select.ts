/** SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3): opens a mailbox; where that fails none is open. */
import type { Cursor } from '../../cursor.ts'
import { SYSTEM_FLAGS } from '../../flag.ts'
import { formatMailboxName, readMailboxName } from '../../mailbox-name.ts'
import { accountOf, ask, bad, ok, type Result, type Running, refused, type Turn } from '../turn.ts'
import { View } from '../view.ts'
import { leave } from './close.ts'

export function select(turn: Turn, cursor: Cursor): Running<Result> {
  return open(turn, cursor, false)
}

export function examine(turn: Turn, cursor: Cursor): Running<Result> {
  return open(turn, cursor, true)
}

function* open(turn: Turn, cursor: Cursor, readOnly: boolean): Running<Result> {
  cursor.space()
  const mailbox = readMailboxName(cursor, turn.enabled.utf8)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (turn.view !== undefined) {
    yield* leave(turn)
    // RFC 9051 §7.1: lets the client tell the answers of two mailboxes apart.
    turn.send('* OK [CLOSED] the mailbox before is closed\r\n')
  }
  const account = accountOf(turn)
  const answer = yield* ask<'open'>({ kind: 'open', account, mailbox, readOnly })
  if (answer.kind === 'no') return refused(answer)
  const { mailbox: opened } = answer
  const view = new View(mailbox, opened)
  turn.view = view
  turn.state = 'selected'
  const flags = [...SYSTEM_FLAGS, ...opened.keywords]
  const permanent = opened.readOnly ? '' : `${flags.join(' ')} \\*`
  turn.send(`* ${view.exists} EXISTS\r\n`)
  // RFC 3501 §7.3.2 demands it; no message of ours is ever recent.
  if (!turn.enabled.imap4rev2) {
    turn.send('* 0 RECENT\r\n')
    const unseen = opened.firstUnseenUid === undefined ? 0 : view.sequence(opened.firstUnseenUid)
    if (unseen > 0) turn.send(`* OK [UNSEEN ${unseen}] the first that was not read\r\n`)
  }
  turn.send(
    `* FLAGS (${flags.join(' ')})\r\n` +
      `* OK [PERMANENTFLAGS (${permanent})] these last\r\n` +
      `* OK [UIDVALIDITY ${opened.uidValidity}] for these UIDs\r\n` +
      `* OK [UIDNEXT ${opened.uidNext}] for the next message\r\n`,
  )
  // RFC 9051 §6.3.2: the canonical name, as LIST tells it.
  if (turn.enabled.imap4rev2) {
    turn.send(`* LIST () "/" ${formatMailboxName(mailbox, turn.enabled.utf8)}\r\n`)
  }
  return ok('the mailbox is open', opened.readOnly ? 'READ-ONLY' : 'READ-WRITE')
}
