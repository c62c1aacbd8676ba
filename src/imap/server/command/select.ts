/**
 * SELECT and EXAMINE (RFC 9051 §6.3.2, §6.3.3): opens a mailbox; where that fails none is open. With QRESYNC
 * (RFC 7162 §3.2.5) a client that comes back is told what happened since it was here.
 */
import type { Cursor } from '../../cursor.ts'
import { SYSTEM_FLAGS } from '../../flag.ts'
import {
  formatMailboxName,
  formatOldName,
  readSpelledName,
  type SpelledName,
} from '../../mailbox-name.ts'
import {
  formatMissing,
  formatNumbers,
  type NumberSet,
  rangesHold,
  readNumberSet,
} from '../../number-set.ts'
import type { OpenedMailbox } from '../question.ts'
import { accountOf, ask, bad, ok, type Result, type Running, refused, type Turn } from '../turn.ts'
import { View } from '../view.ts'
import { leave } from './close.ts'

export function select(turn: Turn, cursor: Cursor): Running<Result> {
  return open(turn, cursor, false)
}

export function examine(turn: Turn, cursor: Cursor): Running<Result> {
  return open(turn, cursor, true)
}

const BY_UID = 'say it by UID'

/** What a client knows of the mailbox from before. */
interface Remembered {
  readonly uidValidity: number
  readonly modSeq: number
  readonly knownUids?: NumberSet
}

function* open(turn: Turn, cursor: Cursor, readOnly: boolean): Running<Result> {
  cursor.space()
  const given = readSpelledName(cursor, turn.enabled.utf8)
  const { name: mailbox } = given
  const parametered = cursor.take(' ')
  const parameters = parametered ? cursor.list(() => readParameter(turn, cursor), 10) : []
  if (parametered && parameters.length === 0) cursor.fail('a parameter is wanted')
  cursor.end()
  if (cursor.fault === BY_UID) return bad(BY_UID, 'UIDREQUIRED')
  if (cursor.fault !== undefined) return bad(cursor.fault)
  if (turn.view !== undefined) {
    yield* leave(turn)
    // RFC 9051 §7.1: lets the client tell the answers of two mailboxes apart.
    turn.send('* OK [CLOSED] the mailbox before is closed\r\n')
  }
  if (parameters.length > 0) turn.condstore()
  const account = accountOf(turn)
  const recent = !turn.enabled.imap4rev2
  const answer = yield* ask<'open'>({ kind: 'open', account, mailbox, readOnly, recent })
  if (answer.kind === 'no') return refused(answer)
  const { mailbox: opened } = answer
  const view = new View(mailbox, opened)
  turn.view = view
  turn.state = 'selected'
  tell(turn, view, opened)
  turn.send(nameLine(turn, given))
  const remembered = parameters.find(each => each !== 'CONDSTORE')
  if (remembered !== undefined) yield* tellSince(turn, view, remembered)
  return ok('the mailbox is open', opened.readOnly ? 'READ-ONLY' : 'READ-WRITE')
}

/**
 *     select-param =/ "CONDSTORE" / "QRESYNC" SP "(" uidvalidity SP mod-sequence-value
 *       [SP known-uids] [SP seq-match-data] ")"
 *     seq-match-data = "(" known-sequence-set SP known-uid-set ")"
 */
