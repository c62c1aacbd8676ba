/** The log's lines. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeLog } from './log.ts'

function lines(write: (log: ReturnType<typeof nodeLog>) => void): Record<string, unknown>[] {
  const written: string[] = []
  write(nodeLog({ level: 'info', write: line => written.push(line) }))
  return written.map(line => JSON.parse(line) as Record<string, unknown>)
}

test('a line is JSON with its level, event and facts, those of `with` too', () => {
  const [line] = lines(log => log.with({ session: 's1' }).info('accepted', { octets: 5 }))
  assert.equal(line?.['level'], 'info')
  assert.equal(line?.['event'], 'accepted')
  assert.equal(line?.['session'], 's1')
  assert.equal(line?.['octets'], 5)
})

test('secrets are blotted out wherever they stand, and facts are left as they were', () => {
  const facts = { password: 'a', login: { userPassword: 'b', api_token: 'c', name: 'd' } }
  const [line] = lines(log => log.info('login', facts))
  assert.equal(line?.['password'], '[secret]')
  assert.deepEqual(line?.['login'], {
    userPassword: '[secret]',
    api_token: '[secret]',
    name: 'd',
  })
  assert.equal(facts.login.userPassword, 'b')
})

test('a line stays one line whatever a peer sends, and lower levels are not written', () => {
  const written: string[] = []
  const log = nodeLog({ level: 'warn', write: line => written.push(line) })
  log.info('quiet')
  log.warn('odd', { line: 'a\r\n{"level":"error"}\n' })
  assert.equal(written.length, 1)
  assert.equal(written[0]?.trimEnd().includes('\n'), false)
})

test('what a peer sends drives no terminal, hides nothing, and is there all the same', () => {
  const said = 'a\u009b31m\u2028\u202e\u200b\u{e0061}é'
  const written: string[] = []
  nodeLog({ write: line => written.push(line) }).info('odd', { said })
  assert.doesNotMatch(written[0] ?? '', /[\u0080-\u009f\u200b-\u202e\u{e0061}]/u)
  assert.match(written[0] ?? '', /é/)
  assert.equal((JSON.parse(written[0] ?? '') as { said: string }).said, said)
})
