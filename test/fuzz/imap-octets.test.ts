/**
 * Commands of the dialogues, mutated: whatever a client sends, a session neither throws nor keeps much of it, and
 * ends every line of its own. RUNS=20000 for more.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { Scripted, settings } from '../../src/imap/scripted.ts'
import { ServerSession } from '../../src/imap/server/session.ts'

const runs = Number(process.env['RUNS'] ?? 1500)
const endpoint = { address: '192.0.2.1', port: 40_000 }
const folder = join(import.meta.dirname, '../transcript/imap')

const commands = readdirSync(folder)
  .flatMap(file => readFileSync(join(folder, file), 'utf8').split('\n'))
  .filter(line => line.startsWith('C: '))
  .map(line => line.slice(3))

const piece = fc.constantFrom(
  ...['(', ')', '"', '\\', '{3}', '{3+}', '~{3+}', '{99999999+}', '*', '%', '$', ' ', '\r\n', '\0'],
  ...['\xff', '1:*', '0', '4294967295', 'NIL', '[', ']', '<0.1>', '+', 'UID', '{0}', ',', ':', '/'],
)

const mutated = fc
  .tuple(
    fc.constantFrom(...commands),
    fc.array(fc.tuple(fc.nat(200), fc.nat(3), piece), { maxLength: 3 }),
  )
  .map(([command, edits]) =>
    edits.reduce((text, [at, drop, put]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + put + text.slice(place + drop)
    }, command),
  )

test('no command, however odd, makes a session throw or leaves a line open', () => {
  fc.assert(
    fc.property(
      fc.array(mutated, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (lines, inside) => {
        const policy = new Scripted()
        policy.deliver('INBOX', 'Subject: one\r\n\r\nbody\r\n')
        policy.deliver('INBOX', 'two\r\n', ['\\Deleted'])
        let heard = ''
        let closed = false
        const session = new ServerSession(
          {
            send: output => {
              assert.ok(!closed, 'it spoke after closing')
              heard += Buffer.from(output).toString('latin1')
            },
            stream: () => assert.fail('nothing is streamed here'),
            ask: question => policy.answer(question),
            content: (octets, from, to) => policy.content(octets, from, to),
            secure: () => {},
            compress: () => {},
            handOver: () => {},
            close: () => {
              closed = true
            },
          },
          { ...settings, errorsMax: 1000, loginFailuresMax: 1000 },
          { remote: endpoint, local: endpoint },
        )
        session.start()
        if (inside) session.receive(Buffer.from('x LOGIN joe secret\r\nx SELECT INBOX\r\n'))
        for (const line of lines) {
          session.receive(Buffer.from(`${line}\r\n`, 'latin1'))
          session.drained()
          session.tell({ kind: 'changed' })
          assert.ok(session.backlogOctets < 1_100_000)
          assert.ok(heard === '' || heard.endsWith('\r\n'), heard.slice(-80))
          heard = ''
        }
        session.end()
      },
    ),
    { numRuns: runs },
  )
})
