import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sortFactsOf } from '../imap/sort.ts'
import { decodeWords } from '../message/encoded-word.ts'
import { scanHeader } from '../message/header.ts'
import { threadFactsOf } from '../message/thread.ts'
import { HEADING_FIELDS, Heading, headingOf } from './heading.ts'

const row = { uid: 7, internalDate: 1_000, sizeOctets: 99 }

const headers: Readonly<Record<string, string>> = {
  'a plain one':
    'Subject: Re: [list] hello\nFrom: Joe <joe@example.org>\nDate: Fri, 27 Nov 2026 10:00:00 +0000',
  'several of a name': 'To: a@x.org\nTo: b@x.org\nSubject: one\nSubject: two',
  folded: 'Subject: a long\n one\nReferences: <a@x>\n\t<b@x>\nMessage-ID:\n <c@x>',
  encoded:
    'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?q?_an_alle?=\nFrom: =?iso-8859-1?q?J=FCrgen?= <j@x.org>',
  'encoded to what divides lines': 'Subject: =?utf-8?q?a=0D=0Afrom:_b=00?=\nFrom: c@x.org',
  'names within values': 'Subject: from:joe\nX-Subject: other\nTo: "subject:" <a@x.org>',
  'eight bits': 'Subject: gr\xfc\xdfe\nFrom: \xc3\xa9 <e@x.org>',
  'empty values': 'Subject:\nFrom:\nCc: ,\nDate: never',
  groups:
    'To: friends: a@x.org, b@x.org;\nCc: undisclosed-recipients:;\nReply-To: r@x.org\nSender: s@x.org',
  nothing: 'X-Other: a',
  'in reply to': 'In-Reply-To: <p@x>\nMessage-ID: <q@x>\nBcc: secret@x.org',
}

for (const [name, text] of Object.entries(headers)) {
  test(`a heading says what the header says: ${name}`, () => {
    const header = scanHeader(Buffer.from(`${text.replaceAll('\n', '\r\n')}\r\n\r\n`, 'latin1'))
    const kept = headingOf(header)
    const heading = new Heading(kept)
    for (const field of HEADING_FIELDS) {
      const told = header.all(field).map(each => decodeWords(header.text(each)))
      assert.deepEqual(heading.all(field), told, field)
      assert.equal(heading.first(field), told[0], field)
    }
    assert.deepEqual(heading.sortFacts(row), sortFactsOf(row, header))
    assert.deepEqual(heading.threadFacts(7, 1_000), threadFactsOf(7, header, 1_000))
    assert.equal(kept[0], /^[\x00-\x7f]*$/.test(kept) ? ' ' : '!')
  })
}

test('a header that cannot be kept as it is is none', () => {
  const of = (text: string) => headingOf(scanHeader(Buffer.from(`${text}\r\n\r\n`)))
  assert.equal(of('Message-ID: <=?utf-8?q?a?=@x>'), '')
  assert.equal(of(`Subject: ${'long '.repeat(4_000)}`), '')
})
