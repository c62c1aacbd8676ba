/** What FETCH tells of structures keeps to the grammar, whatever the message is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StructureScanner } from '../message/structure-scan.ts'
import { formatStructure } from './structure.ts'

function told(text: string): string {
  const scanner = new StructureScanner()
  scanner.push(Buffer.from(text))
  return formatStructure(scanner.finish(), false, false)
}

test('a message that is encoded has the fields of one all the same (RFC 9051 §9 body-type-msg)', () => {
  for (const type of ['rfc822', 'global']) {
    const text = `Content-Type: message/${type}\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQo=\r\n`
    const nothing = '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)'
    const part = '("text" "plain" NIL NIL NIL "7bit" 0 0)'
    assert.equal(told(text), `("message" "${type}" NIL NIL NIL "base64" 22 ${nothing} ${part} 1)`)
  }
})

test('messages in messages without end have the fields of them all the way down', () => {
  const text = told('Content-Type: message/rfc822\r\n\r\n'.repeat(100))
  const messages = text.match(/"message" "rfc822" NIL NIL NIL "7bit" \d+ \(NIL/g) ?? []
  assert.equal(messages.length, text.match(/"message"/g)?.length)
})

test('a message in a digest that says no type has no charset (RFC 2046 §5.1.5)', () => {
  const text = told(
    'Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: x\r\n\r\ny\r\n--b--\r\n',
  )
  assert.match(text, /^\(\("message" "rfc822" NIL NIL NIL "7bit" \d+ \(NIL "x" NIL/)
})
