import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlainText } from './plain-text.ts'

const plain =
  'Subject: Hello\r\n World\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe quick\r\n fox'

for (const { says, message, text, lacks } of [
  {
    says: 'is not said to be lacking where it stands',
    message: plain,
    text: 'quick',
    lacks: false,
  },
  { says: 'is lacking where it stands nowhere', message: plain, text: 'slow', lacks: true },
  { says: 'has no case', message: plain, text: 'hello', lacks: false },
  { says: 'may be divided by a fold', message: plain, text: 'hello world', lacks: false },
  { says: 'with a line end is left to others', message: plain, text: 'quick\r\nfox', lacks: false },
  { says: 'beyond ASCII is lacking in ASCII', message: plain, text: 'größe', lacks: true },
  ...[
    'Subject: =?utf-8?q?hi?=\r\n\r\nx',
    'Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n',
    'Content-Transfer-Encoding:\r\n quoted-printable\r\n\r\nx',
    'content-transfer-encoding: Quoted-Printable\r\n\r\nx',
    'Content-Type: text/plain; charset=iso-2022-jp\r\n\r\nx',
    "Content-Type: text/plain; charset*=us-ascii''utf-7\r\n\r\nx",
    'Content-Type: text/plain; charset="utf-16"\r\n\r\nx',
    'Subject: caf\u00e9\r\n\r\nx',
  ].map(message => ({
    says: 'is never said to be lacking where something is coded',
    message,
    text: 'slow',
    lacks: false,
  })),
]) {
  test(`a text ${says}: ${JSON.stringify(text)} in ${JSON.stringify(message.slice(0, 60))}`, () => {
    assert.equal(new PlainText(Buffer.from(message, 'latin1')).lacks(text), lacks)
  })
}
