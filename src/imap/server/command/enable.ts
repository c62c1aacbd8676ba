/** ENABLE (RFC 5161, RFC 9051 §6.3.1): what changes the dialect is switched on by name, and never off. */
import type { Cursor } from '../../cursor.ts'
import { bad, ok, type Result, type Running, type Turn } from '../turn.ts'

const known: Readonly<Record<string, (turn: Turn) => void>> = {
  IMAP4REV2({ enabled }) {
    enabled.imap4rev2 = true
    enabled.utf8 = true
  },
  /** RFC 6855 §3. */
  'UTF8=ACCEPT'({ enabled }) {
    enabled.utf8 = true
    enabled.utf8Accept = true
  },
  CONDSTORE(turn) {
    turn.condstore()
  },
  /** RFC 9586 §3. */
  UIDONLY({ enabled }) {
    enabled.uidOnly = true
  },
  /** RFC 7162 §3.2.3: switches CONDSTORE on with it. */
  QRESYNC(turn) {
    turn.condstore()
    turn.enabled.qresync = true
  },
}

/** `enable = "ENABLE" 1*(SP capability)`; what nobody knows is passed over. */
export function* enable(turn: Turn, cursor: Cursor): Running<Result> {
  const asked: string[] = []
  do {
    cursor.space()
    asked.push(cursor.word('='))
  } while (!cursor.ended && asked.length < 100)
  cursor.end()
  if (cursor.fault !== undefined) return bad(cursor.fault)
  const done: string[] = []
  for (const word of asked) {
    const switchOn = Object.hasOwn(known, word) ? known[word] : undefined
    if (switchOn === undefined || done.includes(word)) continue
    switchOn(turn)
    done.push(word)
  }
  const told = done.map(word => ` ${word === 'IMAP4REV2' ? 'IMAP4rev2' : word}`)
  turn.send(`* ENABLED${told.join('')}\r\n`)
  return ok('ENABLE completed')
}
