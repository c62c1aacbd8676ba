/**
 * The MTQP server session against the dialogues in mtqp/. Directives, one each line:
 *
 *     @ set NAME JSON       a field of SessionSettings
 *     @ tls                 TLS is on from the start
 *     @ refused             policy lets nobody in
 *     @ unavailable         the ledger cannot be read
 *
 * The message `1@x` is known to who says `secret`. Events: shutdown. M line: what was asked.
 */
import { join } from 'node:path'
import type {
  Answer,
  Question,
  ServerEvent,
  SessionSettings,
} from '../../src/mtqp/server/question.ts'
import { ServerSession } from '../../src/mtqp/server/session.ts'
import { type Dialogue, playFolder, type Stage, tlsFacts } from './harness.ts'

const usual: SessionSettings = {
  hostname: 'mx.example.org',
  startTls: true,
  isOurs: domain => domain.toLowerCase() === 'mx.example.org',
  idleTimeoutMs: 600_000,
  errorsMax: 4,
}
const endpoint = { address: '192.0.2.1', port: 40_000 }
const part = Buffer.from('Content-Type: multipart/related\r\n.Dot: yes\r\n\r\n--b--\r\n')

function scripted(dialogue: Dialogue): Stage<Question, Answer, ServerEvent> {
  const settings: Record<string, unknown> = { ...usual }
  const words = new Set<string>()
  for (const [word = '', name = '', ...rest] of dialogue.directives) {
    if (word === 'set') settings[name] = JSON.parse(rest.join(' '))
    else words.add(word)
  }
  const asked: string[] = []
  const peer = { remote: endpoint, local: endpoint, ...(words.has('tls') ? { tls: tlsFacts } : {}) }
  return {
    session: sink => new ServerSession(sink, settings as unknown as SessionSettings, peer),
    answer: question => {
      if (question.kind === 'connect') {
        return words.has('refused') ? { kind: 'refused', why: 'full' } : { kind: 'welcome' }
      }
      const secret = Buffer.from(question.secret).toString('latin1')
      asked.push(`${question.envelopeId} ${secret}`)
      if (words.has('unavailable')) return { kind: 'unavailable', why: 'later' }
      const known = question.envelopeId === '1@x' && secret === 'secret'
      return known ? { kind: 'found', part } : { kind: 'unknown' }
    },
    event: word =>
      word === 'dismissed' ? { kind: word, why: 'enough of it' } : { kind: 'shutdown' },
    taken: () => asked,
  }
}

playFolder(join(import.meta.dirname, 'mtqp'), scripted)
