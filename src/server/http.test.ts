/** Whom the HTTP face answers: a web page by a name of its own is not among them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOwnHost } from './http.ts'

const cases: readonly (readonly [string, boolean])[] = [
  ['127.0.0.1:8025', true],
  ['[::1]:8025', true],
  ['[::ffff:127.0.0.1]', true],
  ['localhost', true],
  ['LOCALHOST:8025', true],
  ['postrider.localhost', true],
  ['postrider:8025', true],
  ['', true],
  ['mail.here.example', true],
  ['MAIL.here.example:80', true],
  ['evil.example', false],
  ['evil.example:8025', false],
  ['mail.here.example.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['evil.example:8025:localhost', false],
  ['evil.example.', false],
]

for (const [host, own] of cases) {
  test(`Host: ${host} is ${own ? 'taken' : 'refused'}`, () => {
    assert.equal(isOwnHost(host, 'mail.here.example'), own)
  })
}
