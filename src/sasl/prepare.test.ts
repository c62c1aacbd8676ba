import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainServer } from './plain.ts'
import { prepare } from './prepare.ts'
import { runServer } from './scripted.ts'

test('RFC 4013: what cannot be told apart is one, what must not be in a name is refused', () => {
  const pairs: readonly (readonly [string, string | undefined])[] = [
    ['I\u00adX', 'IX'],
    ['\ufeffuser', 'user'],
    ['USER', 'USER'],
    ['\u00aa', 'a'],
    ['\u2168', 'IX'],
    ['\u212aim', 'Kim'],
    ['\uff4a\uff4f\uff45', 'joe'],
    ['jo\u00a0e', 'jo e'],
    ['\u0007', undefined],
    ['\u0627\u0031', undefined],
    ['\u0627joe', undefined],
    ['\ud800', undefined],
    ['\u00ad', undefined],
    ['', undefined],
    ['\u{1f600}', '\u{1f600}'],
  ]
  for (const [text, prepared] of pairs) assert.equal(prepare(text), prepared, text)
})

test('a text without end is nobody’s, and is not looked at', () => {
  assert.equal(prepare('a'.repeat(1_024)), 'a'.repeat(1_024))
  assert.equal(prepare('\ufdfa'.repeat(1_024))?.length, 18 * 1_024)
  assert.equal(prepare('a'.repeat(1_025)), undefined)
  assert.equal(prepare('\ufdfa'.repeat(1_025)), undefined)
  for (const message of [`\0${'\ufdfa'.repeat(2_900)}\0x`, `\0joe\0${'\ufdfa'.repeat(2_900)}`]) {
    const { result, asked } = runServer(plainServer, [Buffer.from(message)], () => {
      throw new Error('asked')
    })
    assert.equal(result.kind === 'failed' && result.reason, 'denied')
    assert.deepEqual(asked, [])
  }
})