function readParameter(turn: Turn, cursor: Cursor): Remembered | 'CONDSTORE' {
  const name = cursor.word()
  if (name === 'CONDSTORE') return name
  if (name !== 'QRESYNC') cursor.fail(`SELECT has no parameter ${name.slice(0, 40)}`)
  // RFC 7162 §3.2.5: only behind ENABLE QRESYNC.
  else if (!turn.enabled.qresync) cursor.fail('QRESYNC is not enabled')
  cursor.space()
  cursor.expect('(')
  const uidValidity = cursor.positive()
  cursor.space()
  const modSeq = cursor.number64()
  if (modSeq === 0) cursor.fail('a mod-sequence above zero is wanted')
  let known: NumberSet | undefined
  let more = cursor.take(' ')
  if (more && cursor.next !== 0x28) {
    known = readKnown(cursor)
    more = cursor.take(' ')
  }
  // RFC 9586 §3.1: no sequence numbers.
  if (more && turn.enabled.uidOnly) cursor.fail(BY_UID)
  if (more) {
    // Which numbers stood for which UIDs: it would only shorten VANISHED.
    cursor.expect('(')
    readKnown(cursor)
    cursor.space()
    readKnown(cursor)
    cursor.expect(')')
  }
  cursor.expect(')')
  return { uidValidity, modSeq, ...(known === undefined ? {} : { knownUids: known }) }
}

/** known-uids and its like are sequence-sets in which `*` must not stand. */
function readKnown(cursor: Cursor): NumberSet {
  const set = readNumberSet(cursor)
  const starred = set === '$' || set.some(({ from, to }) => from === '*' || to === '*')
  if (starred) cursor.fail('only numbers may stand here')
  return set
}

function tell(turn: Turn, view: View, opened: OpenedMailbox): void {
  const flags = [...SYSTEM_FLAGS, ...opened.keywords]
  const permanent = view.permanentFlags(opened.keywordsFull !== true)
  turn.send(`* ${view.exists} EXISTS\r\n`)
  if (!turn.enabled.imap4rev2) {
    // RFC 3501 §7.3.2.
    turn.send(`* ${view.recent} RECENT\r\n`)
    const unseen = opened.firstUnseenUid === undefined ? 0 : view.sequence(opened.firstUnseenUid)
    // RFC 9586 §3.1: it would tell a number.
    if (unseen > 0 && !turn.enabled.uidOnly)
      turn.send(`* OK [UNSEEN ${unseen}] the first that was not read\r\n`)
  }
  turn.send(
    `* FLAGS (${flags.join(' ')})\r\n` +
      `* OK [PERMANENTFLAGS (${permanent})] these last\r\n` +
      `* OK [UIDVALIDITY ${opened.uidValidity}] for these UIDs\r\n` +
      `* OK [UIDNEXT ${opened.uidNext}] for the next message\r\n` +
      `* OK [HIGHESTMODSEQ ${opened.highestModSeq}] of all changes\r\n` +
      `* OK [MAILBOXID (${opened.mailboxId})] whatever its name\r\n`,
  )
}

/** RFC 9051 §6.3.2: the name as LIST tells it. */
function nameLine({ enabled: { imap4rev2, utf8 } }: Turn, given: SpelledName): string {
  const otherwise = formatOldName(given, utf8)
  if (otherwise !== '' || !imap4rev2) return otherwise
  return `* LIST () "/" ${formatMailboxName(given.name, utf8)}\r\n`
}

/** VANISHED (EARLIER), then the flags that changed (RFC 7162 §3.2.5.1); nothing where UIDs mean other messages. */
function* tellSince(turn: Turn, view: View, remembered: Remembered): Running<void> {
  const { uidValidity, modSeq, knownUids } = remembered
  if (uidValidity !== view.uidValidity) return
  const answer = yield* ask<'since'>({ kind: 'since', key: view.key, modSeq })
  if (answer.kind === 'no') return
  const isKnown = knownUids === undefined ? () => true : rangesHold(knownUids, 0)
  const { vanished, present, forgotten } = answer.changes
  const gone = forgotten
    ? formatMissing(view.uids, view.uidNext, knownUids)
    : formatNumbers(vanished.filter(uid => isKnown(uid) && view.sequence(uid) === 0))
  if (gone !== '') turn.send(`* VANISHED (EARLIER) ${gone}\r\n`)
  const changed = present.filter(({ uid }) => isKnown(uid))
  const manner = { modSeq: true, uid: true, uidOnly: turn.enabled.uidOnly }
  turn.send(changed.map(state => view.fetchFlags(state, manner)).join(''))
}
